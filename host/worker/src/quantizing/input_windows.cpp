#include "quantizing/input_windows.hpp"

#include <cstdint>
#include <vector>

#include <ATen/ops/constant_pad_nd.h>

namespace sizewise::quantizing {

at::Tensor input_windows(const at::Tensor& input,
                         at::IntArrayRef kernel,
                         const ConvolutionGeometry& geometry) {
  const auto dimensions = static_cast<int64_t>(kernel.size());
  std::vector<int64_t> edges;  // of the last dimension first
  for (int64_t d = dimensions; d-- > 0;) {
    edges.insert(edges.end(), 2, geometry.padding[d]);
  }
  at::Tensor windows = at::constant_pad_nd(input, edges);
  for (int64_t d = 0; d < dimensions; ++d) {
    const int64_t dilation = geometry.dilation[d];
    const int64_t span = dilation * (kernel[d] - 1) + 1;
    windows =
        windows.unfold(2 + d, span, geometry.stride[d]).slice(-1, 0, span, dilation);
  }
  // {batch, channels, places..., kernel...}
  const int64_t channels = input.size(1) / geometry.groups;
  windows = windows.unflatten(1, {geometry.groups, channels});
  std::vector<int64_t> order{0, 1};
  for (int64_t d = 0; d < dimensions; ++d) {
    order.push_back(3 + d);
  }
  order.push_back(2);
  for (int64_t d = 0; d < dimensions; ++d) {
    order.push_back(3 + dimensions + d);
  }
  int64_t columns = channels;
  for (const int64_t size : kernel) {
    columns *= size;
  }
  const int64_t rows = columns == 0 ? 0 : windows.numel() / columns;
  return windows.permute(order).reshape({rows, columns});
}

}  // namespace sizewise::quantizing
