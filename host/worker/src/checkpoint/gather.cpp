#include "checkpoint/gather.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace sizewise::checkpoint {
namespace {

constexpr uint64_t kScratchBytes = 1ULL << 20U;

/// One dimension of a copy: its steps, in bytes.
struct Axis {
  uint64_t size = 1;
  uint64_t from = 0;
  uint64_t to = 0;
};

/// What one step of a square copies: a number that the compiler knows where it can be.
template <std::size_t kBytes>
void copy_square(std::span<const Axis, 2> axes, const std::byte* from, std::byte* to) {
  for (uint64_t i = 0; i < axes[0].size; ++i) {
    for (uint64_t k = 0; k < axes[1].size; ++k) {
      std::memcpy(to + i * axes[0].to + k * axes[1].to,
                  from + i * axes[0].from + k * axes[1].from,
                  kBytes);
    }
  }
}

void copy_square(std::span<const Axis, 2> axes,
                 uint64_t run_bytes,
                 const std::byte* from,
                 std::byte* to) {
  switch (run_bytes) {
    case 1:
      return copy_square<1>(axes, from, to);
    case 2:
      return copy_square<2>(axes, from, to);
    case 4:
      return copy_square<4>(axes, from, to);
    case 8:
      return copy_square<8>(axes, from, to);
    default:
      for (uint64_t i = 0; i < axes[0].size; ++i) {
        for (uint64_t k = 0; k < axes[1].size; ++k) {
          std::memcpy(to + i * axes[0].to + k * axes[1].to,
                      from + i * axes[0].from + k * axes[1].from,
                      run_bytes);
        }
      }
  }
}

/// Copies runs over at least two axes, over the last two in squares that stay in the
/// cache: element by element a transposed matrix would take a cache line each.
void copy_axes(std::span<const Axis> axes,
               uint64_t run_bytes,
               const std::byte* from,
               std::byte* to) {
  if (axes.size() > 2) {
    for (uint64_t i = 0; i < axes[0].size; ++i) {
      copy_axes(axes.subspan(1), run_bytes, from + i * axes[0].from, to + i * axes[0].to);
    }
    return;
  }
  constexpr uint64_t kSide = 32;
  for (uint64_t i = 0; i < axes[0].size; i += kSide) {
    for (uint64_t k = 0; k < axes[1].size; k += kSide) {
      std::array<Axis, 2> square = {axes[0], axes[1]};
      square[0].size = std::min(kSide, axes[0].size - i);
      square[1].size = std::min(kSide, axes[1].size - k);
      copy_square(square,
                  run_bytes,
                  from + i * axes[0].from + k * axes[1].from,
                  to + i * axes[0].to + k * axes[1].to);
    }
  }
}

class Gatherer {
 public:
  Gatherer(const StridedElements& elements,
           bool whole,
           const ReadBytes& read,
           std::span<std::byte> bytes)
      : element_bytes_(elements.element_bytes), read_(read), out_(bytes) {
    for (std::size_t i = 0; i < elements.shape.size(); ++i) {
      // Where a size is 1, its stride says nothing, and may be anything.
      if (elements.shape[i] != 1) {
        sizes_.push_back(static_cast<uint64_t>(elements.shape[i]));
        strides_.push_back(static_cast<uint64_t>(elements.strides[i]));
      }
    }
    limit_ = whole ? std::numeric_limits<uint64_t>::max()
                   : std::max<uint64_t>(kScratchBytes, 2 * out_.size());
    find_contiguous();
  }

  /// Fills the next bytes with the elements over the dimensions from `dimension` on.
  void fill(std::size_t dimension, uint64_t first) {
    if (dimension >= contiguous_from_) {
      read_(first * element_bytes_, take(run_bytes_of(dimension)));
      return;
    }
    const uint64_t span_bytes = (reach(dimension) + 1) * element_bytes_;
    if (span_bytes <= limit_) {
      scratch_.resize(span_bytes);
      read_(first * element_bytes_, scratch_);
      reorder(dimension);
      return;
    }
    for (uint64_t i = 0; i < sizes_[dimension]; ++i) {
      fill(dimension + 1, first + i * strides_[dimension]);
    }
  }

 private:
  /// From which dimension on the elements lie one after another.
  void find_contiguous() {
    contiguous_from_ = sizes_.size();
    uint64_t run = 1;
    while (contiguous_from_ > 0 && strides_[contiguous_from_ - 1] == run) {
      --contiguous_from_;
      run *= sizes_[contiguous_from_];
    }
  }

  [[nodiscard]] uint64_t run_bytes_of(std::size_t dimension) const {
    uint64_t count = 1;
    for (std::size_t i = dimension; i < sizes_.size(); ++i) {
      count *= sizes_[i];
    }
    return count * element_bytes_;
  }

  /// How far the last element lies behind the first.
  [[nodiscard]] uint64_t reach(std::size_t dimension) const {
    uint64_t last = 0;
    for (std::size_t i = dimension; i < sizes_.size(); ++i) {
      last += (sizes_[i] - 1) * strides_[i];
    }
    return last;
  }

  std::span<std::byte> take(uint64_t bytes) {
    const std::span<std::byte> taken = out_.subspan(done_, bytes);
    done_ += bytes;
    return taken;
  }

  /// Puts the scratch, all elements over the dimensions from `dimension` on, in order.
  void reorder(std::size_t dimension) {
    const std::span<std::byte> place = take(run_bytes_of(dimension));
    std::vector<Axis> axes;
    for (std::size_t i = dimension; i < contiguous_from_; ++i) {
      axes.push_back({sizes_[i], strides_[i] * element_bytes_, run_bytes_of(i + 1)});
    }
    // The last axis has the shortest steps in the result; the one with the shortest steps
    // in the scratch goes beside it, so that both can be walked in small squares.
    if (axes.size() > 1) {
      const auto shortest = std::min_element(
          axes.begin(), axes.end() - 1, [](const Axis& a, const Axis& b) {
            return a.from < b.from;
          });
      std::iter_swap(shortest, axes.end() - 2);
    } else {
      axes.insert(axes.begin(), Axis{});
    }
    copy_axes(axes, run_bytes_of(contiguous_from_), scratch_.data(), place.data());
  }

  uint64_t element_bytes_;
  const ReadBytes& read_;
  std::span<std::byte> out_;
  uint64_t done_ = 0;
  uint64_t limit_ = 0;
  std::vector<uint64_t> sizes_;
  std::vector<uint64_t> strides_;
  std::size_t contiguous_from_ = 0;
  std::vector<std::byte> scratch_;
};

}  // namespace

void gather(const StridedElements& elements,
            bool whole,
            const ReadBytes& read,
            std::span<std::byte> bytes) {
  if (!bytes.empty()) {
    Gatherer(elements, whole, read, bytes).fill(0, elements.first);
  }
}

}  // namespace sizewise::checkpoint
