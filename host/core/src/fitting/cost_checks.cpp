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

bool is_positive(double number) {
  return std::isfinite(number) && number > 0.0;
}

std::vector<Cost> costs_of(const RunTable& runs,
                           const std::vector<std::size_t>& used,
                           const FitRequest& request) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto flops = runs.numbers("flops");
  std::vector<Cost> costs;
  for (const std::size_t row : used) {
    if (std::isnan(flops[row]) || !is_positive(params[row]) ||
        !is_positive(tokens[row])) {
      continue;
    }
    if (!is_positive(flops[row])) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: column 'flops' is {}; allowed: finite and above 0, or "
                              "an empty cell",
                              where_stands(request, row),
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

/// The rows of one size.
struct Size {
  double log_params = 0.0;
  double usual = 0.0;  ///< the median of its rows
  std::size_t rows = 0;
};

std::vector<Size> sizes_of(const std::vector<Cost>& costs) {
  std::vector<Size> sizes;
  for (std::size_t first = 0; first < costs.size();) {
    std::vector<double> same;
    const double log_params = costs[first].log_params;
    for (; first < costs.size() && costs[first].log_params == log_params; ++first) {
      same.push_back(costs[first].log_per_parameter);
    }
    sizes.push_back({log_params, quantile(same, 0.5), same.size()});
  }
  return sizes;
}

/// What a row of this size may be compared with: the other rows of its size where they
/// outvote it, else the sizes on both sides, or at an end the next one and the line
/// through the next two.
std::vector<double> usual_around(const std::vector<Size>& sizes, std::size_t place) {
  constexpr std::size_t kOutvote = 3;
  const std::size_t last = sizes.size() - 1;
  if (sizes[place].rows >= kOutvote) {
    return {sizes[place].usual};
  }
  if (last < 2) {
    return {};
  }
  if (place > 0 && place < last) {
    return {sizes[place - 1].usual, sizes[place + 1].usual};
  }
  const Size& next = sizes[place == 0 ? 1 : last - 1];
  const Size& after = sizes[place == 0 ? 2 : last - 2];
  const double slope = (next.usual - after.usual) / (next.log_params - after.log_params);
  return {next.usual, next.usual + slope * (sizes[place].log_params - next.log_params)};
}

/// Whether a number is far above all of some, or far below all.
bool is_far_from(double number, const std::vector<double>& others) {
  const double limit = std::log(kFarOff);
  const auto is_above = [&](double other) {
    return number - other > limit;
  };
  const auto is_below = [&](double other) {
    return other - number > limit;
  };
  return !others.empty() && (std::all_of(others.begin(), others.end(), is_above) ||
                             std::all_of(others.begin(), others.end(), is_below));
}

}  // namespace

void check_flops(const RunTable& runs,
                 const std::vector<std::size_t>& used,
                 const FitRequest& request) {
  if (!runs.has_numbers("flops") || !runs.has_numbers("params") ||
      !runs.has_numbers("tokens")) {
    return;
  }
  const std::vector<Cost> costs = costs_of(runs, used, request);
  const std::vector<Size> sizes = sizes_of(costs);
  std::size_t size = 0;
  for (const Cost& cost : costs) {
    size += cost.log_params == sizes[size].log_params ? 0 : 1;
    const std::vector<double> usual = usual_around(sizes, size);
    if (is_far_from(cost.log_per_parameter, usual)) {
      throw Error(
          ErrorCode::kInput,
          fmt::format(
              "{}: flops are {:.4g} * params * tokens, those of rows of like size "
              "about {:.4g} * params * tokens; one of its three numbers is wrong",
              where_stands(request, cost.place),
              std::exp(cost.log_per_parameter),
              std::exp(usual.front())),
          "correct the row, or take 6 * params * tokens: --cost-model 6nd");
    }
  }
}

}  // namespace sizewise::fitting
