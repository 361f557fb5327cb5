#include "kernels/aligned_buffer.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace sizewise::kernels {
namespace {

TEST(AlignedBuffer, HoldsZerosAtACacheLine) {
  for (const int64_t size : {0, 1, 1000, 3 << 20}) {
    const AlignedBuffer<int32_t> buffer(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U);
    EXPECT_EQ(buffer.bytes(), 4 * size);
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + size, [](int32_t value) {
      return value == 0;
    }));
  }
}

}  // namespace
}  // namespace sizewise::kernels
