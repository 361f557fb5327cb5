#include "quantizing/quantized_kernel.hpp"

#include <tuple>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "sizewise/error.hpp"

#include "quantizing/convolution_product.hpp"
#include "quantizing/embedding_table.hpp"
#include "quantizing/linear_product.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/result_type.hpp"
#include "quantizing/straight_through.hpp"

namespace sizewise::quantizing {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

bool tracked(const at::Tensor& tensor) {
  return at::GradMode::is_enabled() && tensor.requires_grad();
}

/// Float numbers in memory that products can read.
at::Tensor as_floats(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kFloat);
  return floats.is_neg() ? floats.resolve_neg() : floats;
}

/// Runs the product of an operator whose kernel computes floats without gradients, and
/// gives its output the type and the gradients of LibTorch's own.
/// @param bias what is added to the output, of a shape that broadcasts
/// @param product computes with an input in floats and with the bias {N} or without
/// @param gradient of the input in floats
template <class Product>
at::Tensor with_gradients(const at::Tensor& input,
                          const OptionalTensor& bias,
                          int64_t trailing_dimensions,
                          Product&& product,
                          InputGradient gradient) {
  const at::ScalarType type = result_type(input);
  // Autocast would change the types of what is computed here.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const bool bias_after = bias && tracked(*bias);
  at::Tensor output;
  {
    const at::NoGradGuard no_gradients;
    OptionalTensor floats;
    if (bias && !bias_after) {
      floats = as_floats(*bias).contiguous();
    }
    output = product(as_floats(input), floats);
  }
  if (tracked(input)) {
    output = straight_through(output, input, std::move(gradient));
  }
  if (bias_after) {
    std::vector<int64_t> shape(static_cast<std::size_t>(trailing_dimensions) + 1, 1);
    shape[0] = bias->numel();
    // The same sum that the product would have ended with.
    output = output.add(bias->to(at::kFloat).reshape(shape));
  }
  return output.to(type);
}

class LinearKernel final : public QuantizedKernel {
 public:
  LinearKernel(std::string name, const QuantizedWeight& weight)
      : QuantizedKernel(std::move(name)),
        product_(make_linear(this->name(), weight.numbers)),
        shape_(weight.shape) {}

  [[nodiscard]] at::Tensor dense() const override {
    const at::NoGradGuard no_gradients;
    return product_->decode(0, product_->channels()).reshape(shape_);
  }

  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const OptionalTensor& bias) override {
    if (!rows.is_cpu()) {
      return SiteKernel::linear(rows, bias);
    }
    const auto gradient = [product = product_,
                           type = rows.scalar_type()](const at::Tensor& of_output) {
      return of_output.matmul(product->decode(0, product->channels())).to(type);
    };
    return with_gradients(
        rows,
        bias,
        0,
        [&](const at::Tensor& floats, const OptionalTensor& added) {
          return product_->run(floats, added);
        },
        gradient);
  }

  /// Of a weight that is tied to an embedding's.
  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    const at::NoGradGuard no_gradients;
    const at::Tensor flat = checked_indices(name(), indices, product_->channels());
    const auto* values = flat.const_data_ptr<int64_t>();
    std::vector<int64_t> shape = indices.sizes().vec();
    shape.push_back(shape_.back());
    at::Tensor out = at::empty({flat.numel(), shape_.back()}, at::kFloat);
    for (int64_t i = 0; i < flat.numel(); ++i) {
      out.select(0, i).copy_(product_->decode(values[i], values[i] + 1).select(0, 0));
    }
    return out.reshape(shape);
  }

  [[nodiscard]] std::string route() const override { return product_->route(); }
  [[nodiscard]] int64_t bytes() const override { return product_->bytes(); }

 private:
  std::shared_ptr<const LinearProduct> product_;
  std::vector<int64_t> shape_;
};

/// A kernel whose weight is an embedding too, which stays float.
class TiedKernel final : public QuantizedKernel {
 public:
  TiedKernel(std::shared_ptr<QuantizedKernel> quantized, at::Tensor float_weight)
      : QuantizedKernel(quantized->name()),
        quantized_(std::move(quantized)),
        float_weight_(std::move(float_weight)) {}

