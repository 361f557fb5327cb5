#include "checkpoint/pickle_bytes.hpp"

#include "checkpoint/pickle_globals.hpp"

namespace sizewise::checkpoint {
namespace {

constexpr const char* kCutShort = "holds a pickle that is cut short";

}  // namespace

std::string_view PickleBytes::take(uint64_t count) {
  if (count > left()) {
    throw PickleFault{kCutShort};
  }
  const std::string_view taken = pickle_.substr(next_, count);
  next_ += count;
  return taken;
}

uint64_t PickleBytes::take_count(unsigned bytes) {
  const std::string_view taken = take(bytes);
  uint64_t value = 0;
  for (std::size_t i = taken.size(); i-- > 0;) {
    value = (value << 8U) | static_cast<unsigned char>(taken[i]);
  }
  return value;
}

std::string_view PickleBytes::take_line() {
  const std::size_t end = pickle_.find('\n', next_);
  if (end == std::string_view::npos) {
    throw PickleFault{kCutShort};
  }
  const std::string_view line = take(end - next_);
  ++next_;
  return line;
}

}  // namespace sizewise::checkpoint
