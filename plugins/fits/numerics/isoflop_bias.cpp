#include "isoflop_bias.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "isoflop.hpp"
#include "number_text.hpp"
#include "parametric_fit.hpp"
#include "power_law.hpp"

namespace sizewise::fits {
namespace {

RunTable noise_free(const RunTable& runs, const Law& law) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto budgets = runs.numbers("budget_flops");
  std::vector<double> loss;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    loss.push_back(
        predicted_loss(law, Parameters(params[row]), Units(tokens[row])).value());
  }
  RunTable table;
  table.add_numbers("params", {params.begin(), params.end()});
  table.add_numbers("tokens", {tokens.begin(), tokens.end()});
  table.add_numbers("budget_flops", {budgets.begin(), budgets.end()});
  table.add_numbers("loss", std::move(loss));
  return table;
}

PowerLaw vertices_law(const RunTable& runs, std::string_view column) {
  std::vector<double> budgets;
  std::vector<double> vertices;
  for (const Parabola& parabola : isoflop_parabolas(runs, column, {})) {
    if (parabola.has_minimum() && std::isfinite(parabola.vertex)) {
      budgets.push_back(parabola.budget);
      vertices.push_back(parabola.vertex);
    }
  }
  return power_law_through(budgets, vertices);
}

std::string percent(double share) {
  return (share < 0.0 ? "" : "+") + number_text(100.0 * share) + " %";
}

}  // namespace

IsoflopBias isoflop_bias(const RunTable& runs, const Law& law, double budget) {
  const RunTable table = noise_free(runs, law);
  const PowerLaw params = vertices_law(table, "params");
  const PowerLaw tokens = vertices_law(table, "tokens");
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  // Hoffmann et al. 2022, equation 4.
  const double log_ratio =
      std::log(alpha * law.value("A") / (beta * law.value("B"))) / (alpha + beta);
  const double log_product = std::log(budget / 6.0);
  IsoflopBias bias;
  bias.budget = budget;
  bias.exponent = params.exponent;
  bias.true_exponent = beta / (alpha + beta);
  bias.params =
      params.coefficient * std::exp(params.exponent * std::log(budget) - log_ratio -
                                    bias.true_exponent * log_product) -
      1.0;
  bias.tokens =
      tokens.coefficient * std::exp(tokens.exponent * std::log(budget) + log_ratio -
                                    (1.0 - bias.true_exponent) * log_product) -
      1.0;
  return bias;
}

std::optional<std::string> describe_isoflop_bias(const RunTable& runs) {
  ParametricSettings settings;
  settings.delta = std::numeric_limits<double>::infinity();
  const FitResult fit = fit_parametric_law({runs, {}, nullptr}, settings);
  double largest = 0.0;
  for (const double budget : runs.numbers("budget_flops")) {
    largest = budget > largest ? budget : largest;
  }
  if (fit.status != FitStatus::kIdentified) {
    return std::nullopt;
  }
  constexpr double kFactor = 10.0;
  const IsoflopBias bias = isoflop_bias(runs, fit.law, kFactor * largest);
  if (!std::isfinite(bias.params) || !std::isfinite(bias.tokens)) {
    return std::nullopt;
  }
  return "bias of parabolas: noise-free losses of the parametric law of these rows "
         "(alpha " +
         number_text(fit.law.value("alpha")) + ", beta " +
         number_text(fit.law.value("beta")) +
         ") would give this grid a = " + number_text(bias.exponent) + " instead of " +
         number_text(bias.true_exponent) + ", and at " + number_text(bias.budget) +
         " FLOPs N* " + percent(bias.params) + " and D* " + percent(bias.tokens) + " off";
}

}  // namespace sizewise::fits
