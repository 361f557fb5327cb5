#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include <ceres/jet.h>

#include "robust_columns.hpp"
#include "robust_step.hpp"

namespace sizewise::fits {

/// A number as a formula's type has it, which may be a Jet of Jets.
template <class T>
T constant(double number) {
  if constexpr (std::is_same_v<T, double>) {
    return number;
  } else {
    return T(constant<typename T::Scalar>(number));
  }
}

/// A law as RobustMinimizer takes it, with derivatives by automatic differentiation
/// (Ceres' Jet, twice over).
///
/// Model: `template <class T> T residual(const T* point, std::size_t row) const`,
/// weights(), box(), is_linear(i). It must outlive the problem.
template <int Size, class Model>
class JetProblem {
 public:
  using Point = Eigen::Matrix<double, Size, 1>;

  JetProblem(const Model& model, double delta) : model_(&model), delta_(delta) {}

  [[nodiscard]] JetProblem with_scaled_delta(double delta) const {
    return JetProblem(*model_, delta);
  }
  [[nodiscard]] const std::vector<double>& weights() const { return model_->weights(); }
  [[nodiscard]] double delta() const { return delta_; }
  [[nodiscard]] Box<Size> box() const { return model_->box(); }
  [[nodiscard]] Point reach(const Point& point) const {
    Point reach = Point::Ones();
    for (int i = 0; i < Size; ++i) {
      reach[i] = is_linear(i) ? std::max(std::fabs(point[i]), 1.0) : 1.0;
    }
    return reach;
  }
  [[nodiscard]] Point resolve(const Point& point) const {
    const Box<Size> box = model_->box();
    // What is held has a box of no width.
    return point.cwiseMax(box.lower).cwiseMin(box.upper);
  }
  [[nodiscard]] bool is_linear(int coordinate) const {
    return model_->is_linear(coordinate);
  }

  void linearize(const Point& point,
                 const std::vector<double>* expected,
                 RobustColumns<Size>& columns) const {
    using Inner = ceres::Jet<double, Size>;
    using Outer = ceres::Jet<Inner, Size>;
    Outer coordinates[Size];
    for (int i = 0; i < Size; ++i) {
      coordinates[i] = Outer(Inner(point[i], i), i);
    }
    columns.curvature.setZero();
    for (std::size_t row = 0; row < weights().size(); ++row) {
      const Outer residual = model_->residual(coordinates, row);
      columns.residual[row] = residual.a.a;
      const double size = expected != nullptr ? (*expected)[row] : residual.a.a;
      const double slope = weights()[row] * std::clamp(size, -delta_, delta_);
      for (int i = 0; i < Size; ++i) {
        columns.jacobian[static_cast<std::size_t>(i)][row] = residual.a.v[i];
        columns.curvature.col(i) += slope * residual.v[i].v;
      }
    }
  }

 private:
  const Model* model_;
  double delta_;
};

}  // namespace sizewise::fits
