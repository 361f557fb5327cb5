#include "power_law.hpp"

#include <cmath>
#include <string>

#include "normal_matrix.hpp"
#include "number_text.hpp"

namespace sizewise::fits {
namespace {

void set_power_law(FitResult& result, const std::string& column, const PowerLaw& law) {
  result.law.values[column + ".coefficient"] = law.coefficient;
  result.law.values[column + ".exponent"] = law.exponent;
  if (std::isfinite(law.exponent) && !(law.exponent > 0.0 && law.exponent < 1.0)) {
    refuse_identification(result,
                          "exponent_out_of_range",
                          "the exponent of " + column + " is " +
                              number_text(law.exponent) +
                              "; allowed: between 0 and 1; add budgets, or sizes nearer "
                              "to the best of each "
                              "budget");
  }
}

}  // namespace

PowerLaw power_law_through(std::span<const double> x, std::span<const double> y) {
  PowerLaw law;
  const auto count = static_cast<double>(x.size());
  double mean_x = 0.0;
  double mean_y = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / count;
    mean_y += std::log(y[i]) / count;
  }
  double squares = 0.0;
  double products = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
    products += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
  }
  if (squares > 0.0) {
    law.exponent = products / squares;
    law.coefficient = std::exp(mean_y - law.exponent * mean_x);
  }
  return law;
}

void set_allocation(FitResult& result, const PowerLaw& params, const PowerLaw& tokens) {
  result.law.form = "allocation";
  set_power_law(result, "params", params);
  set_power_law(result, "tokens", tokens);
  result.a = params.exponent;
  result.b = tokens.exponent;
}

}  // namespace sizewise::fits
