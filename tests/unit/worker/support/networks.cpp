#include "support/networks.hpp"

#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/rnn.h>

#include "sizewise/model.hpp"

namespace sizewise::test {
namespace {

namespace nn = torch::nn;

class Network : public nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& input) = 0;
};

class Mlp final : public Network {
 public:
  Mlp(int64_t width, const DatasetInfo& data)
      : first_(register_module("first", nn::Linear(data.input_shape.at(0), width))),
        second_(register_module("second", nn::Linear(width, width))),
        head_(register_module("head", nn::Linear(width, data.classes))) {}
  at::Tensor forward(const at::Tensor& input) override {
    return head_(at::relu(second_(at::relu(first_(input)))));
  }

 private:
  nn::Linear first_;
  nn::Linear second_;
  nn::Linear head_;
};

class Cnn final : public Network {
 public:
  Cnn(int64_t channels, const DatasetInfo& data)
      : first_(register_module(
            "first",
            nn::Conv2d(
                nn::Conv2dOptions(data.input_shape.at(0), channels, 3).padding(1)))),
        second_(register_module(
            "second",
            nn::Conv2d(
                nn::Conv2dOptions(channels, 2 * channels, 3).stride(2).padding(1)))),
        head_(register_module("head", nn::Linear(2 * channels, data.classes))) {}
  at::Tensor forward(const at::Tensor& input) override {
    const at::Tensor features = at::relu(second_(at::relu(first_(input))));
    return head_(features.mean({2, 3}));
  }

 private:
  nn::Conv2d first_;
  nn::Conv2d second_;
  nn::Linear head_;
};

constexpr int64_t kGptHeads = 2;

class Block final : public nn::Module {
 public:
  explicit Block(int64_t width)
      : first_norm_(
            register_module("first_norm", nn::LayerNorm(nn::LayerNormOptions({width})))),
        attention_(register_module("attention", nn::Linear(width, 3 * width))),
        mixed_(register_module("mixed", nn::Linear(width, width))),
        second_norm_(
            register_module("second_norm", nn::LayerNorm(nn::LayerNormOptions({width})))),
        up_(register_module("up", nn::Linear(width, 4 * width))),
        down_(register_module("down", nn::Linear(4 * width, width))) {}
  at::Tensor forward(const at::Tensor& input) {
    const auto parts = attention_(first_norm_(input)).chunk(3, -1);
    const auto heads = [&](const at::Tensor& tensor) {
      return tensor.view({tensor.size(0), tensor.size(1), kGptHeads, -1}).transpose(1, 2);
    };
    const at::Tensor attended = at::scaled_dot_product_attention(
        heads(parts[0]), heads(parts[1]), heads(parts[2]), {}, 0.0, true);
    const at::Tensor stream =
        input + mixed_(attended.transpose(1, 2).reshape(input.sizes()));
    return stream + down_(at::gelu(up_(second_norm_(stream))));
  }

 private:
  nn::LayerNorm first_norm_;
  nn::Linear attention_;
  nn::Linear mixed_;
  nn::LayerNorm second_norm_;
  nn::Linear up_;
  nn::Linear down_;
};

/// A linear layer without bias whose weight another module has registered too.
class TiedHead final : public nn::Module {
 public:
  explicit TiedHead(const at::Tensor& weight)
      : weight_(register_parameter("weight", weight)) {}
  at::Tensor forward(const at::Tensor& input) { return at::linear(input, weight_); }

 private:
  at::Tensor weight_;
};

class Gpt final : public Network {
 public:
  Gpt(int64_t width, const DatasetInfo& data)
      : tokens_(register_module("tokens", nn::Embedding(data.vocabulary, width))),
        positions_(register_module("positions", nn::Embedding(data.context, width))),
        first_(register_module("block0", std::make_shared<Block>(width))),
        second_(register_module("block1", std::make_shared<Block>(width))),
        head_(register_module("head", std::make_shared<TiedHead>(tokens_->weight))) {
    const at::NoGradGuard no_grad;
    tokens_->weight.mul_(0.1);
  }
  at::Tensor forward(const at::Tensor& input) override {
    const at::Tensor stream =
        tokens_(input) + positions_->weight.narrow(0, 0, input.size(1));
    return head_->forward(second_->forward(first_->forward(stream)));
  }

 private:
  nn::Embedding tokens_;
  nn::Embedding positions_;
  std::shared_ptr<Block> first_;
  std::shared_ptr<Block> second_;
  std::shared_ptr<TiedHead> head_;
};

class Upsampler final : public Network {
 public:
  Upsampler(int64_t channels, const DatasetInfo& data)
      : enter_(register_module(
            "enter", nn::Conv2d(nn::Conv2dOptions(data.input_shape.at(0), channels, 1)))),
        up_(register_module(
            "up",
            nn::ConvTranspose2d(nn::ConvTranspose2dOptions(channels, 2 * channels, 4)
                                    .stride(2)
                                    .padding(1)))),
        depthwise_(
            register_module("depthwise",
                            nn::Conv2d(nn::Conv2dOptions(2 * channels, 2 * channels, 3)
                                           .padding(2)
                                           .dilation(2)
                                           .groups(2 * channels)))),
        grouped_up_(register_module(
            "grouped_up",
            nn::ConvTranspose2d(
                nn::ConvTranspose2dOptions(2 * channels, channels, 3).groups(2)))),
        line_(register_module(
            "line", nn::Conv1d(nn::Conv1dOptions(channels, channels, 5).stride(3)))),
        head_(register_module("head", nn::Linear(channels, data.classes))) {}
  at::Tensor forward(const at::Tensor& input) override {
    const at::Tensor image = grouped_up_(at::relu(depthwise_(up_(enter_(input)))));
    return head_(line_(image.flatten(2)).mean(2));
  }

