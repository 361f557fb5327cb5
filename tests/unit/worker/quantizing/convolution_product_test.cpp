#include "quantizing/convolution_product.hpp"

#include <cmath>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "quantizing/convolution_cases.hpp"
#include "quantizing/convolution_routes.hpp"

// That sums are true.
namespace sizewise::quantizing {
namespace {

using test::all_cases;
using test::bias_of;
using test::ConvolutionCase;
using test::kDynamic;
using test::made;
using test::output_shape;
using test::plain;
using test::transposed;
using test::WeightKind;

// One rounding to float, two products and the bias: 4 half units in the last place.
constexpr double kTolerance = 1e-6;

/// {1, channels, 1...}
at::Tensor as_channels(const at::Tensor& bias, int64_t dimensions) {
  std::vector<int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape[1] = bias.size(0);
  return bias.reshape(shape).to(at::kDouble);
}

/// Runs by every route that can, and compares.
void expect_sums(const ConvolutionCase& subject,
                 const QuantizedWeight& weight,
                 const at::Tensor& input,
                 const at::Tensor& values) {
  const std::vector<int64_t> shape = output_shape(subject, input);
  const at::Tensor bias = bias_of(subject);
  const at::Tensor sums =
      test::reference_convolution(values, weight, subject.geometry, shape);
  const at::Tensor with_bias = sums + as_channels(bias, input.dim());
  std::vector routes{ConvolutionRoute::kColumns};
  if (can_run_onednn(weight)) {
    routes.push_back(ConvolutionRoute::kOnednn);
  }
  for (const ConvolutionRoute route : routes) {
    const auto product = make_convolution(weight, route);
    SCOPED_TRACE(subject.name + ", " + product->route());
    const at::Tensor plain_output = product->run(input, std::nullopt, subject.geometry);
    ASSERT_EQ(plain_output.sizes(), at::IntArrayRef(shape));
    EXPECT_EQ(plain_output.scalar_type(), at::kFloat);
    EXPECT_LE(test::relative_error(plain_output, sums), kTolerance);
    const at::Tensor output = product->run(input, bias, subject.geometry);
    EXPECT_LE(test::relative_error(output, with_bias), kTolerance);
  }
}

TEST(ConvolutionProduct, MeetsTheReferenceInEveryGeometry) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    expect_sums(subject, made(subject, {}, kDynamic), input, test::dynamic_values(input));
  }
}

TEST(ConvolutionProduct, MeetsTheReferenceWithZeroPointsOfTheWeight) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    const WeightKind kind{.scheme = Scheme::kAsymmetric};
    expect_sums(
        subject, made(subject, kind, kDynamic), input, test::dynamic_values(input));
  }
}

TEST(ConvolutionProduct, MeetsTheReferenceWithOneScaleForTheWeight) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    const WeightKind kind{.granularity = Granularity::kTensor};
    expect_sums(
        subject, made(subject, kind, kDynamic), input, test::dynamic_values(input));
  }
}

TEST(ConvolutionProduct, MeetsTheReferenceWithWeightsOfFourBits) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    for (const Scheme scheme : {Scheme::kSymmetric, Scheme::kAsymmetric}) {
      const WeightKind kind{.bits = 4, .scheme = scheme};
      expect_sums(
          subject, made(subject, kind, kDynamic), input, test::dynamic_values(input));
    }
  }
}

/// Group sizes that cross the kernel's places, and such that fall within them.
TEST(ConvolutionProduct, MeetsTheReferenceWithAScaleForEachGroup) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    const int64_t rows = subject.weight[subject.geometry.transposed ? 1 : 0];
    const int64_t columns = c10::multiply_integers(subject.weight) / rows;
    for (const int64_t size : {3, 4, 5, 32}) {
      if (columns % size != 0) {
        continue;
      }
      const WeightKind kind{.bits = size == 32 ? 4 : 8,
                            .scheme = Scheme::kAsymmetric,
                            .granularity = Granularity::kGroup,
                            .group_size = size};
      expect_sums(
          subject, made(subject, kind, kDynamic), input, test::dynamic_values(input));
    }
  }
}

TEST(ConvolutionProduct, MeetsTheReferenceWithInputsOfAGivenScale) {
  for (const ConvolutionCase& subject : all_cases()) {
    const at::Tensor input = test::random_input(subject.input);
    expect_sums(subject,
                made(subject, {}, ActivationTreatment::kStatic),
                input,
                test::coded_values(input, 0.02F, 90));
  }
}

TEST(ConvolutionProduct, SaturatesInputsBeyondAGivenScale) {
  const ConvolutionCase subject = test::usual_case();
  const QuantizedWeight weight = made(subject, {}, ActivationTreatment::kStatic);
  at::Tensor input = test::random_input(subject.input);
  input[0][2][4][5] = 1e9F;
  input[1][7][0][0] = -1e30F;
  expect_sums(subject, weight, input, test::coded_values(input, 0.02F, 90));
  at::Tensor held = input.clamp(-90 * 0.02, 165 * 0.02);
  const auto product = make_convolution(weight);
  EXPECT_TRUE(at::equal(product->run(input, std::nullopt, subject.geometry),
                        product->run(held, std::nullopt, subject.geometry)));
}

