#pragma once

#include <string>

#include "kernels/level_functions.hpp"

namespace sizewise::kernels {

/// What of a level is not exact, in a few words such as "int8 sums of 255 x -128"; empty
/// text where all is. Worst-case and patterned values in odd sizes, against int64; about
/// a millisecond. [any thread]
[[nodiscard]] std::string fault_of(const LevelFunctions& level);

}  // namespace sizewise::kernels
