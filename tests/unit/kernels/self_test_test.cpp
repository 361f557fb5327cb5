#include "kernels/self_test.hpp"

#include <algorithm>

#include "kernels/made_up_rows.hpp"

// The self-test finds nothing in our levels, and the faults that it is for in others.

namespace sizewise::kernels {
namespace {

TEST(SelfTest, FindsEachLevelOfThisMachineExact) {
  on_each_level([](const LevelFunctions& level) {
    EXPECT_EQ(fault_of(level), "");
  });
}

/// Sums pairs of products in 16 bits that saturate, as vpmaddubsw does.
void saturating_block(const Int8Block& in) {
  const Int8Sums& product = in.product;
  for (int64_t m = 0; m < product.rows; ++m) {
    for (int64_t n = 0; n < in.channels; ++n) {
      int32_t sum = 0;
      for (int64_t k = 0; k < 4 * product.steps; k += 2) {
        const uint8_t* x = product.codes + m * product.code_stride + k;
        const int8_t* w = product.weights + k / 4 * product.strips * 64 + n * 4 + k % 4;
        sum += std::clamp(x[0] * w[0] + x[1] * w[1], -32768, 32767);
      }
      const int32_t zero = in.zero_point[m * in.parameter_step];
      sum -= zero * in.weight_sum[n];
      sum -= in.weight_zero_point[n] *
             (in.code_sum[m] - zero * static_cast<int32_t>(in.columns));
      in.out[m * in.out_stride + n] =
          static_cast<float>(sum) * in.scale[m * in.parameter_step] * in.weight_scale[n] +
          in.bias[n];
    }
  }
}

TEST(SelfTest, FindsSaturatingSums) {
  LevelFunctions broken = portable_functions();
  broken.int8_block = saturating_block;
  EXPECT_EQ(fault_of(broken), "int8 sums of 255 x -128");
}

void nothing_written(const Int4Block&) {}

TEST(SelfTest, FindsAProductThatWritesNothing) {
  LevelFunctions broken = portable_functions();
  broken.int4_block = nothing_written;
  EXPECT_EQ(fault_of(broken), "int4 sums of 255 x 15");
}

int32_t encode_half_up(
    const float* values, int64_t count, float scale, int32_t zero_point, uint8_t* codes) {
  int32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto code = static_cast<int32_t>(values[i] / scale + 1000.5F) - 1000;
    codes[i] = static_cast<uint8_t>(std::clamp(code + zero_point, 0, 255));
    sum += codes[i];
  }
  return sum;
}

TEST(SelfTest, FindsHalvesRoundedUp) {
  LevelFunctions broken = portable_functions();
  broken.encode = encode_half_up;
  EXPECT_EQ(fault_of(broken), "codes of floats");
}

}  // namespace
}  // namespace sizewise::kernels
