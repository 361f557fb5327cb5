#include "quantizing/linear_product.hpp"

#include <utility>

#include <ATen/ops/empty.h>

#include "kernels/activation_codes.hpp"
#include "quantizing/input_codes.hpp"
#include "quantizing/packed_weights.hpp"
#include "quantizing/parallel_parts.hpp"

namespace sizewise::quantizing {
namespace {

/// Adds to each row of high codes' products that of the low ones, and the bias.
void join_halves(const at::Tensor& halves, const float* bias, at::Tensor& out) {
  const int64_t rows = out.size(0);
  const int64_t channels = out.size(1);
  const auto* high = halves.const_data_ptr<float>();
  const float* low = high + rows * channels;
  auto* to = out.mutable_data_ptr<float>();
  const int64_t parts = parts_of_work(rows * channels);
  run_parts(parts, [&](int64_t part) {
    const int64_t last = first_of_part(rows, part + 1, parts);
    for (int64_t row = first_of_part(rows, part, parts); row < last; ++row) {
      const int64_t at = row * channels;
      for (int64_t n = 0; n < channels; ++n) {
        to[at + n] = high[at + n] + low[at + n];
      }
      for (int64_t n = 0; bias != nullptr && n < channels; ++n) {
        to[at + n] += bias[n];
      }
    }
  });
}

class IntegerLinear final : public LinearProduct {
 public:
  IntegerLinear(std::string name, const QuantizedLayer& numbers)
      : name_(std::move(name)),
        coding_(coding_of(numbers)),
        weights_(pack_weights(numbers)),
        channels_(numbers.codes.size(0)),
        columns_(numbers.codes.size(1)) {
    if (numbers.input_scale.defined()) {
      input_scale_ = numbers.input_scale.contiguous();
    }
  }

  [[nodiscard]] at::Tensor run(const at::Tensor& rows,
                               const std::optional<at::Tensor>& bias) const override {
    at::Tensor x = input_scale_.defined() ? rows.div(input_scale_) : rows;
    if (columns_ > 1 && x.stride(1) != 1) {
      x = x.contiguous();
    }
    at::Tensor out = at::empty({x.size(0), channels_}, at::kFloat);
    if (out.numel() == 0 || columns_ == 0) {
      out.zero_();
      return bias ? out.add_(*bias) : out;
    }
    const float* bias_values = bias ? bias->const_data_ptr<float>() : nullptr;
    kernels::CodeBuffer codes;
    code_rows(name_,
              coding_,
              {x.const_data_ptr<float>(), x.size(0), columns_, x.stride(0)},
              codes);
    if (coding_.activation == ActivationTreatment::kNone) {
      const at::Tensor halves = at::empty({2 * x.size(0), channels_}, at::kFloat);
      weights_->multiply(codes.view(), nullptr, halves.mutable_data_ptr<float>());
      join_halves(halves, bias_values, out);
    } else {
      weights_->multiply(codes.view(), bias_values, out.mutable_data_ptr<float>());
    }
    return out;
  }

  [[nodiscard]] at::Tensor decode(int64_t first, int64_t last) const override {
    at::Tensor out = at::empty({last - first, columns_}, at::kFloat);
    auto* to = out.mutable_data_ptr<float>();
    const int64_t rows = last - first;
    const int64_t parts = parts_of_work(rows * columns_);
    run_parts(parts, [&](int64_t part) {
      const int64_t from = first_of_part(rows, part, parts);
      weights_->decode({first + from, first + first_of_part(rows, part + 1, parts)},
                       to + from * columns_);
    });
    return input_scale_.defined() ? out.div_(input_scale_) : out;
  }

  [[nodiscard]] int64_t channels() const override { return channels_; }

  [[nodiscard]] std::string route() const override {
    const bool split = coding_.activation == ActivationTreatment::kNone;
    return weights_->route() + (split ? ", inputs of 16 bits in two halves" : "");
  }

  [[nodiscard]] int64_t bytes() const override {
    return weights_->bytes() +
           (input_scale_.defined() ? static_cast<int64_t>(input_scale_.nbytes()) : 0);
  }

 private:
  std::string name_;
  InputCoding coding_;
  std::unique_ptr<const PackedWeights> weights_;
  int64_t channels_;
  int64_t columns_;
  at::Tensor input_scale_;  // {K}, or undefined
};

}  // namespace

std::shared_ptr<const LinearProduct> make_linear(const std::string& name,
                                                 const QuantizedLayer& numbers) {
  if (numbers.bits == 16) {
    return make_half_linear(numbers);
  }
  return std::make_shared<IntegerLinear>(name, numbers);
}

}  // namespace sizewise::quantizing
