#include "saturating_law.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "sizewise/error.hpp"

#include "jet_fit.hpp"
#include "number_text.hpp"
#include "positive_column.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {
namespace {

constexpr double kMostRate = 200.0;  // of a over the range of ln x

/// Minimises sum w ((p + q u) / y - 1)^2 over p and q at least 0.
Eigen::Vector2d floor_and_power(const std::vector<double>& weight,
                                const std::vector<double>& u,
                                const std::vector<double>& y) {
  double one = 0.0;
  double mixed = 0.0;
  double two = 0.0;
  double first = 0.0;
  double second = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double a = 1.0 / y[i];
    const double b = u[i] / y[i];
    one += weight[i] * a * a;
    mixed += weight[i] * a * b;
    two += weight[i] * b * b;
    first += weight[i] * a;
    second += weight[i] * b;
  }
  const double determinant = one * two - mixed * mixed;
  Eigen::Vector2d both((first * two - second * mixed) / determinant,
                       (second * one - first * mixed) / determinant);
  if (both.allFinite() && both.minCoeff() >= 0.0) {
    return both;
  }
  return both[0] < 0.0 ? Eigen::Vector2d(0.0, second / two)
                       : Eigen::Vector2d(first / one, 0.0);
}

/// The middle of what is seen, in logarithms.
double log_middle(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return 0.5 * (std::log(*least) + std::log(*most));
}

/// How far it reaches; 1 of equal values.
double log_range(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return *most > *least ? std::log(*most) - std::log(*least) : 1.0;
}

}  // namespace

SaturatingLaw::SaturatingLaw(const std::vector<double>& x,
                             const std::vector<double>& y,
                             std::vector<double> weights,
                             ResidualKind kind,
                             const std::map<std::string, double>& fixed)
    : y_(y),
      weights_(std::move(weights)),
      kind_(kind),
      origin_(log_middle(x)),
      range_(log_range(x)),
      unit_(std::exp(log_middle(y))),
      middle_(origin_ / range_) {
  for (const double value : x) {
    x_.push_back((std::log(value) - origin_) / range_);
  }
  for (double& value : y_) {
    value /= unit_;
  }
  box_.lower << 0.0, 0.0, -kMostRate;
  box_.upper[2] = kMostRate;
  for (const auto& [key, value] : fixed) {
    const auto* const found = std::find(kKeys.begin(), kKeys.end(), key);
    if (found == kKeys.end() || !std::isfinite(value) || (key != "a" && value < 0.0)) {
      throw Error(
          ErrorCode::kConfiguration,
          "the law y_inf + k x^-a cannot hold '" + key + "' at " + number_text(value),
          "hold y_inf or k at a value of at least 0, or a at a finite one");
    }
    if (key == "k") {
      is_k_held_ = true;
      log_k_ = std::log(value / unit_);
      box_.upper[1] = 0.0;
    } else {
      const auto place = static_cast<Eigen::Index>(found - kKeys.begin());
      box_.lower[place] = box_.upper[place] = place == 0 ? value / unit_ : value * range_;
    }
  }
}

SaturatingLaw SaturatingLaw::sampled(std::size_t most) const {
  const auto places = sampled_places({x_, y_, weights_}, most);
  SaturatingLaw few = *this;
  few.x_ = values_at(x_, places);
  few.y_ = values_at(y_, places);
  few.weights_ = values_at(weights_, places);
  return few;
}

Law SaturatingLaw::law(const Point& point) const {
  const double a = point[2] / range_;
  const double size = is_k_held_ ? std::exp(log_k_ - point[2] * middle_) : point[1];
  return {"power",
          {{"y_inf", unit_ * point[0]},
           {"k", unit_ * size * std::exp(a * origin_)},
           {"a", a}},
          {}};
}

SaturatingLaw::Point SaturatingLaw::point_of(const Law& law) const {
  const double a = law.value("a");
  return {law.value("y_inf") / unit_,
          law.value("k") / unit_ * std::exp(-a * origin_),
          a * range_};
}

