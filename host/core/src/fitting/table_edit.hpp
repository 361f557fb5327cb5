#pragma once

#include <string_view>
#include <vector>

#include "sizewise/runs.hpp"

namespace sizewise::fitting {

/// The table with other numbers in one column, which it may lack.
[[nodiscard]] RunTable with_numbers(const RunTable& runs,
                                    std::string_view column,
                                    std::vector<double> values);

}  // namespace sizewise::fitting
