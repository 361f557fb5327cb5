#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace sizewise::quantizing {

/// How many parts some work is worth: LibTorch's threads, or 1 where it is so little that
/// to wake a thread costs more, or where other threads of LibTorch's run already.
/// @param operations products of two bytes, or bytes read
[[nodiscard]] int64_t parts_of_work(int64_t operations);

/// Runs parts 0 to parts - 1 on LibTorch's own threads, whatever library it has them of:
/// a second pool beside it would wait for work on the same processors.
/// @throws what a part throws
void run_parts(int64_t parts, c10::function_ref<void(int64_t)> work);

/// First of the items that part `part` of `parts` nearly equal ones has.
[[nodiscard]] constexpr int64_t first_of_part(int64_t items,
                                              int64_t part,
                                              int64_t parts) {
  return items * part / parts;
}

}  // namespace sizewise::quantizing
