#include "fitting/loss_surface.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/optimum.hpp"

namespace sizewise {
namespace {

/// `unique` and what repeats of it add, in units as good as new: the value of one more
/// falls by exp(-repeats / decay). Source: Muennighoff et al. 2023, equation 5.
double effective(double all, double unique, double decay) {
  return unique + unique * decay * -std::expm1((1.0 - all / unique) / decay);
}

void refuse_no_loss(const Law& law) {
  if (std::isnan(predicted_loss(law, Parameters(1e9), Units(1e10)).value())) {
    throw Error(ErrorCode::kFit,
                fmt::format("a law of form '{}' predicts no loss", law.form),
                "fit one that does, such as approach3");
  }
}

}  // namespace

Nats loss_with_repeats(const Law& law,
                       Parameters params,
                       Units tokens,
                       Units unique_tokens) {
  if (law.form != "data_constrained") {
    refuse_no_loss(law);
    return predicted_loss(law, params, std::min(tokens, unique_tokens));
  }
  const double unique = std::min(tokens.value(), unique_tokens.value());
  // The size that is best for that much unique data, by equation 4 of Hoffmann et al.;
  // parameters beyond it are worth less, as repeats are.
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  const double log_best = (std::log(alpha * law.value("A")) -
                           std::log(beta * law.value("B")) + beta * std::log(unique)) /
                          alpha;
  const double base = std::min(params.value(), std::exp(log_best));
  const double n = effective(params.value(), base, law.value("R_N"));
  const double d = effective(tokens.value(), unique, law.value("R_D"));
  return Nats(law.value("E") + law.value("A") / std::pow(n, alpha) +
              law.value("B") / std::pow(d, beta));
}

namespace fitting {

Chinchilla::Chinchilla(const Law& law)
    : e(law.value("E")),
      a(law.value("A")),
      b(law.value("B")),
      alpha(law.value("alpha")),
      beta(law.value("beta")) {}

double Chinchilla::loss(double log_params, double log_tokens) const {
  return e + a * std::exp(-alpha * log_params) + b * std::exp(-beta * log_tokens);
}

LossSurface::LossSurface(const Law& law, std::optional<Units> unique_tokens) : law_(law) {
  if (law.form == "chinchilla") {
    chinchilla_.emplace(law);
  } else if (law.form != "data_constrained") {
    refuse_no_loss(law);
  }
  if (unique_tokens) {
    log_unique_ = std::log(unique_tokens->value());
  }
}

double LossSurface::loss(double log_params, double log_tokens) const {
  if (chinchilla_) {
    return chinchilla_->loss(
        log_params, log_unique_ ? std::min(*log_unique_, log_tokens) : log_tokens);
  }
  return loss_with_repeats(law_,
                           Parameters(std::exp(log_params)),
                           Units(std::exp(log_tokens)),
                           Units(std::exp(log_unique_.value_or(log_tokens))))
      .value();
}

std::optional<double> LossSurface::log_most_tokens() const {
  return chinchilla_ ? log_unique_ : std::nullopt;
}

const Chinchilla* LossSurface::closed_form() const {
  return chinchilla_ && !log_unique_ ? &*chinchilla_ : nullptr;
}

}  // namespace fitting
}  // namespace sizewise
