#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
    JetProblem other = *this;
    other.delta_ = delta;
    return other;
  }
  /// The same with second derivatives of about so many rows, which stand for all: that
  /// changes how fast a descent ends and not where.
  [[nodiscard]] JetProblem with_curvature_of(std::size_t rows) const {
    JetProblem other = *this;
    other.stride_ = std::max<std::size_t>(1, weights().size() / rows);
    return other;
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
    Inner first[Size];
    Outer second[Size];
    for (int i = 0; i < Size; ++i) {
      first[i] = Inner(point[i], i);
      second[i] = Outer(first[i], i);
    }
    columns.curvature.setZero();
    for (std::size_t row = 0; row < weights().size(); ++row) {
      if (!counts_in_curvature(row)) {
        store(model_->residual(first, row), row, columns);
        continue;
      }
      const Outer residual = model_->residual(second, row);
      store(residual.a, row, columns);
      const double size = expected != nullptr ? (*expected)[row] : residual.a.a;
      const double slope = weights()[row] * std::clamp(size, -delta_, delta_);
      for (int i = 0; i < Size; ++i) {
        columns.curvature.col(i) += slope * residual.v[i].v;
      }
    }
    columns.curvature *= static_cast<double>(stride_);
  }

 private:
  static void store(const ceres::Jet<double, Size>& residual,
                    std::size_t row,
                    RobustColumns<Size>& columns) {
    columns.residual[row] = residual.a;
    for (int i = 0; i < Size; ++i) {
      columns.jacobian[static_cast<std::size_t>(i)][row] = residual.v[i];
    }
  }

  /// Whether a row's second derivatives are taken: a draw by its place, as a table's
  /// order may have a period.
  [[nodiscard]] bool counts_in_curvature(std::size_t row) const {
    constexpr uint64_t kFibonacci = 0x9e3779b97f4a7c15;  // Knuth, volume 3, section 6.4
    return stride_ == 1 || ((row * kFibonacci) >> 32U) % stride_ == 0;
  }

  const Model* model_;
  double delta_;
  std::size_t stride_ = 1;
};

}  // namespace sizewise::fits
