#pragma once

#include <span>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// y = coefficient * x^exponent through the points, by least squares in logarithms.
struct PowerLaw {
  double coefficient = FitResult::kUnknown;
  double exponent = FitResult::kUnknown;
};
[[nodiscard]] PowerLaw power_law_through(std::span<const double> x,
                                         std::span<const double> y);

/// Writes the two power laws in C as a law of form "allocation" with its exponents, and
/// refuses exponents outside (0, 1).
void set_allocation(FitResult& result, const PowerLaw& params, const PowerLaw& tokens);

}  // namespace sizewise::fits
