#include <algorithm>
#include <numeric>
#include <vector>

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/dataset.hpp"
#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

namespace sizewise {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// One tensor under two names, as a language model ties its head to its embedding.
class TiedModule : public torch::nn::Module {
 public:
  TiedModule() {
    const at::Tensor weight = register_parameter("embedding", at::ones({4, 8}));
    register_parameter("head", weight);
    register_parameter("bias", at::ones({3}));
    register_buffer("mask", at::ones({100}));
  }
};

TEST(CountParams, CountsATiedTensorOnceAndNoBuffers) {
  EXPECT_EQ(count_params(TiedModule()), 35);
}

TEST(TensorAt, NamesTheTensorsThatThereAre) {
  const TensorMap batch{{"input", at::ones({2})}, {"target", at::ones({3})}};
  EXPECT_EQ(tensor_at(batch, "target").numel(), 3);
  try {
    (void)tensor_at(batch, "mask");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kPlugin);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("no tensor 'mask'"), HasSubstr("input, target")));
  }
}

TEST(EpochShuffle, VisitsEverySampleOnceInEachEpoch) {
  for (const int64_t samples : {1, 2, 3, 4, 5, 64, 1000, 1023}) {
    const EpochShuffle shuffle(samples, 7);
    for (const int64_t epoch : {0, 1, 5}) {
      std::vector<int64_t> seen;
      for (int64_t i = 0; i < samples; ++i) {
        seen.push_back(shuffle.sample_at(epoch * samples + i));
      }
      std::sort(seen.begin(), seen.end());
      std::vector<int64_t> all(static_cast<std::size_t>(samples));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(seen, all) << samples << " samples, epoch " << epoch;
    }
  }
}

TEST(EpochShuffle, DependsOnSeedAndEpochAlone) {
  constexpr int64_t kSamples = 1000;
  const auto first = [](uint64_t seed, int64_t epoch) {
    const EpochShuffle shuffle(kSamples, seed);
    std::vector<int64_t> order;
    for (int64_t i = 0; i < 50; ++i) {
      order.push_back(shuffle.sample_at(epoch * kSamples + i));
    }
    return order;
  };
  EXPECT_EQ(first(1, 0), first(1, 0));
  EXPECT_NE(first(1, 0), first(2, 0));
  EXPECT_NE(first(1, 0), first(1, 1));
}

TEST(EpochShuffle, RefusesAnEmptySplit) {
  try {
    const EpochShuffle shuffle(0, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("0 samples"));
  }
}

}  // namespace
}  // namespace sizewise
