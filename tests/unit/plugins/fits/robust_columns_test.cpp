#include "robust_columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "packet_math.hpp"
#include "robust_loss.hpp"

// Fast kernels against a plain reference.

namespace sizewise::fits {
namespace {

constexpr std::size_t kRows = 37;  // no whole number of packets
using Column5 = Eigen::Matrix<double, 5, 1>;

RobustColumns<5> random_columns() {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> weights(kRows);
  for (double& weight : weights) {
    weight = std::fabs(normal(random));
  }
  RobustColumns<5> columns(weights);
  for (std::size_t row = 0; row < kRows; ++row) {
    columns.residual[row] = normal(random);
    for (auto& column : columns.jacobian) {
      column[row] = normal(random);
    }
  }
  return columns;
}

Column5 row_of(const RobustColumns<5>& columns, std::size_t row) {
  Column5 values;
  for (int i = 0; i < 5; ++i) {
    values[i] = columns.jacobian[static_cast<std::size_t>(i)][row];
  }
  return values;
}

TEST(RobustColumns, SumsEqualPlainOnes) {
  const RobustColumns<5> columns = random_columns();
  for (const double delta : {0.3, std::numeric_limits<double>::infinity()}) {
    const RobustLoss loss(delta);
    double value = 0.0;
    Column5 gradient = Column5::Zero();
    Eigen::Matrix<double, 5, 5> hessian = Eigen::Matrix<double, 5, 5>::Zero();
    for (std::size_t row = 0; row < kRows; ++row) {
      const double weight = columns.weight[row];
      const double r = columns.residual[row];
      const Column5 j = row_of(columns, row);
      value += weight * loss.value(r);
      gradient += weight * loss.slope(r) * j;
      hessian += weight * loss.curvature(r) * j * j.transpose();
    }
    const RobustSums<5> sums = robust_sums(columns, columns.residual, delta);
    EXPECT_NEAR(sums.value, value, 1e-13);
    EXPECT_NEAR((sums.gradient - gradient).norm(), 0.0, 1e-12);
    EXPECT_NEAR((sums.hessian - hessian).norm(), 0.0, 1e-12);
    EXPECT_NEAR(robust_value(columns.weight, columns.residual, delta), value, 1e-13);
  }
}

TEST(RobustColumns, ChangesAndSlopesEqualPlainOnes) {
  const RobustColumns<5> columns = random_columns();
  const Column5 step(0.1, -0.2, 0.3, -0.4, 0.5);
  std::vector<double> change;
  residual_change(columns, step, change);
  const RobustLoss loss(0.3);
  double slope = 0.0;
  for (std::size_t row = 0; row < kRows; ++row) {
    EXPECT_NEAR(change[row], row_of(columns, row).dot(step), 1e-15);
    slope += columns.weight[row] * change[row] *
             loss.slope(columns.residual[row] + 0.7 * change[row]);
  }
  EXPECT_NEAR(
      robust_slope(columns.weight, columns.residual, change, 0.3, 0.7), slope, 1e-13);
}

template <std::size_t Width>
void expect_elementary_functions() {
  using P = Packets<Width>;
  for (int i = -2000; i <= 2000; ++i) {
    const double x = 0.35 * i;
    typename P::Packet packet = typename P::Packet{} + x;
    P::exponential(packet);
    const double expected = std::exp(std::clamp(x, -708.0, 709.0));
    EXPECT_NEAR(packet[Width - 1] / expected, 1.0, 1e-15) << x;
    typename P::Packet back = packet;
    P::logarithm(back);
    EXPECT_NEAR(back[0], std::log(packet[0]), 1e-15 * (1.0 + std::fabs(x))) << x;
  }
}

TEST(PacketMath, MeetsTheLibrarysExponentialAndLogarithm) {
  expect_elementary_functions<2>();
  expect_elementary_functions<4>();
  expect_elementary_functions<8>();
}

template <std::size_t Width>
void expect_lanes_of_their_own() {
  using P = Packets<Width>;
  std::array<double, Width> values{};
  std::iota(values.begin(), values.end(), 1.0);
  typename P::Packet packet;
  P::load(packet, values.data());
  EXPECT_EQ(P::sum(packet), 0.5 * Width * (Width + 1)) << Width;
  P::exponential(packet);
  P::logarithm(packet);
  std::array<double, Width> back{};
  P::store(packet, back.data());
  for (std::size_t i = 0; i < Width; ++i) {
    EXPECT_NEAR(back[i], values[i], 1e-14) << Width;
  }
  values[Width - 1] = -1.0;
  P::load(packet, values.data());
  P::logarithm(packet);
  EXPECT_TRUE(std::isnan(packet[Width - 1])) << Width;
  EXPECT_EQ(packet[0], 0.0) << Width;
}

TEST(PacketMath, KeepsLanesApartAtEveryWidth) {
  expect_lanes_of_their_own<2>();
  expect_lanes_of_their_own<4>();
  expect_lanes_of_their_own<8>();
}

}  // namespace
}  // namespace sizewise::fits
