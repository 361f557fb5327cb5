#include "checkpoint/gather.hpp"

#include <cstring>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise::checkpoint {
namespace {

/// A storage of 32-bit integers that counts how it is read.
class Storage {
 public:
  explicit Storage(std::size_t elements) : values_(elements) {
    std::iota(values_.begin(), values_.end(), 0);
  }

  std::vector<int32_t> gather(const StridedElements& elements, bool whole = false) {
    int64_t count = 1;
    for (const int64_t size : elements.shape) {
      count *= size;
    }
    std::vector<int32_t> out(static_cast<std::size_t>(count), -1);
    checkpoint::gather(
        elements,
        whole,
        [this](uint64_t offset, std::span<std::byte> bytes) {
          ++reads;
          largest = std::max<uint64_t>(largest, bytes.size());
          ASSERT_LE(offset + bytes.size(), values_.size() * sizeof(int32_t));
          std::memcpy(bytes.data(),
                      reinterpret_cast<const std::byte*>(values_.data()) + offset,
                      bytes.size());
        },
        std::as_writable_bytes(std::span(out)));
    return out;
  }

  int reads = 0;
  uint64_t largest = 0;

 private:
  std::vector<int32_t> values_;
};

/// Element by element. The storage holds 0, 1, 2, ...
std::vector<int32_t> reference(const StridedElements& elements) {
  std::vector<int32_t> values{static_cast<int32_t>(elements.first)};
  for (std::size_t i = 0; i < elements.shape.size(); ++i) {
    std::vector<int32_t> next;
    for (const int32_t value : values) {
      for (int64_t k = 0; k < elements.shape[i]; ++k) {
        next.push_back(value + static_cast<int32_t>(k * elements.strides[i]));
      }
    }
    values = std::move(next);
  }
  return values;
}

TEST(Gather, ReadsWhatIsContiguousAtOnce) {
  Storage storage(100);
  // The stride of a size of 1 says nothing.
  const StridedElements elements{{2, 1, 3, 4}, {12, 77, 4, 1}, 5, 4};
  EXPECT_EQ(storage.gather(elements), reference(elements));
  EXPECT_EQ(storage.reads, 1);
  EXPECT_EQ(storage.largest, 2U * 3 * 4 * 4);
}

TEST(Gather, ReadsScalarsAndNothing) {
  Storage storage(10);
  EXPECT_THAT(storage.gather({{}, {}, 7, 4}), ::testing::ElementsAre(7));
  storage.reads = 0;
  EXPECT_TRUE(storage.gather({{3, 0}, {1, 1}, 0, 4}).empty());
  EXPECT_EQ(storage.reads, 0);
}

TEST(Gather, IsRightForAnyStrides) {
  std::mt19937 random(5);
  const auto draw = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int trial = 0; trial < 500; ++trial) {
    StridedElements elements{{}, {}, static_cast<uint64_t>(draw(0, 9)), 4};
    uint64_t last = elements.first;
    for (int64_t i = draw(0, 4); i > 0; --i) {
      elements.shape.push_back(draw(1, 5));
      elements.strides.push_back(draw(0, 12));
      last +=
          static_cast<uint64_t>((elements.shape.back() - 1) * elements.strides.back());
    }
    Storage storage(last + 1);
    EXPECT_EQ(storage.gather(elements), reference(elements));
  }
}

TEST(Gather, ReadsATransposedMatrixInOnePart) {
  Storage storage(1'000'000);
  const StridedElements elements{{1000, 1000}, {1, 1000}, 0, 4};
  EXPECT_EQ(storage.gather(elements), reference(elements));
  EXPECT_EQ(storage.reads, 1);
}

TEST(Gather, ReadsFewColumnsOfALargeMatrixRowByRow) {
  // All that lies between would be 4 MB, and the tensor has 12 kB.
  Storage storage(1'000'000);
  const StridedElements elements{{1000, 3}, {1000, 2}, 10, 4};
  EXPECT_EQ(storage.gather(elements), reference(elements));
  EXPECT_EQ(storage.reads, 1000);
  EXPECT_LE(storage.largest, 5U * 4);
  // A compressed storage is read once, whatever it takes.
  storage.reads = 0;
  EXPECT_EQ(storage.gather(elements, true), reference(elements));
  EXPECT_EQ(storage.reads, 1);
}

}  // namespace
}  // namespace sizewise::checkpoint
