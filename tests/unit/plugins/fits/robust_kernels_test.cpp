#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

#include "robust_loss.hpp"

// The library runs the kernels of one width, the machine's; these tests run each that the
// machine can. Its source therefore stands here a second time, in a namespace of its own.
// NOLINTNEXTLINE(readability-identifier-naming): it stands for a namespace
#define fits fits_of_every_width
// NOLINTNEXTLINE(bugprone-suspicious-include): see above
#include "robust_columns.cpp"
#undef fits

namespace sizewise::fits_of_every_width {
namespace {

constexpr int kSize = 5;
constexpr std::size_t kTableRows = 37;  // no whole number of packets
constexpr double kEverything = std::numeric_limits<double>::infinity();

/// Kernels of one width.
struct Kernels {
  int lanes;
  void (*sum_rows)(const Pointers<kSize>&, Sums<kSize>&);
  void (*add_columns)(const Pointers<kSize>&, const double*, double*);
  double (*slope_along)(const Line&);
  double (*value_of)(const Line&);
};

/// Those that this machine runs.
std::vector<Kernels> kernels() {
  std::vector<Kernels> all = {
      {2, sum_rows_2<kSize>, add_columns_2<kSize>, slope_along_2, value_of_2},
      {4, sum_rows_4<kSize>, add_columns_4<kSize>, slope_along_4, value_of_4},
      {8, sum_rows_8<kSize>, add_columns_8<kSize>, slope_along_8, value_of_8}};
#if defined(__x86_64__)
  std::erase_if(all, [](const Kernels& one) {
    return one.lanes > machine_lanes();
  });
#endif
  return all;
}

RobustColumns<kSize> scattered_columns() {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  std::vector<double> weights(kTableRows);
  for (double& weight : weights) {
    weight = std::fabs(normal(random));
  }
  RobustColumns<kSize> columns(weights);
  for (std::size_t row = 0; row < kTableRows; ++row) {
    columns.residual[row] = normal(random);
    for (auto& column : columns.jacobian) {
      column[row] = normal(random);
    }
  }
  return columns;
}

TEST(RobustKernels, SumRowsAlikeAtEveryWidth) {
  const RobustColumns<kSize> columns = scattered_columns();
  for (const double delta : {0.3, kEverything}) {
    Pointers<kSize> rows = pointers_to(columns);
    rows.delta = delta;
    const sizewise::fits::RobustLoss loss(delta);
    Sums<kSize> expected{};
    for (std::size_t row = 0; row < kTableRows; ++row) {
      const double weight = columns.weight[row];
      const double r = columns.residual[row];
      expected.value += weight * loss.value(r);
      for (std::size_t i = 0, cell = 0; i < kSize; ++i) {
        const double by_i = columns.jacobian[i][row];
        expected.gradient[i] += weight * loss.slope(r) * by_i;
        for (std::size_t k = 0; k <= i; ++k, ++cell) {
          expected.hessian[cell] +=
              weight * loss.curvature(r) * by_i * columns.jacobian[k][row];
        }
      }
    }
    for (const Kernels& one : kernels()) {
      Sums<kSize> sums{};
      one.sum_rows(rows, sums);
      EXPECT_NEAR(sums.value, expected.value, 1e-13) << one.lanes;
      for (std::size_t i = 0; i < kSize; ++i) {
        EXPECT_NEAR(sums.gradient[i], expected.gradient[i], 1e-12) << one.lanes;
      }
      for (std::size_t cell = 0; cell < kCells<kSize>; ++cell) {
        EXPECT_NEAR(sums.hessian[cell], expected.hessian[cell], 1e-12) << one.lanes;
      }
    }
  }
}

TEST(RobustKernels, FollowALineAlikeAtEveryWidth) {
  const RobustColumns<kSize> columns = scattered_columns();
  const std::array<double, kSize> step = {0.1, -0.2, 0.3, -0.4, 0.5};
  const sizewise::fits::RobustLoss loss(0.3);
  for (const Kernels& one : kernels()) {
    std::vector<double> change(columns.weight.size());
    one.add_columns(pointers_to(columns), step.data(), change.data());
    double slope = 0.0;
    double value = 0.0;
    for (std::size_t row = 0; row < kTableRows; ++row) {
      double expected = 0.0;
      for (std::size_t i = 0; i < kSize; ++i) {
        expected += step[i] * columns.jacobian[i][row];
      }
      EXPECT_NEAR(change[row], expected, 1e-15) << one.lanes;
      slope += columns.weight[row] * expected *
               loss.slope(columns.residual[row] + 0.7 * expected);
      value += columns.weight[row] * loss.value(columns.residual[row]);
    }
    const Line line{columns.weight.data(),
                    columns.residual.data(),
                    change.data(),
                    columns.weight.size(),
                    0.3,
                    0.7};
    EXPECT_NEAR(one.slope_along(line), slope, 1e-13) << one.lanes;
    EXPECT_NEAR(one.value_of(line), value, 1e-13) << one.lanes;
  }
}

TEST(RobustKernels, LeaveOutRowsPastTheEndOfTheTable) {
  const RobustColumns<kSize> columns = scattered_columns();
  EXPECT_EQ(columns.weight.size() % kMostLanes, 0U);
  const Line line{columns.weight.data(),
                  columns.residual.data(),
                  columns.jacobian[0].data(),
                  columns.weight.size(),
                  kEverything,
                  0.0};
  RobustColumns<kSize> dirty = columns;
  std::fill(dirty.residual.begin() + kTableRows, dirty.residual.end(), 1e3);
  Line with_rest = line;
  with_rest.residual = dirty.residual.data();
  for (const Kernels& one : kernels()) {
    EXPECT_EQ(one.value_of(with_rest), one.value_of(line)) << one.lanes;
    EXPECT_EQ(one.slope_along(with_rest), one.slope_along(line)) << one.lanes;
  }
}

TEST(MachineLanes, ChooseTheKernelOfTheirWidth) {
  using Width = int();
  Width* const two = [] {
    return 2;
  };
  Width* const four = [] {
    return 4;
  };
  Width* const eight = [] {
    return 8;
  };
  EXPECT_EQ(fastest(two, four, eight)(), machine_lanes());
}

}  // namespace
}  // namespace sizewise::fits_of_every_width
