#pragma once

#include <array>
#include <vector>

#include "sizewise/fit.hpp"

#include "jet_problem.hpp"
#include "law_rows.hpp"
#include "robust_settings.hpp"
#include "robust_step.hpp"

namespace sizewise::fits {

/// L = ((Nc/N)^(aN/aD) + Dc/D)^aD in the logarithms of its four values; residuals are of
/// ln L. Nc and Dc are those of losses in units of a middle one, over the smallest N and
/// D, so that nothing depends on the table's units; where one is held, of the losses as
/// they are. Source: Kaplan et al. 2020
/// (arXiv 2001.08361), equation 1.5.
class KaplanLaw {
 public:
  using Point = Eigen::Matrix<double, 4, 1>;
  static constexpr std::array<const char*, 4> kKeys = {"Nc", "Dc", "aN", "aD"};

  /// @throws Error kConfiguration where `fixed` names another value, or one not above 0
  KaplanLaw(const LawRows& rows, const std::map<std::string, double>& fixed);

  /// The same law on other rows of the same axes.
  [[nodiscard]] KaplanLaw on(const LawRows& rows) const {
    KaplanLaw other = *this;
    other.rows_ = &rows;
    return other;
  }

  [[nodiscard]] const std::vector<double>& weights() const { return rows_->weight; }
  [[nodiscard]] const Box<4>& box() const { return box_; }
  [[nodiscard]] bool is_linear(int /*coordinate*/) const { return false; }

  template <class T>
  T residual(const T* p, std::size_t row) const {
    using std::exp;
    using std::log;
    const T rate = exp(p[2] - p[3]);
    const T of_size = rate * (p[0] - constant<T>(rows_->x[row] * rows_->params.scale));
    const T of_data = p[1] - constant<T>(rows_->y[row] * rows_->tokens.scale);
    // ln(e^a + e^b) without overflow.
    const bool is_size = of_size > of_data;
    const T larger = is_size ? of_size : of_data;
    const T smaller = is_size ? of_data : of_size;
    return exp(p[3]) * (larger + log(constant<T>(1.0) + exp(smaller - larger))) -
           constant<T>(rows_->z[row] + rows_->loss.origin - log_unit_);
  }

  [[nodiscard]] Law law(const Point& point) const;
  [[nodiscard]] Point point_of(const Law& law) const;
  [[nodiscard]] Eigen::Matrix4d table_units(const Point& point) const;
  [[nodiscard]] std::vector<int> free_coordinates(const Point& point) const;
  [[nodiscard]] std::vector<double> deviations(double noise) const;
  /// For pairs of exponents the sizes of both terms by least squares on L^(1/aD).
  [[nodiscard]] std::vector<Point> starts() const;

 private:
  const LawRows* rows_;
  double log_unit_;  ///< of the loss
  Box<4> box_;
};

/// Fits it. @throws Error as law_rows() and KaplanLaw do
[[nodiscard]] FitResult fit_kaplan_law(const FitInput& input,
                                       const RobustSettings& settings);

}  // namespace sizewise::fits
