#include "isoflop_bias.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "isoflop.hpp"
#include "noise_free.hpp"
#include "number_text.hpp"
#include "parametric_fit.hpp"
#include "positive_column.hpp"
#include "power_law.hpp"

namespace sizewise::fits {
namespace {

RunTable noise_free(const RunTable& runs, const Law& law) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto budgets = runs.numbers("budget_flops");
  RunTable table;
  table.add_numbers("params", {params.begin(), params.end()});
  table.add_numbers("tokens", {tokens.begin(), tokens.end()});
  table.add_numbers("budget_flops", {budgets.begin(), budgets.end()});
  table.add_numbers("loss", noise_free_losses(law, params, tokens));
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
  std::string text = share < 0.0 ? "" : "+";
  text += number_text(100.0 * share);
  text += " %";
  return text;
}

/// The rows that belong to a budget and count.
RunTable rows_of_budgets(const FitInput& input) {
  std::vector<std::size_t> kept;
  for (const std::size_t row : counted_rows(input)) {
    if (!std::isnan(input.runs.numbers("budget_flops")[row])) {
      kept.push_back(row);
    }
  }
  return input.runs.select(kept);
}

}  // namespace

IsoflopBias isoflop_bias(const RunTable& runs, const Law& law, double budget) {
  const RunTable table = noise_free(runs, law);
  const PowerLaw params = vertices_law(table, "params");
  const PowerLaw tokens = vertices_law(table, "tokens");
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  // Hoffmann et al. 2022, equation 4, for C = k N^growth D with k = 6 and growth = 1.
  const PowerLaw cost =
      cost_law(runs.params(), runs.tokens(), runs.numbers("budget_flops"));
  const double growth = 1.0 + cost.exponent;
  const double log_product = std::log(budget / cost.coefficient);
  const double log_params =
      (std::log(alpha * law.value("A")) - std::log(growth * beta * law.value("B")) +
       beta * log_product) /
      (alpha + growth * beta);
  const double log_tokens = log_product - growth * log_params;
  const double log_budget = std::log(budget);
  IsoflopBias bias;
  bias.budget = budget;
  bias.exponent = params.exponent;
  bias.true_exponent = best_exponent(law, growth);
  bias.params =
      params.coefficient * std::exp(params.exponent * log_budget - log_params) - 1.0;
  bias.tokens =
      tokens.coefficient * std::exp(tokens.exponent * log_budget - log_tokens) - 1.0;
  return bias;
}

std::optional<std::string> describe_isoflop_bias(const FitInput& input) {
  const RunTable runs = rows_of_budgets(input);
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
