#pragma once

#include <cstdint>
#include <string_view>

namespace sizewise::checkpoint {

/// A pickle's bytes, taken one after another. Every function throws PickleFault where
/// they end too early.
class PickleBytes {
 public:
  explicit PickleBytes(std::string_view pickle) : pickle_(pickle) {}

  [[nodiscard]] uint64_t place() const { return next_; }
  [[nodiscard]] uint64_t left() const { return pickle_.size() - next_; }

  std::string_view take(uint64_t count);

  /// An unsigned little-endian integer of at most 8 bytes.
  uint64_t take_count(unsigned bytes);

  /// What stands before the next end of a line, which is taken too.
  std::string_view take_line();

 private:
  std::string_view pickle_;
  uint64_t next_ = 0;
};

}  // namespace sizewise::checkpoint
