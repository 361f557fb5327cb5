#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sizewise::checkpoint {

/// Elements at first + sum over i of index[i] * strides[i], all inside a storage.
struct StridedElements {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  ///< in elements, as many as sizes, none negative
  uint64_t first = 0;            ///< in elements
  uint64_t element_bytes = 1;
};

/// Reads the bytes of a storage that begin at a byte.
using ReadBytes = std::function<void(uint64_t offset, std::span<std::byte> bytes)>;

/// Brings strided elements into row-major order. What is contiguous is read into its
/// place; else a part of the tensor is read with all that lies between its elements,
/// where that takes no more than twice the tensor or a MiB, and is put in order here.
/// @param bytes as many as the elements take
/// @param whole read such parts however large they are: for a storage that can only be
///   read from its begin
void gather(const StridedElements& elements,
            bool whole,
            const ReadBytes& read,
            std::span<std::byte> bytes);

}  // namespace sizewise::checkpoint
