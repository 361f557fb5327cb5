#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/activation_codes.hpp"

// What packed weights ask of their arguments; each throws sizewise::Error quantization.

namespace sizewise::kernels {

/// "`what` has 5 elements; 12 are needed" where the two differ.
void expect_size(std::string_view what, std::size_t size, int64_t needed);

/// The same where it is neither `needed` nor 1.
void expect_size_or_one(std::string_view what, std::size_t size, int64_t needed);

/// Neither below 0 nor, for columns, above kMostColumns.
void expect_shape(int64_t channels, int64_t columns);

void expect_finite(std::string_view what, std::span<const float> values);

/// Activations and weights have equally many columns.
void expect_columns(const CodedRows& x, int64_t columns);

}  // namespace sizewise::kernels