  [[nodiscard]] at::Tensor dense() const override { return float_weight_.detach(); }
  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const OptionalTensor& bias) override {
    return quantized_->linear(rows, bias);
  }
  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const OptionalTensor& bias,
                                       const ConvolutionGeometry& geometry) override {
    return quantized_->convolution(input, bias, geometry);
  }
  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    (void)checked_indices(name(), indices, float_weight_.size(0));
    return at::embedding(float_weight_, indices);
  }
  [[nodiscard]] std::string route() const override {
    return quantized_->route() + ", embedding float";
  }
  [[nodiscard]] int64_t bytes() const override {
    return quantized_->bytes() + static_cast<int64_t>(float_weight_.nbytes());
  }

 private:
  std::shared_ptr<QuantizedKernel> quantized_;
  at::Tensor float_weight_;
};

class EmbeddingKernel final : public QuantizedKernel {
 public:
  EmbeddingKernel(std::string name, const QuantizedWeight& weight)
      : QuantizedKernel(std::move(name)), table_(weight.numbers), shape_(weight.shape) {}

  [[nodiscard]] at::Tensor dense() const override {
    const at::NoGradGuard no_gradients;
    return table_.all().reshape(shape_);
  }

  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    const at::NoGradGuard no_gradients;
    std::vector<int64_t> shape = indices.sizes().vec();
    shape.push_back(shape_.back());
    return table_.rows(checked_indices(name(), indices, shape_.front())).reshape(shape);
  }

  [[nodiscard]] std::string route() const override { return table_.route(); }
  [[nodiscard]] int64_t bytes() const override { return table_.bytes(); }

 private:
  EmbeddingTable table_;
  std::vector<int64_t> shape_;
};

/// A convolution with a weight in a 16-bit type: in that type where the processor
/// multiplies it, else in float.
class HalfConvolutionKernel final : public QuantizedKernel {
 public:
  HalfConvolutionKernel(std::string name, const QuantizedWeight& weight)
      : QuantizedKernel(std::move(name)),
        weight_(weight_from_matrix(weight.numbers.codes, weight.shape, weight.use)) {
    if (weight.numbers.input_scale.defined()) {
      const at::Tensor scaled = decoded(weight.numbers).to(weight_.scalar_type());
      weight_ = weight_from_matrix(scaled, weight.shape, weight.use);
    }
  }

  [[nodiscard]] at::Tensor dense() const override {
    const at::NoGradGuard no_gradients;
    return weight_.to(at::kFloat);
  }

  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const OptionalTensor& bias,
                                       const ConvolutionGeometry& geometry) override {
    const at::ScalarType type = result_type(input);
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const bool in_halves = multiplies_by_itself(weight_.scalar_type());
    const at::Tensor x = input.to(in_halves ? weight_.scalar_type() : at::kFloat);
    return SiteKernel::convolution(x, bias, geometry).to(type);
  }

  [[nodiscard]] std::string route() const override {
    const std::string type =
        weight_.scalar_type() == at::kBFloat16 ? "bfloat16" : "float16";
    return multiplies_by_itself(weight_.scalar_type()) ? type : type + " as floats";
  }
  [[nodiscard]] int64_t bytes() const override {
    return static_cast<int64_t>(weight_.nbytes());
  }

 private:
  at::Tensor weight_;
};

class ConvolutionKernel final : public QuantizedKernel {
 public:
  ConvolutionKernel(std::string name, const QuantizedWeight& weight)
      : QuantizedKernel(std::move(name)),
        product_(make_convolution(weight)),
        numbers_(weight.numbers),
        shape_(weight.shape),
        use_(weight.use) {}

