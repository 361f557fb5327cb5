#include "row_sample.hpp"

#include <algorithm>
#include <numeric>

namespace sizewise::fits {

std::vector<std::size_t> sampled_places(
    std::initializer_list<std::span<const double>> columns, std::size_t most) {
  std::vector<std::size_t> order(columns.begin()->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= most) {
    return order;
  }
  std::sort(order.begin(), order.end(), [&columns](std::size_t a, std::size_t b) {
    for (const std::span<const double> column : columns) {
      if (column[a] != column[b]) {
        return column[a] < column[b];
      }
    }
    return false;
  });
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < most; ++i) {
    kept.push_back(order[i * (order.size() - 1) / (most - 1)]);
  }
  return kept;
}

std::vector<double> values_at(std::span<const double> values,
                              std::span<const std::size_t> places) {
  std::vector<double> picked;
  picked.reserve(places.size());
  for (const std::size_t place : places) {
    picked.push_back(values[place]);
  }
  return picked;
}

}  // namespace sizewise::fits
