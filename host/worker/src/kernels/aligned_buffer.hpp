#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace sizewise::kernels {

struct AlignedDeleter {
  void operator()(void* bytes) const noexcept;
};

/// Zeroed bytes that start at a multiple of 64, large ones on huge pages where the system
/// has them (a product reads all weights once: fewer pages to look up). @throws
/// std::bad_alloc
[[nodiscard]] std::unique_ptr<void, AlignedDeleter> allocate_aligned(std::size_t bytes);

/// An array of zeros in such memory, followed by some that may be read but mean nothing.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t size)
      : bytes_(allocate_aligned(static_cast<std::size_t>(size) * sizeof(T))),
        size_(size) {}

  [[nodiscard]] T* data() { return static_cast<T*>(bytes_.get()); }
  [[nodiscard]] const T* data() const { return static_cast<const T*>(bytes_.get()); }
  [[nodiscard]] T& operator[](int64_t i) { return data()[i]; }
  [[nodiscard]] const T& operator[](int64_t i) const { return data()[i]; }
  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

 private:
  std::unique_ptr<void, AlignedDeleter> bytes_;
  int64_t size_ = 0;
};

}  // namespace sizewise::kernels
