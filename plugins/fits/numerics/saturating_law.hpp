#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sizewise/fit.hpp"

#include "jet_problem.hpp"
#include "law_columns.hpp"
#include "robust_settings.hpp"
#include "robust_step.hpp"

namespace sizewise::fits {

/// y = y_inf + k x^-a for two columns: y_inf and the power at the middle of the rows
/// (both at least 0, in units of the middle y), and a over the range of ln x, of either
/// sign.
class SaturatingLaw {
 public:
  using Point = Eigen::Matrix<double, 3, 1>;
  static constexpr std::array<const char*, 3> kKeys = {"y_inf", "k", "a"};

  /// Values of x and y above 0. @throws Error kConfiguration where `fixed` names another
  /// value, a negative one, or one that is not finite
  SaturatingLaw(const std::vector<double>& x,
                const std::vector<double>& y,
                std::vector<double> weights,
                ResidualKind kind,
                const std::map<std::string, double>& fixed);

  /// The same law on at most so many of its rows: every k-th in the order of x and y.
  [[nodiscard]] SaturatingLaw sampled(std::size_t most) const;

  [[nodiscard]] const std::vector<double>& weights() const { return weights_; }
  [[nodiscard]] const Box<3>& box() const { return box_; }
  [[nodiscard]] bool is_linear(int coordinate) const { return coordinate < 2; }

  template <class T>
  T residual(const T* p, std::size_t row) const {
    using std::exp;
    using std::log;
    const T size =
        is_k_held_ ? exp(constant<T>(log_k_) - p[2] * constant<T>(middle_)) : p[1];
    const T predicted = p[0] + size * exp(-p[2] * constant<T>(x_[row]));
    return kind_ == ResidualKind::kLog ? log(predicted) - constant<T>(std::log(y_[row]))
                                       : predicted - constant<T>(y_[row]);
  }

  /// What a linear residual was divided by.
  [[nodiscard]] double unit() const { return unit_; }
  [[nodiscard]] Law law(const Point& point) const;
  [[nodiscard]] Point point_of(const Law& law) const;
  [[nodiscard]] Eigen::Matrix3d table_units(const Point& point) const;
  [[nodiscard]] std::vector<int> free_coordinates(const Point& point) const;
  [[nodiscard]] std::vector<double> deviations(double noise) const;
  /// For each of some exponents of either sign y_inf and k by least squares.
  [[nodiscard]] std::vector<Point> starts() const;

 private:
  std::vector<double> x_;  // (ln x - origin) / range, -1/2 to 1/2
  std::vector<double> y_;  // y / unit
  std::vector<double> weights_;
  ResidualKind kind_;
  double origin_ = 0.0;
  double range_ = 1.0;
  double unit_ = 1.0;
  bool is_k_held_ = false;
  double log_k_ = 0.0;
  double middle_ = 0.0;  // origin / range
  Box<3> box_;
};

/// How it is fitted, and to which columns.
struct SaturatingSettings : RobustSettings {
  std::string x;
  std::string y;
  ResidualKind residual = ResidualKind::kLog;
};

/// Fits y = y_inf + k x^-a.
/// @throws Error kInput where a column is missing, no row counts, or one holds a value
/// not finite and above 0; kConfiguration as SaturatingLaw does
[[nodiscard]] FitResult fit_saturating_law(const FitInput& input,
                                           const SaturatingSettings& settings);

}  // namespace sizewise::fits