Eigen::Matrix3d SaturatingLaw::table_units(const Point& point) const {
  const Law there = law(point);
  Eigen::Matrix3d units = Eigen::Matrix3d::Zero();
  units(0, 0) = unit_;
  units(1, 1) = unit_ * std::exp(there.value("a") * origin_);
  units(1, 2) = is_k_held_ ? 0.0 : there.value("k") * middle_;
  units(2, 2) = 1.0 / range_;
  return units;
}

std::vector<int> SaturatingLaw::free_coordinates(const Point& point) const {
  constexpr double kNothing = 1e-9;
  std::vector<int> free;
  for (int i = 0; i < 3; ++i) {
    const bool is_absent = i < 2 && point[i] <= kNothing;
    if (box_.lower[i] < box_.upper[i] && !is_absent) {
      free.push_back(i);
    }
  }
  return free;
}

std::vector<double> SaturatingLaw::deviations(double noise) const {
  std::vector<double> all(y_.size(), noise);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] *= kind_ == ResidualKind::kLog ? 1.0 : y_[i];
  }
  return all;
}

std::vector<SaturatingLaw::Point> SaturatingLaw::starts() const {
  constexpr int kSteps = 24;
  constexpr double kLeastStep = 0.01;
  std::vector<Point> points;
  for (int step = 0; step < kSteps; ++step) {
    const double size =
        kLeastStep * std::pow(kMostRate / kLeastStep, static_cast<double>(step) / kSteps);
    for (const double rate : {size, -size}) {
      std::vector<double> u;
      for (const double x : x_) {
        u.push_back(std::exp(-rate * x));
      }
      const Eigen::Vector2d terms = floor_and_power(weights_, u, y_);
      if (terms.allFinite()) {
        points.emplace_back(terms[0], terms[1], rate);
      }
    }
  }
  return points;
}

namespace {

Search<3> find_saturating(const FitInput& input,
                          const RobustSettings& settings,
                          const SaturatingLaw& law) {
  const bool is_warm = input.warm_start != nullptr &&
                       input.warm_start->law.form == "power" &&
                       law.point_of(input.warm_start->law).allFinite();
  if (is_warm) {
    return search_jet_law<3>(law, law, settings, {law.point_of(input.warm_start->law)});
  }
  const SaturatingLaw few = law.sampled(kSearchRows);
  return search_jet_law<3>(law, few, settings, few.starts());
}

}  // namespace

FitResult fit_saturating_law(const FitInput& input, const SaturatingSettings& settings) {
  const std::vector<std::size_t> rows = counted_rows(input);
  const std::vector<double> x = positive_column(input.runs, settings.x, rows);
  const std::vector<double> y = positive_column(input.runs, settings.y, rows);
  SaturatingSettings scaled = settings;
  const SaturatingLaw law(x, y, weights_of(input, rows), settings.residual, input.fixed);
  const double unit = settings.residual == ResidualKind::kLinear ? law.unit() : 1.0;
  scaled.delta /= unit;
  JetFit<3> fit = fit_jet_law<3>(input, scaled, law, find_saturating(input, scaled, law));
  FitResult& result = fit.result;
  result.law.texts = {{"x", settings.x}, {"y", settings.y}};
  // An absolute residual has the unit once, Huber's loss twice.
  const double scale = settings.absolute ? unit : unit * unit;
  result.objective *= scale;
  result.dispersion *= scale;
  constexpr std::size_t kLeastDistinct = 4;
  const std::size_t distinct = std::set<double>(x.begin(), x.end()).size();
  if (distinct < kLeastDistinct) {
    refuse_identification(result,
                          "few_rows",
                          "the rows hold " + std::to_string(distinct) +
                              " different values of " + settings.x +
                              "; a law of 3 parameters needs at least " +
                              std::to_string(kLeastDistinct));
  } else if (fit.has_minimum && fit.minimum.point[1] <= 0.0 &&
             !input.fixed.contains("k")) {
    refuse_identification(result,
                          "no_effect",
                          settings.y + " does not change with " + settings.x +
                              " in these rows: add rows over a wider range of " +
                              settings.x);
  }
  return result;
}

}  // namespace sizewise::fits
