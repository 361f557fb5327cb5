#include "fitting/cost_checks.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/row_selection.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

constexpr double kFarOff = 10.0;

/// What a row's unit of data cost, in logarithms.
struct Cost {
  double log_params = 0.0;
  double log_per_parameter = 0.0;
  std::size_t place = 0;  ///< of the row in the table
};

std::string where(const FitRequest& request, std::size_t place) {
  return request.source.empty()
             ? fmt::format("row {}", place + 1)
             : fmt::format("{}, line {}", request.source, line_of(request, place));
}

bool is_positive(double number) {
  return std::isfinite(number) && number > 0.0;
}

std::vector<Cost> costs_of(const RunTable& runs, const FitRequest& request) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto flops = runs.numbers("flops");
  std::vector<Cost> costs;
  for (const std::size_t row : sort_rows(runs, request).used) {
    if (std::isnan(flops[row]) || !is_positive(params[row]) ||
        !is_positive(tokens[row])) {
      continue;
    }
    if (!is_positive(flops[row])) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: column 'flops' is {}; allowed: finite and above 0, or "
                              "an empty cell",
                              where(request, row),
                              flops[row]),
                  "correct the row, or take 6 * params * tokens: --cost-model 6nd");
    }
    const double log_params = std::log(params[row]);
    costs.push_back(
        {log_params, std::log(flops[row]) - std::log(tokens[row]) - log_params, row});
  }
  std::sort(costs.begin(), costs.end(), [](const Cost& a, const Cost& b) {
    return a.log_params < b.log_params;
  });
  return costs;
}

/// The median of the rows around one, itself left out; NaN where they are too few to tell
/// which is wrong.
double usual_around(const std::vector<Cost>& costs, std::size_t place) {
  constexpr std::size_t kAround = 4;
  constexpr std::size_t kFew = 4;
  const std::size_t from = place < kAround ? 0 : place - kAround;
  const std::size_t to = std::min(place + kAround + 1, costs.size());
  std::vector<double> around;
  for (std::size_t i = from; i < to; ++i) {
    if (i != place) {
      around.push_back(costs[i].log_per_parameter);
    }
  }
  return around.size() < kFew ? FitResult::kUnknown : quantile(std::move(around), 0.5);
}

}  // namespace

void check_flops(const RunTable& runs, const FitRequest& request) {
  if (!runs.has_numbers("flops") || !runs.has_numbers("params") ||
      !runs.has_numbers("tokens")) {
    return;
  }
  const std::vector<Cost> costs = costs_of(runs, request);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const double usual = usual_around(costs, i);
    const double off = std::fabs(costs[i].log_per_parameter - usual);
    if (off > std::log(kFarOff)) {
      throw Error(
          ErrorCode::kInput,
          fmt::format(
              "{}: flops are {:.4g} * params * tokens, those of rows of like size "
              "about {:.4g} * params * tokens; one of its three numbers is wrong",
              where(request, costs[i].place),
              std::exp(costs[i].log_per_parameter),
              std::exp(usual)),
          "correct the row, or take 6 * params * tokens: --cost-model 6nd");
    }
  }
}

}  // namespace sizewise::fitting