  [[nodiscard]] at::Tensor dense() const override {
    const at::NoGradGuard no_gradients;
    return weight_from_matrix(decoded(numbers_), shape_, use_);
  }

  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const OptionalTensor& bias,
                                       const ConvolutionGeometry& geometry) override {
    if (!input.is_cpu()) {
      return SiteKernel::convolution(input, bias, geometry);
    }
    // Only the input's shape and type matter to its own gradient.
    const auto gradient = [weight = dense_later(), seen = input.detach(), geometry](
                              const at::Tensor& of_output) {
      return gradient_of_input(of_output, seen, weight(), geometry)
          .to(seen.scalar_type());
    };
    return with_gradients(
        input,
        bias,
        input.dim() - 2,
        [&](const at::Tensor& floats, const OptionalTensor& added) {
          return product_->run(floats, added, geometry);
        },
        gradient);
  }

  [[nodiscard]] std::string route() const override { return product_->route(); }
  [[nodiscard]] int64_t bytes() const override { return product_->bytes(); }

 private:
  /// dense() for a backward pass, which may come after this kernel's end.
  [[nodiscard]] std::function<at::Tensor()> dense_later() const {
    return [numbers = numbers_, shape = shape_, use = use_] {
      const at::NoGradGuard no_gradients;
      return weight_from_matrix(decoded(numbers), shape, use);
    };
  }

  static at::Tensor gradient_of_input(const at::Tensor& of_output,
                                      const at::Tensor& input,
                                      const at::Tensor& weight,
                                      const ConvolutionGeometry& geometry) {
    return std::get<0>(at::convolution_backward(of_output,
                                                input.to(at::kFloat),
                                                weight,
                                                std::nullopt,
                                                geometry.stride,
                                                geometry.padding,
                                                geometry.dilation,
                                                geometry.transposed,
                                                geometry.output_padding,
                                                geometry.groups,
                                                {true, false, false}));
  }

  std::unique_ptr<ConvolutionProduct> product_;
  QuantizedLayer numbers_;
  std::vector<int64_t> shape_;
  WeightUse use_;
};

std::shared_ptr<QuantizedKernel> make_plain_kernel(const QuantizedWeight& weight) {
  std::string name = layer_name(weight.name);
  switch (weight.use) {
    case WeightUse::kLinear:
      return std::make_shared<LinearKernel>(std::move(name), weight);
    case WeightUse::kEmbedding:
      return std::make_shared<EmbeddingKernel>(std::move(name), weight);
    case WeightUse::kConvolution:
    case WeightUse::kTransposedConvolution:
      break;
  }
  if (weight.numbers.bits == 16) {
    return std::make_shared<HalfConvolutionKernel>(std::move(name), weight);
  }
  return std::make_shared<ConvolutionKernel>(std::move(name), weight);
}

/// Refuses a weight whose shape is none of its use. @returns the matrix' rows and columns
std::pair<int64_t, int64_t> matrix_shape(const QuantizedWeight& weight) {
  const bool is_matrix =
      weight.use == WeightUse::kLinear || weight.use == WeightUse::kEmbedding;
  const std::size_t least = is_matrix ? 2 : 3;
  if (weight.shape.size() < least || (is_matrix && weight.shape.size() > 2)) {
    throw Error(ErrorCode::kQuantization,
                "the weight of layer '" + layer_name(weight.name) + "' has " +
                    std::to_string(weight.shape.size()) +
                    " dimensions; needed: " + (is_matrix ? "2" : "3 or more"));
  }
  const bool turned = weight.use == WeightUse::kTransposedConvolution;
  const int64_t rows = weight.shape[turned ? 1 : 0];
  int64_t columns = 1;
  for (std::size_t i = 0; i < weight.shape.size(); ++i) {
    columns *= i == (turned ? 1U : 0U) ? 1 : weight.shape[i];
  }
  return {rows, columns};
}

}  // namespace

std::shared_ptr<QuantizedKernel> make_kernel(const QuantizedWeight& weight,
                                             const at::Tensor& float_weight) {
  const at::NoGradGuard no_gradients;
  const auto [rows, columns] = matrix_shape(weight);
  check_numbers(layer_name(weight.name), weight.numbers, rows, columns);
  std::shared_ptr<QuantizedKernel> kernel = make_plain_kernel(weight);
  if (!weight.keeps_float) {
    return kernel;
  }
  if (!float_weight.defined()) {
    throw Error(ErrorCode::kInternal,
                "make_kernel() for '" + weight.name + "' without the float weight");
  }
  return std::make_shared<TiedKernel>(std::move(kernel), float_weight);
}

}  // namespace sizewise::quantizing
