#include "robust_minimizer.hpp"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "jet_problem.hpp"
#include "robust_loss.hpp"

namespace sizewise::fits {
namespace {

using Point = Eigen::Vector3d;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A formula of three coordinates with one residual a row.
template <class Formula>
struct Model {
  /// The first of them are linear.
  int linear = 0;
  Formula formula;
  std::vector<double> weight;
  Box<3> limits;
  template <class T>
  T residual(const T* p, std::size_t row) const {
    return formula(p, static_cast<double>(row));
  }
  [[nodiscard]] const std::vector<double>& weights() const { return weight; }
  [[nodiscard]] Box<3> box() const { return limits; }
  [[nodiscard]] bool is_linear(int i) const { return i < linear; }
};

template <class Formula>
RobustMinimum<3> minimum_of(const Formula& formula,
                            std::size_t rows,
                            double delta,
                            const Point& start,
                            const Box<3>& box = {},
                            int linear = 0) {
  const Model<Formula> model{linear, formula, std::vector<double>(rows, 1.0), box};
  const JetProblem<3, Model<Formula>> problem(model, delta);
  return RobustMinimizer<3, JetProblem<3, Model<Formula>>>(problem).descend(start);
}

TEST(RobustMinimizer, SolvesRosenbrockFromItsClassicalStart) {
  const auto rosenbrock = [](const auto* p, double row) {
    using T = std::decay_t<decltype(p[0])>;
    return row == 0.0   ? constant<T>(10.0) * (p[1] - p[0] * p[0])
           : row == 1.0 ? constant<T>(1.0) - p[0]
                        : p[2];
  };
  const RobustMinimum<3> found =
      minimum_of(rosenbrock, 3, kInfinity, Point(-1.2, 1.0, 3.0));
  EXPECT_TRUE(found.converged);
  EXPECT_NEAR((found.point - Point(1.0, 1.0, 0.0)).norm(), 0.0, 1e-9);
}

TEST(RobustMinimizer, MeetsTheMedianWhereDeltaIsSmall) {
  const std::vector<double> values = {0.0, 0.1, 0.2, 5.0, 9.0};
  const auto distance = [&values](const auto* p, double row) {
    using T = std::decay_t<decltype(p[0])>;
    return p[0] - constant<T>(values[static_cast<std::size_t>(row)]);
  };
  const RobustMinimum<3> found =
      minimum_of(distance, values.size(), 1e-6, Point(7.0, 0.0, 0.0));
  EXPECT_TRUE(found.converged);
  EXPECT_NEAR(found.point[0], 0.2, 1e-6);
}

TEST(RobustMinimizer, StopsAtBoundsThatTheMinimumLiesBeyond) {
  const auto towards = [](const auto* p, double row) {
    using T = std::decay_t<decltype(p[0])>;
    return p[static_cast<int>(row)] - constant<T>(2.0);
  };
  Box<3> box;
  box.upper[0] = 1.0;
  box.lower[1] = 3.0;
  const RobustMinimum<3> found =
      minimum_of(towards, 3, kInfinity, Point(0.0, 9.0, 0.0), box);
  EXPECT_TRUE(found.converged);
  EXPECT_EQ(found.point[0], 1.0);
  EXPECT_EQ(found.point[1], 3.0);
  EXPECT_NEAR(found.point[2], 2.0, 1e-9);
}

TEST(RobustMinimizer, FollowsACurvedValleyOfFewRows) {
  // Two of three rows can be met exactly, along a curve; the third leads along it.
  const auto valley = [](const auto* p, double row) {
    using std::exp;
    using T = std::decay_t<decltype(p[0])>;
    return row == 0.0   ? p[0] - exp(p[2])
           : row == 1.0 ? p[1] - exp(-p[2])
                        : constant<T>(0.1) * (p[2] - constant<T>(4.0));
  };
  const RobustMinimum<3> found = minimum_of(valley, 3, 1e-4, Point(1.0, 1.0, 0.0), {}, 2);
  EXPECT_TRUE(found.converged);
  EXPECT_NEAR(found.point[2], 4.0, 1e-8);
  EXPECT_LT(found.evaluations, 60);
}

TEST(LeastAlong, FindsWhereASlopeVanishesOrTheLineEnds) {
  const auto slope_at = [](double t) {
    return t < 3.0 ? -1.0 : 10.0 * (t - 3.0) - 0.01;
  };
  EXPECT_NEAR(least_along(slope_at, -1.0, kInfinity), 3.0, 0.01);
  EXPECT_EQ(least_along(slope_at, -1.0, 2.0), 2.0);
}

TEST(RobustLoss, HasThePublishedFormAndItsDerivatives) {
  const RobustLoss loss(0.5);
  EXPECT_DOUBLE_EQ(loss.value(0.2), 0.02);
  EXPECT_DOUBLE_EQ(loss.value(-2.0), 0.5 * (2.0 - 0.25));
  EXPECT_DOUBLE_EQ(loss.slope(-2.0), -0.5);
  EXPECT_DOUBLE_EQ(loss.curvature(0.1), 1.0);
  EXPECT_DOUBLE_EQ(loss.curvature(0.6), 0.0);
  const RobustLoss squared(kInfinity);
  EXPECT_DOUBLE_EQ(squared.value(-3.0), 4.5);
}

}  // namespace
}  // namespace sizewise::fits
