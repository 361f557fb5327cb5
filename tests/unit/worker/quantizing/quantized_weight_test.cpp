#include "quantizing/quantized_weight.hpp"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "quantizing/made_up_weights.hpp"

namespace sizewise::quantizing {
namespace {

using test::error_of;
using test::LayerPlan;
using test::made_numbers;

TEST(QuantizedWeight, FlattensAWeightByOutputChannelAndBack) {
  const at::Tensor weight = torch::arange(2 * 3 * 4 * 5).reshape({2, 3, 4, 5});
  const at::Tensor matrix =
      weight_matrix(weight.to(torch::kDouble), WeightUse::kConvolution);
  EXPECT_EQ(matrix.sizes(), (std::vector<int64_t>{2, 60}));
  EXPECT_EQ(matrix.scalar_type(), torch::kFloat);
  EXPECT_EQ(matrix[1][7].item<float>(), 67.0F);
  EXPECT_TRUE(weight_from_matrix(matrix, {2, 3, 4, 5}, WeightUse::kConvolution)
                  .equal(weight.to(torch::kFloat)));
}

TEST(QuantizedWeight, TurnsATransposedConvolutionsDimensions) {
  const at::Tensor weight = torch::arange(2 * 3 * 4).reshape({2, 3, 4}).to(torch::kFloat);
  const at::Tensor matrix = weight_matrix(weight, WeightUse::kTransposedConvolution);
  EXPECT_EQ(matrix.sizes(), (std::vector<int64_t>{3, 8}));
  EXPECT_TRUE(matrix.is_contiguous());
  EXPECT_TRUE(matrix[1].equal(weight.select(1, 1).reshape({-1})));
  EXPECT_TRUE(weight_from_matrix(matrix, {2, 3, 4}, WeightUse::kTransposedConvolution)
                  .equal(weight));
}

TEST(QuantizedWeight, KeepsNoGradient) {
  const at::Tensor weight = torch::randn({3, 4}, torch::requires_grad());
  EXPECT_FALSE(weight_matrix(weight, WeightUse::kLinear).requires_grad());
}

TEST(QuantizedWeight, DecodesByItsFormula) {
  QuantizedLayer numbers;
  numbers.scheme = Scheme::kAsymmetric;
  numbers.granularity = Granularity::kGroup;
  numbers.group_size = 2;
  numbers.codes = torch::tensor({{1, 2, 3, 4}, {-128, 127, 0, 5}}, torch::kChar);
  numbers.scales = torch::tensor({{0.5F, 2.0F}, {1.0F, 4.0F}});
  numbers.zero_points = torch::tensor({{1, -1}, {127, 5}}, torch::kChar);
  numbers.input_scale = torch::tensor({1.0F, 2.0F, 1.0F, 4.0F});
  EXPECT_TRUE(decoded(numbers).equal(
      torch::tensor({{0.0F, 0.25F, 8.0F, 2.5F}, {-255.0F, 0.0F, -20.0F, 0.0F}})));
  numbers = {};
  numbers.bits = 16;
  numbers.codes = torch::tensor({{1.5F, -2.0F}}).to(torch::kHalf);
  EXPECT_TRUE(decoded(numbers).equal(torch::tensor({{1.5F, -2.0F}})));
}

TEST(QuantizedWeight, AcceptsWhatQuantizersGive) {
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
    for (const auto scheme : {Scheme::kSymmetric, Scheme::kAsymmetric}) {
      LayerPlan plan{4, 12, bits, scheme};
      plan.worst_case = true;
      plan.activation =
          bits == 16 ? ActivationTreatment::kNone : ActivationTreatment::kStatic;
      plan.granularity = Granularity::kGroup;
      plan.group_size = 3;
      check_numbers("fc", made_numbers(plan), 4, 12);
    }
  }
}

struct Fault {
  std::string message;
  std::function<void(QuantizedLayer&)> make;
  int bits = 8;
};

/// Faults of a layer of 4 x 12 weights, groups of 3, asymmetric, static.
std::vector<Fault> faults() {
  const float infinity = std::numeric_limits<float>::infinity();
  return {
      {"the bits of layer 'fc' are 9; allowed: 2 to 8, and 16",
       [](QuantizedLayer& n) {
         n.bits = 9;
       }},
      {"the bits of layer 'fc' are 1; allowed: 2 to 8, and 16",
       [](QuantizedLayer& n) {
         n.bits = 1;
       }},
      {"the codes of layer 'fc' are missing",
       [](QuantizedLayer& n) {
         n.codes.reset();
       }},
      {"the codes of layer 'fc' are Float of shape 4 x 12 on cpu; needed: Char of shape "
       "4 x 12 on cpu",
       [](QuantizedLayer& n) {
         n.codes = n.codes.to(torch::kFloat);
       }},
      {"the codes of layer 'fc' are Char of shape 12 x 4 on cpu; needed: Char of shape 4 "
       "x 12 on cpu",
       [](QuantizedLayer& n) {
         n.codes = n.codes.t();
       }},
      {"the codes of layer 'fc' reach from -8 to 8; 4 bits hold -8 to 7",
       [](QuantizedLayer& n) {
         n.codes[0][0] = 8;
         n.codes[0][1] = -8;
       },
       4},
      {"the codes of layer 'fc' hold a number that is NaN or infinite",
       [infinity](QuantizedLayer& n) {
         n.codes[2][1] = infinity;
       },
       16},
      {"the group_size of layer 'fc' is 5; it must divide the layer's 12 inputs",
       [](QuantizedLayer& n) {
         n.group_size = 5;
       }},
      {"the group_size of layer 'fc' is 0; it must divide the layer's 12 inputs",
       [](QuantizedLayer& n) {
         n.group_size = 0;
       }},
      {"the scales of layer 'fc' are missing",
       [](QuantizedLayer& n) {
         n.scales.reset();
       }},
      {"the scales of layer 'fc' are Float of shape 4 x 1 on cpu; needed: Float of shape "
       "4 x 4 on cpu",
       [](QuantizedLayer& n) {
         n.scales = torch::ones({4, 1});
       }},
      {"the scales of layer 'fc' hold a number that is not finite and above 0",
       [](QuantizedLayer& n) {
         n.scales[1][1] = 0;
       }},
      {"the scales of layer 'fc' hold a number that is not finite and above 0",
       [infinity](QuantizedLayer& n) {
         n.scales[3][3] = infinity;
       }},
      {"the zero points of layer 'fc' are missing",
       [](QuantizedLayer& n) {
         n.zero_points.reset();
       }},
      {"the zero points of layer 'fc' are given although its scheme is symmetric",
       [](QuantizedLayer& n) {
         n.scheme = Scheme::kSymmetric;
       }},
      {"the zero points of layer 'fc' reach from 7 to 20; 4 bits hold -8 to 7",
       [](QuantizedLayer& n) {
         n.zero_points.fill_(7)[0][0] = 20;
       },
       4},
      {"the input scales of layer 'fc' are Float of shape 4 on cpu; needed: Float of "
       "shape 12 on cpu",
       [](QuantizedLayer& n) {
         n.input_scale = torch::ones({4});
       }},
      {"the input scales of layer 'fc' hold a number that is not finite and above 0",
       [](QuantizedLayer& n) {
         n.input_scale = -torch::ones({12});
       }},
      {"the activation scale of layer 'fc' is missing; static quantization needs one",
       [](QuantizedLayer& n) {
         n.activation_scale.reset();
       }},
      {"the activation scale of layer 'fc' is -1; it must be finite and above 0",
       [](QuantizedLayer& n) {
         n.activation_scale = -1.0;
       }},
      {"the activation zero point of layer 'fc' is 256; allowed: 0 to 255",
       [](QuantizedLayer& n) {
         n.activation_zero_point = 256;
       }},
      {"the activation zero point of layer 'fc' is missing; static quantization needs "
       "one",
       [](QuantizedLayer& n) {
         n.activation_zero_point.reset();
       }},
      {"the activation treatment of layer 'fc' quantizes its inputs, but its weight "
       "stays in 16 bits",
       [](QuantizedLayer& n) {
         n.activation = ActivationTreatment::kDynamicPerToken;
       },
       16},
  };
}

TEST(QuantizedWeight, RefusesNumbersThatNoKernelRuns) {
  for (const Fault& fault : faults()) {
    LayerPlan plan{4, 12, fault.bits, Scheme::kAsymmetric};
    plan.granularity = Granularity::kGroup;
    plan.group_size = 3;
    plan.activation =
        fault.bits == 16 ? ActivationTreatment::kNone : ActivationTreatment::kStatic;
    QuantizedLayer numbers = made_numbers(plan);
    fault.make(numbers);
    const Error error = error_of([&] {
      check_numbers("fc", numbers, 4, 12);
    });
    EXPECT_EQ(error.message(), fault.message);
    EXPECT_EQ(error.code(), ErrorCode::kQuantization);
    EXPECT_EQ(error.suggestion(), "correct the quantizer, or exclude 'fc'");
  }
}

}  // namespace
}  // namespace sizewise::quantizing
