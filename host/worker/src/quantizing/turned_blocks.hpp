#pragma once

#include <cstdint>

// Rows that become columns, in blocks that fit a processor's registers: between images
// with their channels outermost, as LibTorch has them, and innermost, as products need
// them.
namespace sizewise::quantizing {

/// to[c * to_stride + r] = from[r * from_stride + c] for r below `rows`, c below
/// `columns`.
void turn_bytes(const uint8_t* from,
                int64_t from_stride,
                int64_t rows,
                int64_t columns,
                uint8_t* to,
                int64_t to_stride);

/// The same for floats.
void turn_floats(const float* from,
                 int64_t from_stride,
                 int64_t rows,
                 int64_t columns,
                 float* to,
                 int64_t to_stride);

}  // namespace sizewise::quantizing
