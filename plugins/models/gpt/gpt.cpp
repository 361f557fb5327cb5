#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

namespace {

using sizewise::DatasetInfo;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::Options;
using torch::nn::Embedding;
using torch::nn::LayerNorm;
using torch::nn::LayerNormOptions;
using torch::nn::Linear;
using torch::nn::LinearOptions;

// Source: Radford et al. 2019 (GPT-2), section 2.3, and its published code.
constexpr double kInitialDeviation = 0.02;
// GPT-2 draws every matrix with that deviation, at widths near this one. In a narrow
// model sums over the width would start too small, and small budgets end before they
// recover.
constexpr double kReferenceWidth = 1024.0;

/// A linear layer without bias, its weight drawn from a normal distribution.
Linear make_linear(int64_t inputs, int64_t outputs, double deviation) {
  Linear linear(LinearOptions(inputs, outputs).bias(false));
  torch::nn::init::normal_(linear->weight, 0.0, deviation);
  return linear;
}

/// How matrices are drawn at first.
struct Deviations {
  double matrix = 0.0;
  double branch = 0.0;  ///< of matrices whose product is added to the stream
};

Deviations deviations_of(int64_t width, int64_t layers) {
  const double matrix =
      kInitialDeviation * std::sqrt(kReferenceWidth / static_cast<double>(width));
  // 2 * layers branches add up in the stream: each starts smaller by the root of that, so
  // that the sum starts at the same scale for any depth.
  return {.matrix = matrix,
          .branch = matrix / std::sqrt(2.0 * static_cast<double>(layers))};
}

/// One transformer block: attention to earlier tokens, then a two-layer perceptron, each
/// behind a norm and added to the stream.
class Block : public torch::nn::Module {
 public:
  Block(int64_t width, int64_t head_width, const Deviations& first)
      : heads_(width / head_width),
        attention_norm_(
            register_module("attention_norm", LayerNorm(LayerNormOptions({width})))),
        query_key_value_(register_module("query_key_value",
                                         make_linear(width, 3 * width, first.matrix))),
        attention_output_(
            register_module("attention_output", make_linear(width, width, first.branch))),
        mlp_norm_(register_module("mlp_norm", LayerNorm(LayerNormOptions({width})))),
        mlp_hidden_(
            register_module("mlp_hidden", make_linear(width, 4 * width, first.matrix))),
        mlp_output_(
            register_module("mlp_output", make_linear(4 * width, width, first.branch))) {}

  /// {batch, positions, width} -> the same
  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor stream = input + attend(attention_norm_(input));
    return stream + mlp_output_(at::gelu(mlp_hidden_(mlp_norm_(stream)), "tanh"));
  }

 private:
  at::Tensor attend(const at::Tensor& input) {
    const int64_t batch = input.size(0);
    const int64_t positions = input.size(1);
    // {3, batch, heads, positions, head_width}
    const at::Tensor parts = query_key_value_(input)
                                 .view({batch, positions, 3, heads_, -1})
                                 .permute({2, 0, 3, 1, 4});
    const at::Tensor mixed = at::scaled_dot_product_attention(
        parts.select(0, 0), parts.select(0, 1), parts.select(0, 2), {}, 0.0, true);
    return attention_output_(mixed.transpose(1, 2).reshape(input.sizes()));
  }

  int64_t heads_;
  LayerNorm attention_norm_;
  Linear query_key_value_;
  Linear attention_output_;
  LayerNorm mlp_norm_;
  Linear mlp_hidden_;
  Linear mlp_output_;
};

/// A decoder-only transformer with learned positions; the token embedding is also the
/// head's weight. Source: Radford et al. 2019 (GPT-2), without biases in linear layers.
class Gpt : public torch::nn::Module {
 public:
  /// @throws Error kConfiguration where head_width does not divide the width or the data
  /// are no tokens
  Gpt(int64_t width, const Options& options, const DatasetInfo& data)
      : context_(data.context) {
    check(width, options, data);
    const auto layers = options.get<int64_t>("layers");
    tokens_ = register_module("tokens", Embedding(data.vocabulary, width));
    positions_ = register_module("positions", Embedding(context_, width));
    torch::nn::init::normal_(tokens_->weight, 0.0, kInitialDeviation);
    torch::nn::init::normal_(positions_->weight, 0.0, kInitialDeviation);
    for (int64_t layer = 0; layer < layers; ++layer) {
      blocks_.push_back(register_module(
          "block" + std::to_string(layer),
          std::make_shared<Block>(
              width, options.get<int64_t>("head_width"), deviations_of(width, layers))));
    }
    norm_ = register_module("norm", LayerNorm(LayerNormOptions({width})));
    // With a tied head a token's own score starts near gain * deviation * width, which
    // would be far from uniform in a wide model.
    torch::nn::init::constant_(
        norm_->weight, std::min(1.0, kWidestUnitGain / static_cast<double>(width)));
  }

  /// Tokens {batch, positions} -> scores of the next token {batch, positions, vocabulary}
  at::Tensor forward(const at::Tensor& input) {
    const int64_t length = input.size(1);
    at::Tensor stream = tokens_(input) + positions_->weight.narrow(0, 0, length);
    for (const std::shared_ptr<Block>& block : blocks_) {
      stream = block->forward(stream);
    }
    return at::linear(norm_(stream), tokens_->weight);
  }

  int64_t num_params() const { return sizewise::count_params(*this); }

  static int64_t num_params_of(int64_t width,
                               const Options& options,
                               const DatasetInfo& data) {
    check(width, options, data);
    const int64_t norm = 2 * width;
    const int64_t block = 2 * norm + 12 * width * width;
    return (data.vocabulary + data.context) * width +
           options.get<int64_t>("layers") * block + norm;
  }

 private:
  static constexpr double kWidestUnitGain = 32.0;

  static void check(int64_t width, const Options& options, const DatasetInfo& data) {
    const auto head_width = options.get<int64_t>("head_width");
    if (width < 1 || width % head_width != 0) {
      throw Error(ErrorCode::kConfiguration,
                  "gpt: the width is " + std::to_string(width) +
                      "; allowed: positive multiples of head_width, which is " +
                      std::to_string(head_width),
                  "choose another width, or set head_width to a divisor of it");
    }
    if (data.vocabulary < 1 || data.context < 1 || data.classes != data.vocabulary) {
      throw Error(ErrorCode::kConfiguration,
                  "gpt: the dataset has vocabulary " + std::to_string(data.vocabulary) +
                      ", context " + std::to_string(data.context) + " and classes " +
                      std::to_string(data.classes) +
                      "; allowed: a vocabulary and a context of at least 1, and classes "
                      "equal to the vocabulary",
                  "choose a dataset of tokens: --dataset text or tokens");
    }
  }

  int64_t context_;
  Embedding tokens_{nullptr};
  Embedding positions_{nullptr};
  std::vector<std::shared_ptr<Block>> blocks_;
  LayerNorm norm_{nullptr};
};

}  // namespace

SIZEWISE_MODEL(Gpt)
