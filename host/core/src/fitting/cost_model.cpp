#include "sizewise/cost_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/interval.hpp"

namespace sizewise {
namespace {

using fitting::kUnbounded;

constexpr double kFlopsPerParameter = 6.0;
constexpr std::size_t kMostSizes = 256;

bool usable(double number) {
  return std::isfinite(number) && number > 0.0;
}

/// One point a distinct N, in ascending order; costs of equal N are averaged in
/// logarithm.
std::vector<CostPoint> merged(std::vector<CostPoint> points) {
  std::sort(points.begin(), points.end(), [](const CostPoint& a, const CostPoint& b) {
    return a.params < b.params;
  });
  std::vector<CostPoint> distinct;
  for (std::size_t first = 0; first < points.size();) {
    std::size_t next = first;
    double sum = 0.0;
    for (; next < points.size() && points[next].params == points[first].params; ++next) {
      sum += std::log(points[next].flops_per_unit);
    }
    const double mean = sum / static_cast<double>(next - first);
    distinct.push_back(
        {points[first].params,
         next - first == 1 ? points[first].flops_per_unit : std::exp(mean)});
    first = next;
  }
  return distinct;
}

/// At most kMostSizes points: the means, in logarithm, over equal steps of ln N.
std::vector<CostPoint> thinned(const std::vector<CostPoint>& points) {
  if (points.size() <= kMostSizes) {
    return points;
  }
  const double low = std::log(points.front().params);
  const double step = (std::log(points.back().params) - low) / kMostSizes;
  std::vector<CostPoint> kept;
  for (std::size_t first = 0; first < points.size();) {
    const auto bin = [&](const CostPoint& point) {
      return std::floor((std::log(point.params) - low) / step);
    };
    std::size_t next = first;
    double params = 0.0;
    double flops = 0.0;
    for (; next < points.size() && bin(points[next]) == bin(points[first]); ++next) {
      params += std::log(points[next].params);
      flops += std::log(points[next].flops_per_unit);
    }
    const auto count = static_cast<double>(next - first);
    kept.push_back({std::exp(params / count), std::exp(flops / count)});
    first = next;
  }
  return kept;
}

double slope_between(const CostPoint& from, const CostPoint& to) {
  return std::log(to.flops_per_unit / from.flops_per_unit) /
         std::log(to.params / from.params);
}

CostSegment segment_through(double log_from, const CostPoint& point, double slope) {
  return {
      log_from, std::log(point.flops_per_unit) - slope * std::log(point.params), slope};
}

/// The stretches between points, and beyond the ends the slope over the factor of two in
/// N next to them.
std::vector<CostSegment> segments_through(const std::vector<CostPoint>& points) {
  constexpr double kFarBelow = -std::numeric_limits<double>::infinity();
  const CostPoint& first = points.front();
  const CostPoint& last = points.back();
  if (points.size() == 1) {
    return {segment_through(kFarBelow, first, 1.0)};
  }
  const auto above_first = std::find_if(
      points.begin() + 1, points.end() - 1, [&first](const CostPoint& point) {
        return point.params >= 2.0 * first.params;
      });
  const auto below_last = std::find_if(
      points.rbegin() + 1, points.rend() - 1, [&last](const CostPoint& point) {
        return 2.0 * point.params <= last.params;
      });
  std::vector<CostSegment> segments = {
      segment_through(kFarBelow, first, slope_between(first, *above_first))};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    segments.push_back(segment_through(
        std::log(points[i].params), points[i], slope_between(points[i], points[i + 1])));
  }
  segments.push_back(
      segment_through(std::log(last.params), last, slope_between(*below_last, last)));
  return segments;
}

}  // namespace

CostModel::CostModel(std::vector<CostPoint> points, std::vector<CostSegment> segments)
    : points_(std::move(points)), segments_(std::move(segments)) {}

CostModel CostModel::six_per_parameter() {
  return {
      {},
      {{-std::numeric_limits<double>::infinity(), std::log(kFlopsPerParameter), 1.0}}};
}

CostModel CostModel::counted(std::vector<CostPoint> points) {
  if (points.empty()) {
    throw Error(ErrorCode::kInput,
                "a counted cost model needs at least one size with its FLOPs",
                "count one, or use the cost model 6nd");
  }
  for (const CostPoint& point : points) {
    if (!usable(point.params) || !usable(point.flops_per_unit)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("a counted cost model holds {} FLOPs per unit at {} "
                              "parameters; allowed: finite and above 0",
                              point.flops_per_unit,
                              point.params));
    }
  }
  points = merged(std::move(points));
  std::vector<CostSegment> segments = segments_through(points);
  return {std::move(points), std::move(segments)};
}

std::string_view CostModel::name() const {
  return is_counted() ? "counted" : "6nd";
}

double CostModel::flops_per_unit(Parameters params) const {
  const double log_params = std::log(params.value());
  const auto next = std::upper_bound(segments_.begin() + 1,
                                     segments_.end(),
                                     log_params,
                                     [](double value, const CostSegment& segment) {
                                       return value < segment.log_from;
                                     });
  const CostSegment& segment = *(next - 1);
  return std::exp(segment.log_factor + segment.slope * log_params);
}

Units CostModel::units_for(Flops budget, Parameters params) const {
  return Units(budget.value() / flops_per_unit(params));
}

Parameters CostModel::largest_for(double flops_per_unit) const {
  const double wanted = std::log(flops_per_unit);
  for (std::size_t i = segments_.size(); i-- > 0;) {
    const CostSegment& segment = segments_[i];
    const bool is_last = i + 1 == segments_.size();
    const double log_to = is_last ? kUnbounded : segments_[i + 1].log_from;
    const double rise = segment.slope == 0.0 ? 0.0 : segment.slope * log_to;
    const double at_end = segment.log_factor + rise;
    if (at_end <= wanted) {
      return Parameters(std::exp(log_to));
    }
    const double log_params = (wanted - segment.log_factor) / segment.slope;
    if (segment.slope > 0.0 && log_params >= segment.log_from) {
      return Parameters(std::exp(log_params));
    }
  }
  return Parameters(0.0);
}

CostModel cost_model_of(const RunTable& runs) {
  if (!runs.has_numbers("flops") || !runs.has_numbers("params") ||
      !runs.has_numbers("tokens")) {
    return CostModel::six_per_parameter();
  }
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto flops = runs.numbers("flops");
  std::vector<CostPoint> points;
  points.reserve(runs.rows());
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    if (usable(params[row]) && usable(tokens[row]) && usable(flops[row])) {
      points.push_back({params[row], flops[row] / tokens[row]});
    }
  }
  if (points.empty()) {
    return CostModel::six_per_parameter();
  }
  return CostModel::counted(thinned(merged(std::move(points))));
}

}  // namespace sizewise
