#include "kernels/argument_checks.hpp"

#include <cmath>
#include <string>

#include "sizewise/error.hpp"

namespace sizewise::kernels {
namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& suggestion = {}) {
  throw Error(ErrorCode::kQuantization, message, suggestion);
}

}  // namespace

void expect_size(std::string_view what, std::size_t size, int64_t needed) {
  if (static_cast<int64_t>(size) != needed) {
    refuse(std::string(what) + " has " + std::to_string(size) + " elements; " +
           std::to_string(needed) + " are needed");
  }
}

void expect_size_or_one(std::string_view what, std::size_t size, int64_t needed) {
  if (size != 1) {
    expect_size(what, size, needed);
  }
}

void expect_shape(int64_t channels, int64_t columns) {
  if (channels < 0 || columns < 0 || columns > kMostColumns) {
    refuse("a weight of " + std::to_string(channels) + " x " + std::to_string(columns) +
               " cannot be packed; outputs are 0 or more, inputs 0 to " +
               std::to_string(kMostColumns),
           "exclude the layer");
  }
}

void expect_finite(std::string_view what, std::span<const float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      refuse(std::string(what) + " is " + std::to_string(values[i]) + " at element " +
             std::to_string(i) + "; only finite numbers are allowed");
    }
  }
}

void expect_columns(const CodedRows& x, int64_t columns) {
  if (x.columns != columns) {
    refuse("the input has " + std::to_string(x.columns) + " columns; the weight has " +
           std::to_string(columns));
  }
}

}  // namespace sizewise::kernels
