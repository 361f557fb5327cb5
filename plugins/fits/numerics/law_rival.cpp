#include "law_rival.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/tools/minima.hpp>

#include "normal_matrix.hpp"
#include "number_text.hpp"

namespace sizewise::fits {
namespace {

double largest_log_budget(const LawRows& rows) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    largest = std::max(largest,
                       rows.x[row] * rows.params.scale + rows.y[row] * rows.tokens.scale);
  }
  return largest + rows.params.origin + rows.tokens.origin + std::log(6.0);
}

}  // namespace

double usual_ratio() {
  return boost::math::quantile(boost::math::chi_squared(1.0), 0.95);
}

double best_log_size(const LawRows& rows,
                     const std::function<double(double x, double y)>& loss_at) {
  const double margin = std::log(10.0);
  const double log_budget = largest_log_budget(rows);
  const auto loss_of = [&](double log_size) {
    const double log_data = log_budget - std::log(6.0) - log_size;
    return loss_at((log_size - rows.params.origin) / rows.params.scale,
                   (log_data - rows.tokens.origin) / rows.tokens.scale);
  };
  constexpr int kSteps = 64;
  const double low = rows.params.origin - margin;
  const double step = (rows.params.scale + 2.0 * margin) / kSteps;
  int best = 0;
  for (int i = 1; i <= kSteps; ++i) {
    best = loss_of(low + i * step) < loss_of(low + best * step) ? i : best;
  }
  constexpr int kBits = 24;  // half of a double's: what a minimum shows
  return boost::math::tools::brent_find_minima(
             loss_of, low + (best - 1) * step, low + (best + 1) * step, kBits)
      .first;
}

void judge_rival(const LawRival& rival, FitResult& result) {
  if (!(rival.ratio > usual_ratio())) {
    return;
  }
  constexpr double kMostFactor = 3.0;
  const std::string what = "lack of fit: " + rival.name +
                           " fits better (likelihood ratio " + number_text(rival.ratio) +
                           ", usual below " + number_text(usual_ratio()) +
                           "); under it N* of the largest budget is " +
                           number_text(std::exp(rival.log_shift)) + " times as large";
  if (std::fabs(rival.log_shift) > std::log(kMostFactor)) {
    refuse_identification(result,
                          "lack_of_fit",
                          what + ", more than a factor of " + number_text(kMostFactor) +
                              ": " + rival.remedy);
  } else {
    result.warnings.push_back(what);
  }
}

}  // namespace sizewise::fits
