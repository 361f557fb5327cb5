#include "quantizing/weight_error.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "quantizing/per_channel_coding.hpp"
#include "quantizing/quantized_weight.hpp"

namespace sizewise::quantizing {
namespace {

TEST(WeightSqnr, IsThatOfTheDecodedWeight) {
  at::manual_seed(4);
  const at::Tensor weight = at::randn({13, 48}) * 0.02;
  const auto expect_ratio = [&](const QuantizedLayer& numbers) {
    const at::Tensor error = (weight - decoded(numbers)).to(at::kDouble);
    const double expected =
        10.0 * std::log10((weight.to(at::kDouble).square().sum() / error.square().sum())
                              .item<double>());
    EXPECT_NEAR(weight_sqnr_db(weight, numbers), expected, 1e-3);
  };
  LayerView view;
  view.weight = weight;
  for (const char* granularity : {"tensor", "channel", "group"}) {
    for (const char* scheme : {"symmetric", "asymmetric"}) {
      Options options;
      options.set("granularity", std::string(granularity));
      options.set("scheme", std::string(scheme));
      if (granularity == std::string("group")) {
        options.set("group_size", int64_t{16});
      }
      options.set("bits", int64_t{4});
      QuantizedLayer numbers = PerChannel(options).quantize(view);
      expect_ratio(numbers);
      numbers.input_scale = at::rand({48}) + 0.5;
      expect_ratio(numbers);
    }
  }
  for (const char* half : {"bfloat16", "float16"}) {
    Options options;
    options.set("bits", int64_t{16});
    options.set("half_type", std::string(half));
    expect_ratio(PerChannel(options).quantize(view));
  }
}

TEST(WeightSqnr, IsInfiniteWhereNothingIsLost) {
  LayerView view;
  view.weight = at::zeros({4, 16});
  EXPECT_EQ(weight_sqnr_db(view.weight, PerChannel().quantize(view)),
            std::numeric_limits<double>::infinity());
}

TEST(WeightSqnr, IsRightForWeightsOfAnySize) {
  at::manual_seed(5);
  LayerView view;
  const at::Tensor weight = at::randn({8, 64});
  view.weight = weight;
  const double expected = weight_sqnr_db(view.weight, PerChannel().quantize(view));
  for (const double size : {1e-30, 1e30}) {
    view.weight = weight * size;
    EXPECT_NEAR(weight_sqnr_db(view.weight, PerChannel().quantize(view)), expected, 0.1);
  }
}

}  // namespace
}  // namespace sizewise::quantizing
