#include <tuple>

#include <torch/nn.h>

#include "quantizing/coverage_subjects.hpp"

namespace sizewise::quantizing::test {
namespace {

namespace nn = torch::nn;

at::Tensor image() {
  return torch::randn({2, 8, 12, 12});
}

at::Tensor tokens() {
  return torch::tensor({{1, 5, 7}, {2, 0, 3}}, at::kLong);
}

Row conv2d(const std::string& name, const nn::Conv2dOptions& options) {
  return row(name, Verdict::kKernel, [options] {
    return subject(nn::Conv2d(options), image());
  });
}

std::vector<Row> linear_rows() {
  const auto layer = [](bool bias) {
    return nn::Linear(nn::LinearOptions(64, 32).bias(bias));
  };
  std::vector<Row> rows;
  for (const bool bias : {true, false}) {
    const std::string suffix = bias ? "" : "NoBias";
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{64}, {4, 64}, {2, 3, 64}}) {
      rows.push_back(row(
          "Linear" + std::to_string(shape.size()) + "D" + suffix, Verdict::kKernel, [=] {
            return subject(layer(bias), torch::randn(shape));
          }));
    }
  }
  rows.push_back(row("Sequential", Verdict::kKernel, [] {
    return subject(nn::Sequential(nn::Linear(8, 8), nn::ReLU(), nn::Linear(8, 4)),
                   torch::randn({4, 8}),
                   [](nn::Sequential& all, const at::Tensor& x) {
                     return all->forward(x);
                   });
  }));
  rows.push_back(row("AnyModule", Verdict::kKernel, [] {
    nn::Linear linear(8, 4);
    nn::AnyModule any(linear);
    return Subject{linear.ptr(),
                   [any](const at::Tensor& x) mutable {
                     return any.forward(x);
                   },
                   torch::randn({4, 8})};
  }));
  return rows;
}

std::vector<Row> convolution_rows() {
  using Conv2d = nn::Conv2dOptions;
  return {
      row("Conv1d",
          Verdict::kKernel,
          [] {
            return subject(nn::Conv1d(nn::Conv1dOptions(8, 16, 3).padding(1)),
                           torch::randn({2, 8, 20}));
          }),
      conv2d("Conv2dPaddingStride", Conv2d(8, 16, 3).padding(1).stride(2)),
      conv2d("Conv2dSame", Conv2d(8, 16, 3).padding(torch::kSame)),
      conv2d("Conv2dSameEven", Conv2d(8, 16, 4).padding(torch::kSame)),
      conv2d("Conv2dCircular",
             Conv2d(8, 16, 3).padding(1).padding_mode(torch::kCircular)),
      conv2d("Conv2dGroupsDilation", Conv2d(8, 16, 3).groups(4).dilation(2)),
      row("Conv2dChannelsLast",
          Verdict::kKernel,
          [] {
            return subject(nn::Conv2d(Conv2d(8, 16, 3)),
                           image().contiguous(at::MemoryFormat::ChannelsLast));
          }),
      row("Conv2dUnbatched",
          Verdict::kKernel,
          [] {
            return subject(nn::Conv2d(Conv2d(8, 16, 3)), torch::randn({8, 12, 12}));
          }),
      row("Conv3d",
          Verdict::kKernel,
          [] {
            return subject(nn::Conv3d(nn::Conv3dOptions(4, 8, 3)),
                           torch::randn({1, 4, 6, 6, 6}));
          }),
      row("ConvTranspose2d",
          Verdict::kKernel,
          [] {
            return subject(
                nn::ConvTranspose2d(nn::ConvTranspose2dOptions(8, 16, 3).stride(2)),
                image());
          }),
  };
}

/// Attention over keys and values that are made of the queries.
template <class MakeKeys>
Subject attention(const nn::MultiheadAttentionOptions& options, MakeKeys make_keys) {
  return subject(nn::MultiheadAttention(options),
                 torch::randn({5, 2, 32}),
                 [make_keys](nn::MultiheadAttention& layer, const at::Tensor& x) {
                   const at::Tensor keys = make_keys(x);
                   return std::get<0>(layer->forward(x, keys, keys));
                 });
}

