#include "kernels/aligned_buffer.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace sizewise::kernels {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void AlignedDeleter::operator()(void* bytes) const noexcept {
  std::free(bytes);
}

std::unique_ptr<void, AlignedDeleter> allocate_aligned(std::size_t bytes) {
  const bool is_large = bytes >= 2 * kHugePage;
  const std::size_t alignment = is_large ? kHugePage : kCacheLine;
  const std::size_t whole = (bytes / alignment + 1) * alignment;
  std::unique_ptr<void, AlignedDeleter> memory(std::aligned_alloc(alignment, whole));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
#if defined(MADV_HUGEPAGE)
  if (is_large) {
    // Only a wish: without huge pages everything is the same, a little slower.
    static_cast<void>(madvise(memory.get(), whole, MADV_HUGEPAGE));
  }
#endif
  std::memset(memory.get(), 0, whole);
  return memory;
}

}  // namespace sizewise::kernels
