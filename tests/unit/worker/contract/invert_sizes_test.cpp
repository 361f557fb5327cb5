#include "contract/invert_sizes.hpp"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::contract {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Le;

SizeSpec spec(int64_t minimum, int64_t maximum, int64_t multiple_of) {
  return {.name = "width",
          .description = "",
          .minimum = minimum,
          .maximum = maximum,
          .multiple_of = multiple_of};
}

int64_t square(int64_t size) {
  return size * size;
}

/// The nearest size by looking at all of them.
int64_t nearest_by_trying(const SizeSpec& sizes, double target) {
  int64_t best = sizes.minimum;
  for (int64_t size = sizes.minimum; size <= sizes.maximum; size += sizes.multiple_of) {
    if (std::abs(std::log(static_cast<double>(square(size)) / target)) <
        std::abs(std::log(static_cast<double>(square(best)) / target))) {
      best = size;
    }
  }
  return best;
}

TEST(InvertSizes, FindsTheSizeThatTryingAllFinds) {
  for (const SizeSpec& sizes : {spec(1, 500, 1), spec(8, 512, 8), spec(5, 103, 7)}) {
    for (int step = 0; step < 56; ++step) {
      const double target = 0.5 * std::pow(1.3, step);
      EXPECT_EQ(invert_sizes(sizes, {target}, &square).front(),
                nearest_by_trying(sizes, target))
          << target;
    }
  }
}

TEST(InvertSizes, AnswersTargetsInTheirOrderAndClampsToTheRange) {
  EXPECT_THAT(invert_sizes(spec(8, 64, 8), {1e9, 1, 24 * 24}, &square),
              ElementsAre(64, 8, 24));
}

TEST(InvertSizes, MeasuresNearnessInLogarithm) {
  // 10^2 and 20^2: the middle in logarithm is 200, not 250.
  EXPECT_THAT(invert_sizes(spec(10, 20, 10), {199, 201}, &square), ElementsAre(10, 20));
}

TEST(InvertSizes, AsksForNoMuchLargerModel) {
  std::set<int64_t> asked;
  const auto watch = [&](int64_t size) {
    asked.insert(size);
    return square(size);
  };
  static_cast<void>(invert_sizes(spec(1, 1'000'000, 1), {100.0 * 100.0}, watch));
  EXPECT_THAT(asked, Each(Le(151)));
  EXPECT_LT(asked.size(), 30U);
}

TEST(InvertSizes, RefusesATargetThatIsNotPositive) {
  EXPECT_THROW(static_cast<void>(invert_sizes(spec(1, 2, 1), {0.0}, &square)), Error);
  EXPECT_THROW(static_cast<void>(invert_sizes(spec(1, 2, 1), {std::nan("")}, &square)),
               Error);
}

TEST(InvertSizes, MakesNoModelFarLargerThanAllowed) {
  std::set<int64_t> made;
  const auto bounded = [&](double largest) {
    made.clear();
    return bounded_params_of_size(
        [](int64_t) {
          return std::optional<int64_t>();
        },
        [&](int64_t size) {
          made.insert(size);
          return square(size);
        },
        largest);
  };
  EXPECT_THAT(invert_sizes(spec(8, 4096, 8), {64 * 64}, bounded(1e6)), ElementsAre(64))
      << "what lies within the bound is found";
  EXPECT_THROW(
      static_cast<void>(invert_sizes(spec(8, 1 << 20U, 8), {1e12}, bounded(1e4))), Error);
  EXPECT_THAT(made, Each(Le(160))) << "half as large again as 100, the largest allowed";
}

TEST(InvertSizes, IsNotBoundWhereNoModelIsMade) {
  const ParamsOfSize known = bounded_params_of_size(
      [](int64_t size) {
        return std::optional<int64_t>(square(size));
      },
      [](int64_t) -> int64_t {
        throw Error(ErrorCode::kInternal, "a model was made");
      },
      1);
  EXPECT_THAT(invert_sizes(spec(8, 4096, 8), {64 * 64}, known), ElementsAre(64));
}

}  // namespace
}  // namespace sizewise::contract
