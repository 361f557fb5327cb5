#include "kaplan_law.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/LU>

#include "sizewise/error.hpp"

#include "identification.hpp"
#include "jet_fit.hpp"
#include "kaplan_checks.hpp"
#include "number_text.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {
namespace {

/// Minimises sum w (p u + q v - 1)^2 over p and q, each at least a thousandth of what it
/// is alone.
Eigen::Vector2d two_terms(const std::vector<double>& weight,
                          const std::vector<double>& u,
                          const std::vector<double>& v) {
  Eigen::Matrix2d matrix = Eigen::Matrix2d::Zero();
  Eigen::Vector2d vector = Eigen::Vector2d::Zero();
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const Eigen::Vector2d row(u[i], v[i]);
    matrix += weight[i] * row * row.transpose();
    vector += weight[i] * row;
  }
  constexpr double kLeastShare = 1e-3;
  const Eigen::Vector2d alone = vector.cwiseQuotient(matrix.diagonal());
  const Eigen::Vector2d both = matrix.inverse() * vector;
  if (!both.allFinite()) {
    return 0.5 * alone;
  }
  return both.cwiseMax(kLeastShare * alone);
}

}  // namespace

KaplanLaw::KaplanLaw(const LawRows& rows, const std::map<std::string, double>& fixed)
    : rows_(&rows),
      log_unit_(fixed.contains("Nc") || fixed.contains("Dc") ? 0.0 : rows.loss.origin) {
  constexpr double kMostLog = 200.0;
  box_.lower << -kMostLog, -kMostLog, std::log(1e-6), std::log(1e-6);
  box_.upper << kMostLog, kMostLog, std::log(50.0), std::log(50.0);
  for (const auto& [key, value] : fixed) {
    const auto* const found = std::find(kKeys.begin(), kKeys.end(), key);
    if (found == kKeys.end() || !(value > 0.0 && std::isfinite(value))) {
      throw Error(ErrorCode::kConfiguration,
                  "Kaplan's law cannot hold '" + key + "' at " + number_text(value),
                  "hold one of Nc, Dc, aN, aD at a value above 0");
    }
    const auto place = static_cast<Eigen::Index>(found - kKeys.begin());
    const double origin = place == 0   ? rows.params.origin
                          : place == 1 ? rows.tokens.origin
                                       : 0.0;
    box_.lower[place] = box_.upper[place] = std::log(value) - origin;
  }
}

Law KaplanLaw::law(const Point& point) const {
  return {"kaplan",
          {{"Nc",
            std::exp(point[0] + rows_->params.origin + log_unit_ * std::exp(-point[2]))},
           {"Dc",
            std::exp(point[1] + rows_->tokens.origin + log_unit_ * std::exp(-point[3]))},
           {"aN", std::exp(point[2])},
           {"aD", std::exp(point[3])}},
          {}};
}

KaplanLaw::Point KaplanLaw::point_of(const Law& law) const {
  return {std::log(law.value("Nc")) - rows_->params.origin - log_unit_ / law.value("aN"),
          std::log(law.value("Dc")) - rows_->tokens.origin - log_unit_ / law.value("aD"),
          std::log(law.value("aN")),
          std::log(law.value("aD"))};
}

Eigen::Matrix4d KaplanLaw::table_units(const Point& point) const {
  const Law there = law(point);
  Eigen::Matrix4d units = Eigen::Matrix4d::Zero();
  for (int i = 0; i < 4; ++i) {
    units(i, i) = there.value(kKeys[static_cast<std::size_t>(i)]);
  }
  // ln Nc holds log_unit / aN, ln Dc log_unit / aD.
  units(0, 2) = -units(0, 0) * log_unit_ / units(2, 2);
  units(1, 3) = -units(1, 1) * log_unit_ / units(3, 3);
  return units;
}

std::vector<int> KaplanLaw::free_coordinates(const Point& /*point*/) const {
  std::vector<int> free;
  for (int i = 0; i < 4; ++i) {
    if (box_.lower[i] < box_.upper[i]) {
      free.push_back(i);
    }
  }
  return free;
}

std::vector<double> KaplanLaw::deviations(double noise) const {
  std::vector<double> all(rows_->size(), noise);
  return all;
}

std::vector<KaplanLaw::Point> KaplanLaw::starts() const {
  std::vector<Point> points;
  for (const double data : {0.03, 0.1, 0.3, 1.0}) {
    for (const double size : {0.03, 0.1, 0.3, 1.0}) {
      const double rate = size / data;
      std::vector<double> u;
      std::vector<double> v;
      for (std::size_t i = 0; i < rows_->size(); ++i) {
        const double unit = (rows_->z[i] + rows_->loss.origin - log_unit_) / data;
        u.push_back(std::exp(-rate * rows_->x[i] * rows_->params.scale - unit));
        v.push_back(std::exp(-rows_->y[i] * rows_->tokens.scale - unit));
      }
      const Eigen::Vector2d terms = two_terms(rows_->weight, u, v);
      const Point point(
          std::log(terms[0]) / rate, std::log(terms[1]), std::log(size), std::log(data));
      if (point.allFinite()) {
        points.push_back(point);
      }
    }
  }
  return points;
}

namespace {

Search<4> find_kaplan(const FitInput& input,
                      const RobustSettings& settings,
                      const KaplanLaw& law,
                      const LawRows& rows) {
  const bool is_warm = input.warm_start != nullptr &&
                       input.warm_start->law.form == "kaplan" &&
                       law.point_of(input.warm_start->law).allFinite();
  if (is_warm) {
    return search_jet_law<4>(law, law, settings, {law.point_of(input.warm_start->law)});
  }
  const LawRows few = sampled(rows, kSearchRows);
  const KaplanLaw sample = law.on(few);
  return search_jet_law<4>(law, sample, settings, sample.starts());
}

}  // namespace

FitResult fit_kaplan_law(const FitInput& input, const RobustSettings& settings) {
  const LawRows rows = law_rows(input);
  const KaplanLaw law(rows, input.fixed);
  JetFit<4> fit =
      fit_jet_law<4>(input, settings, law, find_kaplan(input, settings, law, rows));
  FitResult& result = fit.result;
  judge_row_count(rows, KaplanLaw::kKeys.size(), result);
  if (fit.has_minimum) {
    const double of_size = result.law.value("aN");
    const double of_data = result.law.value("aD");
    result.a = of_data / (of_size + of_data);
    result.b = of_size / (of_size + of_data);
    if (input.warm_start == nullptr && input.fixed.empty()) {
      judge_kaplan_law(
          rows, law, fit.minimum.point, settings.working_delta(), input.noise, result);
    }
    for (const char* key : {"aN", "aD"}) {
      if (!(result.law.value(key) < 1.0)) {
        refuse_identification(result,
                              "exponent_out_of_range",
                              std::string(key) + " is " +
                                  number_text(result.law.value(key)) +
                                  "; a law's lies between 0 and 1: add rows over a wider "
                                  "range of params and tokens");
      }
    }
  }
  return result;
}

}  // namespace sizewise::fits