 private:
  nn::Conv2d enter_;
  nn::ConvTranspose2d up_;
  nn::Conv2d depthwise_;
  nn::ConvTranspose2d grouped_up_;
  nn::Conv1d line_;
  nn::Linear head_;
};

class Lstm final : public Network {
 public:
  Lstm(int64_t width, const DatasetInfo& data)
      : tokens_(register_module("tokens", nn::Embedding(data.vocabulary, width))),
        lstm_(register_module(
            "lstm",
            nn::LSTM(nn::LSTMOptions(width, width).num_layers(2).batch_first(true)))),
        head_(register_module("head", nn::Linear(width, data.vocabulary))) {}
  at::Tensor forward(const at::Tensor& input) override {
    return head_(std::get<0>(lstm_(tokens_(input))));
  }

 private:
  nn::Embedding tokens_;
  nn::LSTM lstm_;
  nn::Linear head_;
};

/// Every position attends to the first third of the sequence, after self-attention.
class Translator final : public Network {
 public:
  Translator(int64_t width, const DatasetInfo& data)
      : tokens_(register_module("tokens", nn::Embedding(data.vocabulary, width))),
        self_(register_module(
            "self", nn::MultiheadAttention(nn::MultiheadAttentionOptions(width, 2)))),
        query_(register_module("query", nn::Linear(width, width))),
        key_(register_module("key", nn::Linear(width, width))),
        value_(register_module("value", nn::Linear(width, width / 2))),
        head_(register_module("head", nn::Linear(width / 2, data.vocabulary))) {}
  at::Tensor forward(const at::Tensor& input) override {
    const at::Tensor stream = tokens_(input).transpose(0, 1);
    const at::Tensor source = std::get<0>(self_(stream, stream, stream)).transpose(0, 1);
    const at::Tensor memory = source.narrow(1, 0, input.size(1) / 3);
    // The memory is shorter than what attends to it, and values are narrower than keys.
    const at::Tensor scores =
        at::matmul(query_(source), key_(memory).transpose(1, 2)).softmax(-1);
    return head_(at::matmul(scores, value_(memory)));
  }

 private:
  nn::Embedding tokens_;
  nn::MultiheadAttention self_;
  nn::Linear query_;
  nn::Linear key_;
  nn::Linear value_;
  nn::Linear head_;
};

class Bilinear final : public Network {
 public:
  Bilinear(int64_t width, const DatasetInfo& data)
      : enter_(register_module("enter", nn::Linear(data.input_shape.at(0), width))),
        core_(register_parameter("core", at::randn({width, width, width}) * 0.1)),
        vector_(register_parameter("vector", at::randn({width}) * 0.1)),
        head_(register_module("head", nn::Linear(width, data.classes))) {}
  at::Tensor forward(const at::Tensor& input) override {
    const at::Tensor hidden = at::tanh(enter_(input));
    const at::Tensor pairs = at::einsum("bi,ijk,bk->bj", {hidden, core_, hidden});
    return head_(pairs) + at::matmul(hidden, vector_).unsqueeze(1);
  }

 private:
  nn::Linear enter_;
  at::Tensor core_;
  at::Tensor vector_;
  nn::Linear head_;
};

class NetworkModel final : public Model {
 public:
  explicit NetworkModel(std::shared_ptr<Network> network)
      : network_(std::move(network)) {}
  TensorMap forward(const TensorMap& batch) override {
    return {{"output", network_->forward(tensor_at(batch, "input"))}};
  }
  [[nodiscard]] int64_t num_params() const override { return count_params(*network_); }
  [[nodiscard]] nn::Module& module() override { return *network_; }

 private:
  std::shared_ptr<Network> network_;
};

using Factory =
    std::function<std::shared_ptr<Network>(int64_t size, const DatasetInfo& data)>;

template <class T>
Factory factory_of() {
  return [](int64_t size, const DatasetInfo& data) {
    return std::make_shared<T>(size, data);
  };
}

class NetworkFamily final : public ModelFamily {
 public:
  NetworkFamily(Factory factory, DatasetInfo data)
      : factory_(std::move(factory)), data_(std::move(data)) {}
  [[nodiscard]] std::unique_ptr<Model> create(int64_t size) const override {
    return std::make_unique<NetworkModel>(factory_(size, data_));
  }

 private:
  Factory factory_;
  DatasetInfo data_;
};

}  // namespace

training::Named<ModelFamily> make_family(const std::string& name,
                                         const DatasetInfo& data) {
  static const std::map<std::string, Factory> kFactories = {
      {"mlp", factory_of<Mlp>()},
      {"cnn", factory_of<Cnn>()},
      {"gpt", factory_of<Gpt>()},
      {"upsampler", factory_of<Upsampler>()},
      {"lstm", factory_of<Lstm>()},
      {"translator", factory_of<Translator>()},
      {"bilinear", factory_of<Bilinear>()}};
  return {name, std::make_shared<NetworkFamily>(kFactories.at(name), data)};
}

DatasetInfo data_for(std::string_view name) {
  DatasetInfo data;
  if (name == "gpt" || name == "lstm" || name == "translator") {
    data.unit = "token";
    data.units_per_sample = data.context = 12;
    data.input_shape = data.target_shape = {12};
    data.input_type = data.target_type = "int64";
    data.vocabulary = data.classes = 17;
  } else {
    data.unit = "example";
    data.input_shape = name == "cnn" || name == "upsampler"
                           ? std::vector<int64_t>{2, 9, 7}
                           : std::vector<int64_t>{11};
    data.input_type = "float32";
    data.target_type = "int64";
    data.classes = 5;
  }
  data.train_samples = 64;
  data.validation_samples = 24;
  return data;
}

}  // namespace sizewise::test
