#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace sizewise::fits {

/// Tables of more rows are searched on a sample, and the lowest minima that differ are
/// polished on all rows.
inline constexpr std::size_t kSearchRows = 1500;

/// The places of at most `most` rows: every k-th in the order of some columns of equal
/// length, the first of them before the others, so that a table's own order changes
/// nothing. Where there are no more rows than that, all of them as they stand.
[[nodiscard]] std::vector<std::size_t> sampled_places(
    std::initializer_list<std::span<const double>> columns, std::size_t most);

/// A column's values at some places.
[[nodiscard]] std::vector<double> values_at(std::span<const double> values,
                                            std::span<const std::size_t> places);

}  // namespace sizewise::fits
