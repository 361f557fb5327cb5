#include "envelope_bias.hpp"

#include <cmath>
#include <set>

#include "noise_free.hpp"
#include "number_text.hpp"
#include "parametric_fit.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {
namespace {

std::size_t count_distinct(const std::vector<double>& values) {
  return std::set<double>(values.begin(), values.end()).size();
}

std::string corners_text(const Checkpoints& checkpoints, const Envelope& envelope) {
  const std::vector<double> sizes = values_at(checkpoints.params, envelope.corners);
  return "the envelope has " + std::to_string(envelope.corners.size()) + " corners, of " +
         std::to_string(count_distinct(sizes)) + " of " +
         std::to_string(count_distinct(checkpoints.params)) + " sizes";
}

std::string bias_text(const Law& law, const EnvelopeBias& bias, double standard_error) {
  constexpr double kSmall = 0.01;
  const double miss = bias.exponent - bias.true_exponent;
  std::string text =
      "; bias of this method on this design: noise-free losses of the "
      "parametric law of these rows (alpha " +
      number_text(law.value("alpha")) + ", beta " + number_text(law.value("beta")) +
      ") would give a = " + number_text(bias.exponent) + " instead of " +
      number_text(bias.true_exponent) + ": a is " + number_text(std::fabs(miss)) +
      (miss < 0.0 ? " too low" : " too high");
  if (std::fabs(miss) > kSmall || std::fabs(miss) > standard_error) {
    text += ", which this fit's intervals leave out (standard error of its line " +
            number_text(standard_error) + "); use approach3";
  }
  return text;
}

}  // namespace

EnvelopeBias envelope_bias(const Checkpoints& checkpoints, const Law& law) {
  Checkpoints exact = checkpoints;
  exact.loss = noise_free_losses(law, exact.params, exact.tokens);
  const PowerLaw cost = cost_law(exact.params, exact.tokens, exact.flops);
  EnvelopeBias bias;
  bias.exponent = envelope_of(exact).params.exponent;
  bias.true_exponent = best_exponent(law, 1.0 + cost.exponent);
  return bias;
}

std::string describe_envelope(const FitInput& input,
                              const Checkpoints& checkpoints,
                              const Envelope& envelope) {
  std::string corners = corners_text(checkpoints, envelope);
  const FitResult fit = fit_parametric_law({input.runs, input.weights, nullptr}, {});
  if (fit.status != FitStatus::kIdentified) {
    return corners +
           "; how far this method is off on this design is not known: the rows "
           "do not identify approach3's law (" +
           fit.reasons.front().code + ")";
  }
  const EnvelopeBias bias = envelope_bias(checkpoints, fit.law);
  if (!std::isfinite(bias.exponent)) {
    return corners;
  }
  return corners + bias_text(fit.law, bias, envelope.standard_error);
}

}  // namespace sizewise::fits
