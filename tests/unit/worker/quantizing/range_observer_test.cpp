#include "quantizing/range_observer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "sizewise/error.hpp"

#include "quantizing/observed_ranges.hpp"

namespace sizewise::quantizing {
namespace {

using test::range_of;
using test::sqnr_db;

const std::vector<ObserverKind> kAllKinds{ObserverKind::kMinMax,
                                          ObserverKind::kMovingAverage,
                                          ObserverKind::kPercentile,
                                          ObserverKind::kMse,
                                          ObserverKind::kEntropy};

class AnyObserver : public ::testing::TestWithParam<ObserverKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds,
                         AnyObserver,
                         ::testing::ValuesIn(kAllKinds),
                         [](const auto& instance) {
                           return std::string(to_string(instance.param));
                         });

TEST_P(AnyObserver, HasItsName) {
  EXPECT_EQ(observer_kind(to_string(GetParam())), GetParam());
}

TEST_P(AnyObserver, SaysNothingOfNothing) {
  const ObservedRange range =
      range_of(GetParam(), {torch::empty({0}), torch::empty({0, 3})});
  EXPECT_EQ(range.minimum, 0.0);
  EXPECT_EQ(range.maximum, 0.0);
}

TEST_P(AnyObserver, PassesOverEmptyTensors) {
  torch::manual_seed(1);
  const at::Tensor values = torch::randn({1000});
  const ObservedRange range =
      range_of(GetParam(), {torch::empty({0, 4}), values, torch::empty({0})});
  const ObservedRange expected = range_of(GetParam(), {values});
  EXPECT_EQ(range.minimum, expected.minimum);
  EXPECT_EQ(range.maximum, expected.maximum);
}

TEST_P(AnyObserver, TakesAnyLayout) {
  torch::manual_seed(1);
  const at::Tensor values = torch::randn({20, 30});
  const ObservedRange range = range_of(GetParam(), {values.t()});
  const ObservedRange expected = range_of(GetParam(), {values.contiguous()});
  EXPECT_EQ(range.minimum, expected.minimum);
  EXPECT_EQ(range.maximum, expected.maximum);
}

TEST_P(AnyObserver, GivesZerosNoRange) {
  const ObservedRange range =
      range_of(GetParam(), {torch::zeros({100}), torch::tensor({-0.0F})});
  EXPECT_EQ(range.minimum, 0.0);
  EXPECT_EQ(range.maximum, 0.0);
  EXPECT_FALSE(std::signbit(range.minimum));
  EXPECT_FALSE(std::signbit(range.maximum));
}

TEST_P(AnyObserver, ReachesFromZeroToAConstant) {
  for (const float constant : {3.25F, -0.007F, 1e38F, -1e-38F, 1e-42F}) {
    const ObservedRange range = range_of(GetParam(), {torch::full({7, 9}, constant)});
    EXPECT_EQ(range.minimum, std::min(constant, 0.0F)) << constant;
    EXPECT_EQ(range.maximum, std::max(constant, 0.0F)) << constant;
  }
}

TEST_P(AnyObserver, HoldsZeroBesideValuesOfOneSign) {
  torch::manual_seed(1);
  const at::Tensor values = torch::rand({5000}) + 1.0;
  const ObservedRange above = range_of(GetParam(), {values});
  EXPECT_EQ(above.minimum, 0.0);
  EXPECT_GT(above.maximum, 1.9);
  EXPECT_LE(above.maximum, 2.0);
  const ObservedRange below = range_of(GetParam(), {-values});
  EXPECT_NEAR(below.minimum, -above.maximum, 0.1);
  EXPECT_EQ(below.maximum, 0.0);
}

TEST_P(AnyObserver, BearsTheFarthestFloats) {
  const at::Tensor values = torch::tensor({-1e38F, 3e38F, 1e-45F, -1e-40F, 1.0F});
  const ObservedRange range = range_of(GetParam(), {values});
  EXPECT_EQ(range.minimum, -1e38F);
  EXPECT_EQ(range.maximum, 3e38F);
}

TEST_P(AnyObserver, DoesNotLookAtTheScaleOfTheValues) {
  torch::manual_seed(1);
  const at::Tensor values = torch::randn({20'000});
  const ObservedRange range = range_of(GetParam(), {values});
  for (const float scale : {0x1p-100F, 0x1p100F}) {
    const ObservedRange scaled = range_of(GetParam(), {values * scale});
    EXPECT_DOUBLE_EQ(scaled.minimum, range.minimum * scale);
    EXPECT_DOUBLE_EQ(scaled.maximum, range.maximum * scale);
  }
}

/// Batches of many sizes and scales, with outliers in some.
std::vector<at::Tensor> batches_of_all_kinds() {
  torch::manual_seed(1);
  std::vector<at::Tensor> batches;
  for (int i = 0; i < 40; ++i) {
    batches.push_back(torch::randn({1 + 97 * i, 3}) * (1.0 + i % 7) + 0.1 * i);
  }
  batches.push_back(torch::full({1}, 700.0));
  batches.push_back(torch::full({3}, -90.0));
  batches.push_back(torch::empty({0, 3}));
  return batches;
}

TEST_P(AnyObserver, DependsOnTheOrderOfBatchesOnlyAsAMovingAverage) {
  std::vector<at::Tensor> batches = batches_of_all_kinds();
  const ObservedRange range = range_of(GetParam(), batches);
  std::mt19937 random(1);
  int same = 0;
  constexpr int kOrders = 10;
  for (int i = 0; i < kOrders; ++i) {
    std::shuffle(batches.begin(), batches.end(), random);
    const ObservedRange other = range_of(GetParam(), batches);
    same += other.minimum == range.minimum && other.maximum == range.maximum ? 1 : 0;
  }
  EXPECT_EQ(same, GetParam() == ObserverKind::kMovingAverage ? 0 : kOrders);
}

TEST(RangeObserver, RefusesOtherNamesWithThoseAllowed) {
  try {
    (void)observer_kind("min_max");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_EQ(error.message(),
              "unknown observer 'min_max'; allowed: minmax, moving_average, percentile, "
              "mse, entropy");
    EXPECT_NE(error.suggestion(), "");
  }
}

TEST(MinMaxObserver, IsExact) {
  std::vector<at::Tensor> batches = batches_of_all_kinds();
  batches.push_back(torch::tensor({0.1F, -91.3F, 700.7F}).reshape({1, 3}));
  const ObservedRange range = range_of(ObserverKind::kMinMax, batches);
  EXPECT_EQ(range.minimum, -91.3F);
  EXPECT_EQ(range.maximum, 700.7F);
}

TEST(MovingAverageObserver, IsAsPyTorchs) {
  // torch.ao.quantization.MovingAverageMinMaxObserver() on the same three batches.
  const ObservedRange range = range_of(ObserverKind::kMovingAverage,
                                       {torch::tensor({-1.0F, 2.0F}),
                                        torch::tensor({-3.0F, 12.0F}),
                                        torch::tensor({0.5F, 1.0F})});
  EXPECT_NEAR(range.minimum, -1.0047999620437622, 1e-6);
  EXPECT_NEAR(range.maximum, 2.0889999866485596, 1e-6);
}

/// 200,000 normal values, and the same with 20 outliers among them.
struct WithOutliers {
  explicit WithOutliers(uint64_t seed) {
    torch::manual_seed(seed);
    bulk = torch::randn({200'000});
    values = bulk.clone();
    values.slice(0, 0, 200'000, 10'000) = torch::randn({20}) * 40.0;
  }
  at::Tensor bulk;
  at::Tensor values;
};

TEST(PercentileObserver, KeepsTheBulkBesideOutliers) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
    const WithOutliers data(seed);
    const ObservedRange range = range_of(ObserverKind::kPercentile, {data.values});
    EXPECT_GE(sqnr_db(data.bulk, range), 38.0) << seed;
    const ObservedRange all = range_of(ObserverKind::kMinMax, {data.values});
    EXPECT_LE(sqnr_db(data.bulk, all), 20.0) << seed;
  }
}

TEST(PercentileObserver, KeepsTheBulkBesideOutliersOnOneSide) {
  for (const double sign : {1.0, -1.0}) {
    WithOutliers data(1);
    data.values.slice(0, 0, 200'000, 10'000) = sign * 1e6;
    const ObservedRange range = range_of(ObserverKind::kPercentile, {data.values});
    EXPECT_GE(sqnr_db(data.bulk, range), 38.0);
  }
}

TEST(PercentileObserver, CutsOneValueInTenThousand) {
  const auto share_outside = [](const at::Tensor& values) {
    const ObservedRange range = range_of(ObserverKind::kPercentile, {values});
    return ((values < range.minimum) | (values > range.maximum)).sum().item<int64_t>();
  };
  torch::manual_seed(1);
  EXPECT_LE(share_outside(torch::randn({300'000})), 30);
  EXPECT_GE(share_outside(torch::randn({300'000})), 25);  // less a bin's others
  EXPECT_LE(share_outside(torch::randn({300'000}).relu()), 30);
  EXPECT_GE(share_outside(torch::randn({300'000}).relu()), 25);
  EXPECT_EQ(share_outside(torch::randn({9'999})), 0);
}

/// The least error over steps and zero points, by trying on the values themselves.
double least_code_error(const at::Tensor& values) {
  const ObservedRange all = range_of(ObserverKind::kMinMax, {values});
  double least = test::code_error(values, all);
  const double longest = (all.maximum - all.minimum) / 255.0;
  for (double step = longest; step > longest / 8.0; step *= 0.97) {
    for (int zero_point = 0; zero_point <= 255;
         zero_point += all.minimum < 0.0 ? 5 : 255) {
      const ObservedRange range{-step * zero_point, step * (255 - zero_point)};
      least = std::min(least, test::code_error(values, range));
    }
  }
  return least;
}

TEST(MseObserver, FindsTheLeastErrorThatTryingFinds) {
  torch::manual_seed(1);
  const at::Tensor normal = torch::randn({4000});
  for (const at::Tensor& values : {normal,
                                   normal.relu(),
                                   normal * normal.abs(),
                                   normal.pow(3) + 2.0,
                                   normal.exp(),
                                   torch::rand({4000}) - 0.2}) {
    const ObservedRange range = range_of(ObserverKind::kMse, {values});
    EXPECT_LE(test::code_error(values, range), 1.02 * least_code_error(values));
  }
}

TEST(MseObserver, IsBetterThanMinMaxWhereTailsAreLong) {
  const WithOutliers data(1);
  EXPECT_GE(sqnr_db(data.values, range_of(ObserverKind::kMse, {data.values})),
            sqnr_db(data.values, range_of(ObserverKind::kMinMax, {data.values})) + 1.0);
}

/// The values of a Laplace distribution at even quantiles.
at::Tensor laplace(int64_t count) {
  const at::Tensor at_quantile =
      (torch::arange(count, torch::kDouble) + 0.5) / count - 0.5;
  return (-at_quantile.sign() * torch::log1p(-2.0 * at_quantile.abs())).to(torch::kFloat);
}

/// The divergence of the first `used` of some bins at `levels` levels, as NVIDIA's
/// pytorch-quantization computes it (_compute_amax_entropy), with onnxruntime's 1e-4 for
/// levels that hold nothing.
double reference_divergence(const std::vector<double>& bins,
                            std::size_t levels,
                            std::size_t used) {
  std::vector<double> expected(bins.begin(), bins.begin() + static_cast<int64_t>(used));
  const double inside = std::accumulate(expected.begin(), expected.end(), 0.0);
  const double total = std::accumulate(bins.begin(), bins.end(), 0.0);
  expected.back() += total - inside;
  std::vector<double> in_level(levels, 0.0);
  std::vector<double> occupied(levels, 0.0);
  for (std::size_t i = 0; i < used; ++i) {
    in_level[i * levels / used] += bins[i];
    occupied[i * levels / used] += expected[i] > 0.0 ? 1.0 : 0.0;
  }
  double divergence = 0.0;
  for (std::size_t i = 0; i < used; ++i) {
    const std::size_t level = i * levels / used;
    const double mean = std::max(in_level[level] / occupied[level], 1e-4);
    if (expected[i] > 0.0) {
      divergence += expected[i] / total * std::log(expected[i] / total * inside / mean);
    }
  }
  return divergence;
}

/// How many times the least divergence that any threshold has an observer's has.
/// @param values of one sign, or symmetric
double times_the_least_divergence(const at::Tensor& values) {
  const ObservedRange range = range_of(ObserverKind::kEntropy, {values});
  const std::size_t levels = range.minimum < 0.0 ? 128 : 256;
  at::Tensor sizes = values.abs();
  sizes = sizes.masked_select(sizes > 0.0);
  const double largest = sizes.max().item<double>();
  const at::Tensor counts = torch::histc(sizes, 2048, 0.0, largest).to(at::kDouble);
  const std::vector<double> bins(counts.const_data_ptr<double>(),
                                 counts.const_data_ptr<double>() + 2048);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t used = levels; used <= 2048; used += 8) {
    least = std::min(least, reference_divergence(bins, levels, used));
  }
  const auto chosen = std::llround(range.maximum / largest * 2048.0);
  return reference_divergence(bins, levels, static_cast<std::size_t>(chosen)) / least;
}

TEST(EntropyObserver, LosesAsLittleAsTheReference) {
  torch::manual_seed(1);
  const at::Tensor normal = torch::randn({200'000});
  // The outermost octave has bins 4 of the even ones wide, so what is lost is estimated.
  for (const at::Tensor& values :
       {laplace(100'001), laplace(1'000'001), normal, normal * normal.abs()}) {
    EXPECT_LE(times_the_least_divergence(torch::cat({values, -values})), 1.1);
    EXPECT_LE(times_the_least_divergence(values.relu()), 1.1);
  }
}

TEST(EntropyObserver, CutsLongTailsOfOneSideAndOfBoth) {
  const at::Tensor values = laplace(1'000'001);
  const double largest = values.max().item<double>();
  const ObservedRange both = range_of(ObserverKind::kEntropy, {values});
  EXPECT_EQ(both.minimum, -both.maximum);
  EXPECT_LT(both.maximum, 0.9 * largest);
  const ObservedRange half = range_of(ObserverKind::kEntropy, {values.relu()});
  EXPECT_EQ(half.minimum, 0.0);
  EXPECT_LT(half.maximum, 0.9 * largest);
}

TEST(EntropyObserver, KeepsMoreOfTheBulkBesideOutliersThanMinMax) {
  const WithOutliers data(1);
  EXPECT_GE(sqnr_db(data.bulk, range_of(ObserverKind::kEntropy, {data.values})), 33.0);
}

}  // namespace
}  // namespace sizewise::quantizing