TEST(ConvolutionProduct, SumsTheLargestCodesExactly) {
  for (const ConvolutionCase& subject :
       {plain("dense", {1, 300, 5, 6}, {40, 300, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
        plain("groups", {1, 64, 5, 6}, {64, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 4),
        plain("depthwise", {1, 64, 5, 6}, {64, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 64),
        transposed(
            plain("transposed", {1, 300, 4, 4}, {300, 9, 4, 4}, {2, 2}, {1, 1}, {1, 1}),
            {0, 0})}) {
    for (const int code : {127, -128}) {
      QuantizedWeight weight = made(subject, {}, ActivationTreatment::kStatic);
      weight.numbers.codes.fill_(code);
      weight.numbers.activation_scale = 1.0;
      weight.numbers.activation_zero_point = 0;
      const at::Tensor input = at::full(subject.input, 255.0);
      expect_sums(subject, weight, input, input.to(at::kDouble));
    }
  }
}

/// The coarsest step of a 16-bit number is 2^-16 of the range: half of it for each input.
TEST(ConvolutionProduct, TakesInputsOfSixteenBitsWhereOnlyWeightsAreQuantized) {
  for (const ConvolutionCase& subject : all_cases()) {
    SCOPED_TRACE(subject.name);
    const at::Tensor input = test::random_input(subject.input);
    const QuantizedWeight weight =
        made(subject, {.scheme = Scheme::kAsymmetric}, ActivationTreatment::kNone);
    const at::Tensor output =
        make_convolution(weight)->run(input, std::nullopt, subject.geometry);
    const at::Tensor exact = test::reference_convolution(
        input.to(at::kDouble), weight, subject.geometry, output.sizes());
    const double step = input.abs().max().item<double>() / 32512.0;
    const at::Tensor allowed =
        test::reference_convolution(at::full(input.sizes(), 0.5 * step, at::kDouble),
                                    weight,
                                    subject.geometry,
                                    output.sizes(),
                                    true);
    const at::Tensor error = (output.to(at::kDouble) - exact).abs();
    const double rounding = kTolerance * exact.abs().max().item<double>();
    EXPECT_LE((error - allowed).max().item<double>(), rounding);
    EXPECT_LE(test::relative_error(output, exact), 1e-4);
  }
}

TEST(ConvolutionProduct, TakesInputsOfSixteenBitsByEveryRoute) {
  const ConvolutionCase subject = test::usual_case();
  const QuantizedWeight weight = made(subject, {}, ActivationTreatment::kNone);
  const at::Tensor input = test::random_input(subject.input);
  const at::Tensor ours = make_convolution(weight, ConvolutionRoute::kColumns)
                              ->run(input, std::nullopt, subject.geometry);
  const at::Tensor chosen =
      make_convolution(
          weight,
          can_run_onednn(weight) ? ConvolutionRoute::kOnednn : ConvolutionRoute::kColumns)
          ->run(input, std::nullopt, subject.geometry);
  EXPECT_LE(test::relative_error(chosen, ours.to(at::kDouble)), kTolerance);
}

TEST(ConvolutionProduct, GivesEachImageItsScaleWherePerToken) {
  for (const ConvolutionCase& subject : all_cases()) {
    SCOPED_TRACE(subject.name);
    const at::Tensor input = test::random_input(subject.input);
    for (int64_t image = 0; image < input.size(0); ++image) {
      input[image].mul_(static_cast<double>(image + 1));
    }
    const auto together =
        make_convolution(made(subject, {}, ActivationTreatment::kDynamicPerToken));
    const auto alone =
        make_convolution(made(subject, {}, kDynamic), ConvolutionRoute::kColumns);
    const at::Tensor output = together->run(input, bias_of(subject), subject.geometry);
    for (int64_t image = 0; image < input.size(0); ++image) {
      const at::Tensor one =
          alone->run(input.narrow(0, image, 1), bias_of(subject), subject.geometry);
      EXPECT_TRUE(at::equal(output.narrow(0, image, 1), one));
    }
  }
}

/// Blocks of rows on several threads, and parts of channels where there are few rows.
TEST(ConvolutionProduct, MeetsTheReferenceWhereWorkIsCut) {
  for (const ConvolutionCase& subject :
       {plain("many rows", {3, 8, 30, 41}, {12, 8, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
        plain("few rows", {1, 24, 3, 3}, {200, 24, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
        plain(
            "few rows, units", {1, 96, 3, 3}, {96, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 96),
        plain("wide rows", {1, 900, 6, 5}, {3, 900, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
        plain("wider than sums of 32 bits",
              {1, 3700, 4, 4},
              {2, 3700, 3, 3},
              {1, 1},
              {1, 1},
              {1, 1})}) {
    const at::Tensor input = test::random_input(subject.input);
    expect_sums(subject, made(subject, {}, kDynamic), input, test::dynamic_values(input));
  }
}

}  // namespace
}  // namespace sizewise::quantizing
