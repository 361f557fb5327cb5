#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  sizewise::fuzzing::run_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