std::vector<Row> attention_rows() {
  using Options = nn::MultiheadAttentionOptions;
  return {
      row("AttentionToItself",
          Verdict::kKernel,
          [] {
            return attention(Options(32, 4), [](const at::Tensor& x) {
              return x;
            });
          }),
      // in_proj_weight is used in slices: only out_proj is a whole weight.
      row("AttentionAcross",
          Verdict::kPartly,
          [] {
            return attention(Options(32, 4), [](const at::Tensor& x) {
              return x * 0.3;
            });
          }),
      row("AttentionOtherWidths",
          Verdict::kKernel,
          [] {
            return attention(Options(32, 4).kdim(16).vdim(16), [](const at::Tensor& x) {
              return x.slice(-1, 0, 16);
            });
          }),
      row("TransformerEncoderLayer",
          Verdict::kKernel,
          [] {
            return subject(
                nn::TransformerEncoderLayer(
                    nn::TransformerEncoderLayerOptions(32, 4).dim_feedforward(64).dropout(
                        0)),
                torch::randn({5, 2, 32}));
          }),
  };
}

/// The outputs of a recurrent layer, without its states.
template <class Layer>
at::Tensor outputs(Layer& layer, const at::Tensor& x) {
  return std::get<0>(layer->forward(x));
}

at::Tensor without_onednn(nn::LSTM& layer, const at::Tensor& x) {
  at::globalContext().setUserEnabledMkldnn(false);
  at::Tensor result = outputs(layer, x);
  at::globalContext().setUserEnabledMkldnn(true);
  return result;
}

std::vector<Row> recurrent_rows() {
  const auto lstm = [] {
    return nn::LSTM(nn::LSTMOptions(16, 24).num_layers(2).bidirectional(true));
  };
  return {
      row("Lstm",
          Verdict::kFallback,
          [lstm] {
            return subject(lstm(), torch::randn({5, 2, 16}), outputs<nn::LSTM>);
          }),
      row("LstmWithoutOneDnn",
          Verdict::kKernel,
          [lstm] {
            return subject(lstm(), torch::randn({5, 2, 16}), without_onednn);
          }),
      row("Gru",
          Verdict::kKernel,
          [] {
            return subject(nn::GRU(nn::GRUOptions(16, 24)),
                           torch::randn({5, 2, 16}),
                           outputs<nn::GRU>);
          }),
      row("LstmCell",
          Verdict::kKernel,
          [] {
            return subject(
                nn::LSTMCell(16, 24), torch::randn({2, 16}), outputs<nn::LSTMCell>);
          }),
  };
}

/// A head whose weight is the embedding's, tied as C++ programs do it.
struct TiedImpl : nn::Module {
  TiedImpl() {
    register_module("embedding", embedding);
    head->weight = embedding->weight;
  }
  at::Tensor forward(const at::Tensor& x) { return head(embedding(x)); }
  nn::Embedding embedding{10, 16};
  nn::Linear head{16, 10};
};
TORCH_MODULE(Tied);

std::vector<Row> embedding_rows() {
  return {
      row("Embedding",
          Verdict::kKernel,
          [] {
            return subject(nn::Embedding(10, 16), tokens());
          }),
      row(
          "EmbeddingMaxNorm",
          Verdict::kThrows,
          [] {
            return subject(nn::Embedding(nn::EmbeddingOptions(10, 16).max_norm(1.0)),
                           tokens());
          },
          "aten::embedding_renorm_ writes to the weight of layer 'weight'"),
      row("EmbeddingBag",
          Verdict::kFallback,
          [] {
            return subject(nn::EmbeddingBag(10, 16),
                           tokens(),
                           [](nn::EmbeddingBag& layer, const at::Tensor& x) {
                             return layer->forward(x);
                           });
          }),
      row("Tied",
          Verdict::kKernel,
          [] {
            return subject(Tied(), tokens());
          }),
  };
}

}  // namespace

std::vector<Row> layer_rows() {
  std::vector<Row> rows = linear_rows();
  append(rows, convolution_rows());
  append(rows, attention_rows());
  append(rows, recurrent_rows());
  append(rows, embedding_rows());
  return rows;
}

}  // namespace sizewise::quantizing::test
