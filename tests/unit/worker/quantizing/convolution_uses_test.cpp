#include <limits>
#include <thread>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "kernels/processor_level.hpp"
#include "quantizing/convolution_cases.hpp"
#include "quantizing/convolution_product.hpp"
#include "quantizing/convolution_routes.hpp"

// Layouts, shapes, threads, and what is refused.
namespace sizewise::quantizing {
namespace {

using test::all_cases;
using test::bias_of;
using test::ConvolutionCase;
using test::kDynamic;
using test::made;
using test::output_shape;
using test::plain;

/// Channels last, every second column of a larger input, and dimensions turned.
TEST(ConvolutionProduct, TakesAnyLayout) {
  for (const ConvolutionCase& subject : all_cases()) {
    SCOPED_TRACE(subject.name);
    const at::Tensor input = test::random_input(subject.input);
    const at::Tensor inside = input.transpose(1, -1).contiguous().transpose(1, -1);
    const at::Tensor sparse = at::full(subject.input, 9.0).repeat_interleave(2, -1);
    const at::Tensor every_second = sparse.slice(-1, 0, std::nullopt, 2);
    every_second.copy_(input);
    std::vector<at::Tensor> layouts{inside, every_second};
    if (input.dim() > 3) {
      layouts.push_back(input.contiguous(input.dim() == 4
                                             ? at::MemoryFormat::ChannelsLast
                                             : at::MemoryFormat::ChannelsLast3d));
    }
    for (const ActivationTreatment activation :
         {kDynamic, ActivationTreatment::kStatic, ActivationTreatment::kNone}) {
      const auto product =
          make_convolution(made(subject, {.scheme = Scheme::kAsymmetric}, activation));
      const at::Tensor expected = product->run(input, bias_of(subject), subject.geometry);
      EXPECT_TRUE(expected.is_contiguous());
      for (const at::Tensor& layout : layouts) {
        const at::Tensor output =
            product->run(layout, bias_of(subject), subject.geometry);
        EXPECT_TRUE(at::equal(output, expected));
        EXPECT_EQ(output.suggest_memory_format(), layout.suggest_memory_format());
      }
    }
  }
}

TEST(ConvolutionProduct, ShapesOutputsOfNothing) {
  for (ConvolutionCase subject : all_cases()) {
    SCOPED_TRACE(subject.name);
    subject.input[0] = 0;
    const at::Tensor input = at::zeros(subject.input);
    for (const ActivationTreatment activation :
         {kDynamic, ActivationTreatment::kDynamicPerToken, ActivationTreatment::kNone}) {
      const auto product = make_convolution(made(subject, {}, activation));
      const at::Tensor output = product->run(input, bias_of(subject), subject.geometry);
      EXPECT_EQ(output.sizes(), at::IntArrayRef(output_shape(subject, input)));
    }
  }
}

TEST(ConvolutionProduct, SeesOnlyThePaddingOfAnInputWithoutPlaces) {
  const ConvolutionCase subject =
      plain("empty rows", {2, 3, 0, 4}, {5, 3, 2, 2}, {1, 1}, {1, 0}, {1, 1});
  const auto product = make_convolution(made(subject, {}, kDynamic));
  const at::Tensor bias = bias_of(subject);
  const at::Tensor output =
      product->run(at::zeros(subject.input), bias, subject.geometry);
  EXPECT_TRUE(at::equal(output, bias.reshape({1, 5, 1, 1}).expand({2, 5, 1, 3})));
}

TEST(ConvolutionProduct, KeepsAWeightForEachGeometry) {
  ConvolutionCase subject = test::usual_case();
  const QuantizedWeight weight = made(subject, {}, kDynamic);
  const at::Tensor input = test::random_input(subject.input);
  const auto product = make_convolution(weight);
  const int64_t codes = product->bytes();
  EXPECT_GE(codes, weight.numbers.codes.numel());
  for (const int64_t stride : {1, 2}) {
    subject.geometry.stride = {stride, stride};
    const at::Tensor output = product->run(input, std::nullopt, subject.geometry);
    const at::Tensor sums = test::reference_convolution(
        test::dynamic_values(input), weight, subject.geometry, output.sizes());
    EXPECT_LE(test::relative_error(output, sums), 1e-6);
  }
  const int64_t bytes = product->bytes();
  EXPECT_GT(bytes, codes);
  static_cast<void>(product->run(input, std::nullopt, subject.geometry));
  EXPECT_EQ(product->bytes(), bytes);
}

TEST(ConvolutionProduct, RunsInSeveralThreadsAtOnce) {
  const ConvolutionCase subject = test::usual_case();
  const at::Tensor input = test::random_input(subject.input);
  const auto product = make_convolution(made(subject, {}, kDynamic));
  std::vector<at::Tensor> outputs(4);
  std::vector<std::thread> threads;
  for (at::Tensor& output : outputs) {
    threads.emplace_back([&] {
      output = product->run(input, bias_of(subject), subject.geometry);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const at::Tensor& output : outputs) {
    EXPECT_TRUE(at::equal(output, outputs[0]));
  }
}

/// Expects an Error of kind quantization that names the layer and holds some text.
template <class Call>
void expect_refused(const std::string& text, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was refused; expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kQuantization);
    EXPECT_THAT(error.message(), testing::HasSubstr("layer 'conv'"));
    EXPECT_THAT(error.message() + error.suggestion(), testing::HasSubstr(text));
  }
}

TEST(ConvolutionProduct, RefusesInputsThatAreNotFinite) {
  const ConvolutionCase subject = test::usual_case();
  for (const ActivationTreatment activation : {kDynamic,
                                               ActivationTreatment::kDynamicPerToken,
                                               ActivationTreatment::kStatic,
                                               ActivationTreatment::kNone}) {
    const auto product = make_convolution(made(subject, {}, activation));
    for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
      at::Tensor input = test::random_input(subject.input);
      input[1][15][8][10] = value;
      expect_refused("not finite", [&] {
        static_cast<void>(product->run(input, std::nullopt, subject.geometry));
      });
    }
  }
}

TEST(ConvolutionProduct, RefusesInputsOfOtherShapes) {
  const ConvolutionCase subject = test::usual_case();
  const auto product = make_convolution(made(subject, {}, kDynamic));
  const auto run = [&](const at::Tensor& input, const ConvolutionGeometry& geometry) {
    static_cast<void>(product->run(input, std::nullopt, geometry));
  };
  expect_refused("16 channels", [&] {
    run(at::zeros({1, 15, 9, 11}), subject.geometry);
  });
  expect_refused("4 dimensions", [&] {
    run(at::zeros({1, 16, 9}), subject.geometry);
  });
  expect_refused("Double", [&] {
    run(at::zeros({1, 16, 9, 9}, at::kDouble), subject.geometry);
  });
  ConvolutionGeometry geometry = subject.geometry;
  geometry.padding = {0, 0};
  expect_refused("too small", [&] {
    run(at::zeros({1, 16, 2, 9}), geometry);
  });
  geometry.stride = {0, 1};
  expect_refused("stride", [&] {
    run(at::zeros({1, 16, 9, 9}), geometry);
  });
  geometry = subject.geometry;
  geometry.groups = 2;
  expect_refused("2 groups do not divide 33", [&] {
    run(at::zeros({1, 32, 9, 9}), geometry);
  });
  geometry = subject.geometry;
  geometry.transposed = true;
  expect_refused("other kind", [&] {
    run(at::zeros({1, 33, 9, 9}), geometry);
  });
}

TEST(ConvolutionProduct, RefusesWeightsThatNoKernelRuns) {
  const ConvolutionCase subject = test::usual_case();
  const QuantizedWeight good = made(subject, {}, ActivationTreatment::kStatic);
  const auto expect = [&](const std::string& text, const auto& spoil) {
    QuantizedWeight weight = good;
    spoil(weight);
    expect_refused(text, [&] {
      static_cast<void>(make_convolution(weight));
    });
  };
  expect("3 bits; allowed: 8 or 4", [](QuantizedWeight& weight) {
    weight.numbers.bits = 3;
  });
  expect("not a convolution's", [](QuantizedWeight& weight) {
    weight.use = WeightUse::kLinear;
  });
  expect("3 or more dimensions", [](QuantizedWeight& weight) {
    weight.shape = {33, 144};
  });
  expect("matrix 33 x 160", [](QuantizedWeight& weight) {
    weight.shape = {33, 160, 1, 1};
  });
  expect("scales", [](QuantizedWeight& weight) {
    weight.numbers.scales = at::full({32, 1}, 1.0);
  });
  expect("scales", [](QuantizedWeight& weight) {
    weight.numbers.scales = at::full({33, 5}, 1.0);
  });
  expect("zero points", [](QuantizedWeight& weight) {
    weight.numbers.zero_points = at::zeros({1, 1}, at::kChar);
  });
  expect("without input scales", [](QuantizedWeight& weight) {
    weight.numbers.input_scale = at::full({144}, 1.0);
  });
  expect("zero point 256", [](QuantizedWeight& weight) {
    weight.numbers.activation_zero_point = 256;
  });
  expect("scale 0", [](QuantizedWeight& weight) {
    weight.numbers.activation_scale = std::nullopt;
  });
}

TEST(ConvolutionProduct, TellsItsRoute) {
  const ConvolutionCase subject = test::usual_case();
  const std::string level(kernels::name_of(kernels::used_level()));
  const QuantizedWeight weight = made(subject, {.bits = 4}, ActivationTreatment::kNone);
  EXPECT_EQ(make_convolution(weight, ConvolutionRoute::kColumns)->route(),
            "int4 " + level + " by columns, inputs of 16 bits");
  const QuantizedWeight dynamic = made(subject, {}, kDynamic);
  EXPECT_EQ(make_convolution(dynamic)->route(),
            choose_route(dynamic, 1) == ConvolutionRoute::kOnednn
                ? "int8 onednn"
                : "int8 " + level + " by columns");
}

}  // namespace
}  // namespace sizewise::quantizing
