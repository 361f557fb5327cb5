#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "sizewise/quantizer.hpp"

namespace sizewise::quantizing {

/// The product of a linear layer with a quantized weight {N, K}, without gradients. [any
/// thread]
class LinearProduct {
 public:
  LinearProduct() = default;
  virtual ~LinearProduct() = default;
  LinearProduct(const LinearProduct&) = delete;
  LinearProduct& operator=(const LinearProduct&) = delete;

  /// @param rows {M, K} float32 in this machine's memory, any layout; M may be 0
  /// @param bias {N} float32, contiguous, or nothing
  /// @returns {M, N} float32
  /// @throws Error kQuantization naming the layer where weights are integers and an input
  ///   is not finite
  [[nodiscard]] virtual at::Tensor run(const at::Tensor& rows,
                                       const std::optional<at::Tensor>& bias) const = 0;

  /// Rows first..last - 1 of the matrix that the weight stands for, {last - first, K}
  /// float32, the input scale taken back.
  [[nodiscard]] virtual at::Tensor decode(int64_t first, int64_t last) const = 0;

  [[nodiscard]] virtual int64_t channels() const = 0;

  /// See QuantizedKernel.
  [[nodiscard]] virtual std::string route() const = 0;
  [[nodiscard]] virtual int64_t bytes() const = 0;
};

/// @param name the layer's, for messages
/// @param numbers checked by check_numbers()
[[nodiscard]] std::shared_ptr<const LinearProduct> make_linear(
    const std::string& name, const QuantizedLayer& numbers);

/// The same for a weight in a 16-bit type (half_product.cpp).
[[nodiscard]] std::shared_ptr<const LinearProduct> make_half_linear(
    const QuantizedLayer& numbers);

/// Whether this processor multiplies numbers of such a 16-bit type by itself; where it
/// does not, LibTorch's product of many rows is slower than that of floats. [any thread]
[[nodiscard]] bool multiplies_by_itself(at::ScalarType type);

}  // namespace sizewise::quantizing
