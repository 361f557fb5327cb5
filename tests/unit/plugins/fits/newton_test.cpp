#include "newton.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "robust_loss.hpp"

namespace sizewise::fits {
namespace {

using Point = Eigen::Vector2d;

TEST(MinimizeNewton, SolvesRosenbrockFromItsClassicalStart) {
  const auto rosenbrock = [](const Point& p) {
    LocalModel<2> model;
    const double bend = p[1] - p[0] * p[0];
    model.value = 100 * bend * bend + (1 - p[0]) * (1 - p[0]);
    model.gradient << -400 * p[0] * bend - 2 * (1 - p[0]), 200 * bend;
    model.hessian << 1200 * p[0] * p[0] - 400 * p[1] + 2, -400 * p[0], -400 * p[0], 200;
    model.majorizer = Eigen::Matrix2d::Identity();
    return model;
  };
  const NewtonResult<2> result = minimize_newton<2>(rosenbrock, Point(-1.2, 1.0));
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(result.point[0], 1.0, 1e-9);
  EXPECT_NEAR(result.point[1], 1.0, 1e-9);
}

TEST(MinimizeNewton, LeavesASaddle) {
  // x^4/4 - x^2/2 + y^2/2 + 1: the Hessian is indefinite between the minima at x = +-1.
  const auto saddle = [](const Point& p) {
    LocalModel<2> model;
    model.value = 0.25 * std::pow(p[0], 4) - 0.5 * p[0] * p[0] + 0.5 * p[1] * p[1] + 1.0;
    model.gradient << std::pow(p[0], 3) - p[0], p[1];
    model.hessian << 3 * p[0] * p[0] - 1, 0, 0, 1;
    model.majorizer = Eigen::Matrix2d::Identity();
    return model;
  };
  const NewtonResult<2> result = minimize_newton<2>(saddle, Point(0.1, 2.0));
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(std::fabs(result.point[0]), 1.0, 1e-7);
}

TEST(MinimizeNewton, EndsWhereTheFunctionIsNoNumber) {
  const auto broken = [](const Point&) {
    LocalModel<2> model;
    model.gradient.setZero();
    model.hessian.setZero();
    model.majorizer.setZero();
    return model;
  };
  EXPECT_FALSE(minimize_newton<2>(broken, Point(0, 0)).converged);
}

TEST(RobustLoss, IsHubersWithItsDerivatives) {
  const RobustLoss huber(0.5);
  EXPECT_DOUBLE_EQ(huber.value(0.2), 0.02);
  EXPECT_DOUBLE_EQ(huber.value(-2.0), 0.5 * (2.0 - 0.25));
  for (const double r : {-3.0, -0.4, 0.1, 0.7}) {
    constexpr double kStep = 1e-6;
    EXPECT_NEAR(huber.slope(r),
                (huber.value(r + kStep) - huber.value(r - kStep)) / (2 * kStep),
                1e-8);
    EXPECT_NEAR(huber.curvature(r),
                (huber.slope(r + kStep) - huber.slope(r - kStep)) / (2 * kStep),
                1e-8);
    EXPECT_NEAR(huber.weight(r) * r, huber.slope(r), 1e-15);
  }
}

}  // namespace
}  // namespace sizewise::fits
