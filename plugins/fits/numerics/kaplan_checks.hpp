#pragma once

#include "sizewise/fit.hpp"

#include "kaplan_law.hpp"

namespace sizewise::fits {

/// Compares Kaplan's law with the parametric law of the same rows, which has one value
/// more: where that fits better than chance would make it, the result warns of how far N*
/// of the largest budget moves; beyond a factor of 3 Kaplan's law is not identified.
/// @param point Kaplan's law, fitted; @param delta what it was minimised with
/// @param noise standard deviation of ln loss, NaN: from the residuals
void judge_kaplan_law(const LawRows& rows,
                      const KaplanLaw& law,
                      const KaplanLaw::Point& point,
                      double delta,
                      double noise,
                      FitResult& result);

}  // namespace sizewise::fits
