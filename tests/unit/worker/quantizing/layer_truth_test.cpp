#include <cmath>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "quantizing/made_up_weights.hpp"

// Layers against their formula in int64 and double. These run again in processes whose
// environment caps the processor's level (CMakeLists.txt).
namespace sizewise::quantizing {
namespace {

using test::LayerPlan;
using test::made_weight;

// Sums are exact; what is left are roundings of floats, relative to the largest output.
constexpr double kInt8Tolerance = 1e-6;
// One more rounding for each group: 256 of them here.
constexpr double kInt4Tolerance = 4e-6;

/// Inputs as their codes stand for them, by the definition of each treatment, in double.
at::Tensor coded_input(const QuantizedLayer& numbers, const at::Tensor& x) {
  const auto coded = [](const at::Tensor& values, double scale, int64_t zero_point) {
    const at::Tensor codes = (values / static_cast<float>(scale)).round() + zero_point;
    return (codes.clamp(0, 255) - zero_point).to(torch::kDouble) * scale;
  };
  const auto symmetric = [&](const at::Tensor& values) {
    const auto most = values.abs().max().item<float>();
    return coded(values, most == 0.0F ? 1.0F : most / 127.0F, 128);
  };
  switch (numbers.activation) {
    case ActivationTreatment::kNone:
      return x.to(torch::kDouble);
    case ActivationTreatment::kStatic:
      return coded(x,
                   static_cast<float>(numbers.activation_scale.value()),
                   numbers.activation_zero_point.value());
    case ActivationTreatment::kDynamicPerToken: {
      std::vector<at::Tensor> rows;
      for (const at::Tensor& row : x.unbind(0)) {
        rows.push_back(symmetric(row));
      }
      return torch::stack(rows);
    }
    case ActivationTreatment::kDynamicPerTensor:
      break;
  }
  if (numbers.bits <= 4) {
    return symmetric(x);
  }
  const float low = std::min(0.0F, x.min().item<float>());
  const float high = std::max(0.0F, x.max().item<float>());
  const float scale = high == low ? 1.0F : (high - low) / 255.0F;
  return coded(x, scale, static_cast<int64_t>(std::nearbyint(0.0F - low / scale)));
}

/// The weight in double, so that sums below 2^53 are as exact as in int64.
at::Tensor weight_of(const QuantizedLayer& numbers) {
  const int64_t columns = numbers.codes.size(1);
  const auto spread = [&](const at::Tensor& values) {
    return values.to(torch::kDouble).repeat_interleave(columns / values.size(1), 1);
  };
  at::Tensor weight = numbers.codes.to(torch::kDouble);
  if (numbers.zero_points.defined()) {
    weight = weight - spread(numbers.zero_points);
  }
  return weight * spread(numbers.scales);
}

/// How far each output may be off: by roundings, and of weights alone by what the codes
/// of 16 bits lose, half a step of each input.
at::Tensor allowed_error(const QuantizedLayer& numbers,
                         const at::Tensor& x,
                         const at::Tensor& weight,
                         const at::Tensor& expected) {
  const double tolerance = numbers.bits > 4 ? kInt8Tolerance : kInt4Tolerance;
  const at::Tensor roundings =
      (tolerance * expected.abs().max()).expand_as(expected).clone();
  if (numbers.activation != ActivationTreatment::kNone) {
    return roundings;
  }
  const at::Tensor step = x.abs().amax(1, true).to(torch::kDouble) / 32512;
  return roundings + step / 2 * weight.abs().sum(1).unsqueeze(0);
}

/// Inputs of all kinds: random, all at an end, one-sided, a row of zeros.
std::vector<at::Tensor> made_inputs(int64_t rows, int64_t columns) {
  at::Tensor mixed = torch::randn({rows, columns});
  mixed[rows / 2].zero_();
  return {mixed,
          torch::full({rows, columns}, 3.1),
          -torch::rand({rows, columns}),
          torch::randint(0, 2, {rows, columns}).to(torch::kFloat) * 4 - 2};
}

void expect_truth(const LayerPlan& plan, int64_t rows) {
  const QuantizedWeight weight = made_weight(plan);
  const auto kernel = make_kernel(weight);
  const at::Tensor bias = torch::randn({plan.channels});
  const at::Tensor matrix = weight_of(weight.numbers);
  for (const at::Tensor& x : made_inputs(rows, plan.columns)) {
    const at::Tensor expected =
        coded_input(weight.numbers, x).matmul(matrix.t()) + bias.to(torch::kDouble);
    const at::Tensor output = kernel->linear(x, bias);
    ASSERT_EQ(output.scalar_type(), torch::kFloat);
    const at::Tensor error = (output.to(torch::kDouble) - expected).abs();
    const at::Tensor allowed = allowed_error(weight.numbers, x, matrix, expected);
    EXPECT_TRUE((error <= allowed).all().item<bool>())
        << rows << " x " << plan.columns << " x " << plan.channels << ", "
        << kernel->route() << ": off by " << (error / allowed).max().item<double>()
        << " of what is allowed";
  }
}

struct Size {
  int64_t rows;
  int64_t columns;
  int64_t channels;
};

/// Every scheme, granularity and treatment, of one number of bits.
void expect_truth_of(int bits, const std::vector<Size>& sizes, bool worst_case) {
  for (const auto activation : {ActivationTreatment::kNone,
                                ActivationTreatment::kDynamicPerTensor,
                                ActivationTreatment::kDynamicPerToken,
                                ActivationTreatment::kStatic}) {
    for (const auto scheme : {Scheme::kSymmetric, Scheme::kAsymmetric}) {
      for (const int64_t group_size : {-1, 0, 7, 16, 48}) {
        for (const Size& size : sizes) {
          if (group_size > 0 && size.columns % group_size != 0) {
            continue;
          }
          LayerPlan plan{size.channels, size.columns, bits, scheme};
          plan.granularity = group_size < 0    ? Granularity::kTensor
                             : group_size == 0 ? Granularity::kChannel
                                               : Granularity::kGroup;
          plan.group_size = std::max<int64_t>(group_size, 0);
          plan.activation = activation;
          plan.worst_case = worst_case;
          expect_truth(plan, size.rows);
        }
      }
    }
  }
}

// 7 and 16 divide 336, 48 does too; 77 and 33 nothing.
const std::vector<Size> kSizes{{1, 336, 70}, {3, 77, 33}, {1, 1, 1}, {37, 336, 130}};

TEST(LayerTruth, Int8IsExact) {
  torch::manual_seed(1);
  expect_truth_of(8, kSizes, false);
}

TEST(LayerTruth, Int8IsExactInTheWorstCase) {
  torch::manual_seed(2);
  expect_truth_of(8, {{1, 336, 70}, {17, 4096, 65}}, true);
}

TEST(LayerTruth, Int4IsExact) {
  torch::manual_seed(3);
  expect_truth_of(4, kSizes, false);
}

TEST(LayerTruth, Int4IsExactInTheWorstCase) {
  torch::manual_seed(4);
  expect_truth_of(4, {{1, 336, 70}, {17, 4096, 65}}, true);
}

TEST(LayerTruth, OtherBitsAreExact) {
  torch::manual_seed(5);
  for (const int bits : {2, 3, 5, 6, 7}) {
    expect_truth_of(bits, {{2, 96, 17}}, false);
  }
}

TEST(LayerTruth, HoldsForManyRowsWhereAnotherLibraryMayRun) {
  torch::manual_seed(6);
  LayerPlan plan{300, 600};
  for (const auto activation : {ActivationTreatment::kDynamicPerToken,
                                ActivationTreatment::kDynamicPerTensor,
                                ActivationTreatment::kStatic,
                                ActivationTreatment::kNone}) {
    plan.activation = activation;
    expect_truth(plan, 400);
    plan.worst_case = !plan.worst_case;
    expect_truth(plan, 400);
  }
}

TEST(LayerTruth, BitsAreTheSameAgainAndWithAnyThreads) {
  torch::manual_seed(7);
  const int threads = at::get_num_threads();
  for (const int bits : {4, 8}) {
    for (const int64_t rows : {1, 40}) {
      const auto kernel = test::made_kernel({330, 2048, bits});
      const at::Tensor x = torch::randn({rows, 2048});
      at::set_num_threads(1);
      const at::Tensor one = kernel->linear(x, std::nullopt);
      EXPECT_TRUE(kernel->linear(x, std::nullopt).equal(one)) << kernel->route();
      at::set_num_threads(2);
      EXPECT_TRUE(kernel->linear(x, std::nullopt).equal(one)) << kernel->route();
      EXPECT_TRUE(kernel->dense().equal(kernel->dense()));
      at::set_num_threads(threads);
    }
  }
}

TEST(LayerTruth, ARowsResultDoesNotDependOnOthers) {
  torch::manual_seed(8);
  for (const int bits : {4, 8}) {
    for (const auto activation : {ActivationTreatment::kDynamicPerToken,
                                  ActivationTreatment::kStatic,
                                  ActivationTreatment::kNone}) {
      LayerPlan plan{200, 640, bits};
      plan.activation = activation;
      const auto kernel = test::made_kernel(plan);
      const at::Tensor x = torch::randn({300, 640});
      const at::Tensor together = kernel->linear(x, std::nullopt);
      for (const int64_t row : {0, 150, 299}) {
        EXPECT_TRUE(kernel->linear(x.narrow(0, row, 1), std::nullopt)
                        .equal(together.narrow(0, row, 1)))
            << kernel->route();
      }
    }
  }
}

}  // namespace
}  // namespace sizewise::quantizing
