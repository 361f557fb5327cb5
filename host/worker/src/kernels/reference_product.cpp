#include "kernels/reference_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sizewise::kernels {
namespace {

/// sum_k (x - x_zero) (w - w_zero) over columns first..last - 1 of a row.
template <class Code>
int64_t exact_sum(const uint8_t* x,
                  int64_t x_zero,
                  const Code* w,
                  int64_t w_zero,
                  int64_t first,
                  int64_t last) {
  int64_t sum = 0;
  for (int64_t k = first; k < last; ++k) {
    sum += (x[k] - x_zero) * (w[k] - w_zero);
  }
  return sum;
}

double bias_of(const std::vector<float>& bias, std::size_t channel) {
  return bias.empty() ? 0.0 : static_cast<double>(bias[channel]);
}

double sum_of(const Int8Layer& layer, const uint8_t* x, int64_t x_zero, int64_t n) {
  const auto at = static_cast<std::size_t>(n);
  const int64_t zero = layer.zero_point.empty() ? 0 : layer.zero_point[at];
  const int8_t* w = layer.codes.data() + n * layer.columns;
  return static_cast<double>(exact_sum(x, x_zero, w, zero, 0, layer.columns)) *
         static_cast<double>(layer.scale[at]);
}

double sum_of(const Int4Layer& layer, const uint8_t* x, int64_t x_zero, int64_t n) {
  const uint8_t* w = layer.codes.data() + n * layer.columns;
  double sum = 0.0;
  auto at = static_cast<std::size_t>(n) *
            (layer.scale.size() / static_cast<std::size_t>(layer.channels));
  for (int64_t k = 0; k < layer.columns; k += layer.group_size, ++at) {
    const int64_t zero = layer.zero_point.empty() ? 8 : layer.zero_point[at];
    const int64_t last = std::min(k + layer.group_size, layer.columns);
    sum += static_cast<double>(exact_sum(x, x_zero, w, zero, k, last)) *
           static_cast<double>(layer.scale[at]);
  }
  return sum;
}

template <class Layer>
std::vector<double> product_of(const Layer& layer, const CodedRows& x) {
  std::vector<double> out;
  for (int64_t m = 0; m < x.rows; ++m) {
    const int64_t at = m * x.parameter_step();
    for (int64_t n = 0; n < layer.channels; ++n) {
      const double sum = sum_of(layer, x.codes + m * x.stride, x.zero_point[at], n);
      out.push_back(sum * static_cast<double>(x.scale[at]) +
                    bias_of(layer.bias, static_cast<std::size_t>(n)));
    }
  }
  return out;
}

}  // namespace

std::vector<double> reference_product(const Int8Layer& layer, const CodedRows& x) {
  return product_of(layer, x);
}

std::vector<double> reference_product(const Int4Layer& layer, const CodedRows& x) {
  return product_of(layer, x);
}

double relative_error(const std::vector<float>& out,
                      const std::vector<double>& reference) {
  double most = 0.0;
  double error = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(out[i]) - reference[i]);
    if (std::isnan(difference)) {
      return std::numeric_limits<double>::infinity();
    }
    error = std::max(error, difference);
    most = std::max(most, std::fabs(reference[i]));
  }
  return most == 0.0 ? error : error / most;
}

}  // namespace sizewise::kernels
