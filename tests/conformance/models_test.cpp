#include <cmath>
#include <optional>
#include <vector>

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "sizewise/model.hpp"

#include "plugin_under_test.hpp"
#include "shipped_plugins.hpp"

namespace sizewise::testing {
namespace {

/// Data of each sort that a model may be for: tokens, images with labels, and numbers.
std::vector<DatasetInfo> sorts_of_data() {
  DatasetInfo numbers = image_data(1, 16, 0);
  numbers.target_shape = {3};
  numbers.target_type = "float32";
  return {token_data(50, 12), image_data(3, 16, 10), numbers};
}

TensorMap random_batch(const DatasetInfo& data) {
  std::vector<int64_t> shape{4};
  shape.insert(shape.end(), data.input_shape.begin(), data.input_shape.end());
  if (data.vocabulary > 0) {
    return {{"input", at::randint(data.vocabulary, shape, at::kLong)}};
  }
  return {{"input", at::randn(shape)}};
}

class ModelConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    size_ = *manifest_of(GetParam()).size;
    for (const DatasetInfo& data : sorts_of_data()) {
      try {
        auto family = make_model_family(GetParam(), data);
        (void)family->create(size_.minimum);
        families_.emplace_back(data, std::move(family));
      } catch (const Error& error) {
        // Not for this sort of data: it must say so as a matter of configuration.
        EXPECT_EQ(error.code(), ErrorCode::kConfiguration) << error.message();
        EXPECT_NE(error.message().find("allowed"), std::string::npos) << error.message();
        EXPECT_FALSE(error.suggestion().empty()) << error.message();
      }
    }
    ASSERT_FALSE(families_.empty()) << GetParam() << " takes no sort of data";
  }

  /// Sizes close together and sizes far apart.
  [[nodiscard]] std::vector<int64_t> sizes() const {
    std::vector<int64_t> sizes;
    for (const int64_t step : {0, 1, 2, 3, 4, 5, 7, 11, 20, 37}) {
      const int64_t size = size_.minimum + step * size_.multiple_of;
      if (size <= size_.maximum) {
        sizes.push_back(size);
      }
    }
    return sizes;
  }

  SizeSpec size_;
  std::vector<std::pair<DatasetInfo, std::shared_ptr<ModelFamily>>> families_;
};

TEST_P(ModelConformance, CountsParametersExactlyAndMoreForALargerSize) {
  for (const auto& [data, family] : families_) {
    int64_t previous = 0;
    for (const int64_t size : sizes()) {
      const auto model = family->create(size);
      const int64_t counted = count_params(model->module());
      EXPECT_EQ(model->num_params(), counted) << "size " << size;
      EXPECT_EQ(family->num_params(size).value_or(counted), counted) << "size " << size;
      EXPECT_GT(counted, previous) << "size " << size;
      previous = counted;
    }
  }
}

TEST_P(ModelConformance, CountsAHugeSizeWithoutAllocatingWhereItCountsAtAll) {
  for (const auto& [data, family] : families_) {
    const std::optional<int64_t> count = family->num_params(size_.maximum);
    if (count) {
      EXPECT_GT(*count, 0) << "overflow?";
    }
  }
}

TEST_P(ModelConformance, DrawsTheSameWeightsFromTheSameSeed) {
  for (const auto& [data, family] : families_) {
    const auto weights_of = [&](uint64_t seed) {
      at::manual_seed(seed);
      return family->create(sizes().at(3));
    };
    const auto one = weights_of(4);
    const auto same = weights_of(4);
    const auto other = weights_of(5);
    bool differs = false;
    const auto expected = one->module().named_parameters();
    for (const auto& item : same->module().named_parameters()) {
      EXPECT_TRUE(at::equal(item.value(), expected[item.key()])) << item.key();
    }
    for (const auto& item : other->module().named_parameters()) {
      differs = differs || !at::equal(item.value(), expected[item.key()]);
    }
    EXPECT_TRUE(differs) << "the seed has no effect";
  }
}

TEST_P(ModelConformance, GivesFiniteOutputsAndEveryParameterAGradient) {
  for (const auto& [data, family] : families_) {
    at::manual_seed(9);
    const auto model = family->create(sizes().at(5));
    at::Tensor sum;
    for (const auto& [name, output] : model->forward(random_batch(data))) {
      EXPECT_TRUE(at::isfinite(output).all().item<bool>()) << name;
      // A plain sum would be blind to what a norm makes constant.
      const at::Tensor part = (output * at::randn(output.sizes())).sum();
      sum = sum.defined() ? sum + part : part;
    }
    sum.backward();
    for (const auto& item : model->module().named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_TRUE(at::isfinite(item.value().grad()).all().item<bool>()) << item.key();
      EXPECT_GT(item.value().grad().abs().max().item<double>(), 0.0) << item.key();
    }
  }
}

TEST_P(ModelConformance, FailsCleanlyAtSizesThatItCannotHave) {
  for (const auto& [data, family] : families_) {
    for (const int64_t size : {int64_t{0}, int64_t{-1}, int64_t{-8}}) {
      EXPECT_NE(error_of([&, &models = family] {
                  (void)models->create(size);
                }).find("configuration: "),
                std::string::npos)
          << size;
    }
    // No machine has the memory: any exception will do.
    EXPECT_ANY_THROW((void)family->create(int64_t{1} << 40U));
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         ModelConformance,
                         ::testing::ValuesIn(shipped_plugins(PluginKind::kModel)),
                         id_of_case);

}  // namespace
}  // namespace sizewise::testing
