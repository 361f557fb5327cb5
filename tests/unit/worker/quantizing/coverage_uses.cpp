#include <ATen/autocast_mode.h>
#include <torch/nn.h>

#include "quantizing/coverage_subjects.hpp"

namespace sizewise::quantizing::test {
namespace {

namespace nn = torch::nn;
namespace functional = torch::nn::functional;

using WeightUser = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& w)>;

/// A row whose forward does something of its own with a linear layer's weight (8 x 8:
/// only the orientation tells it from its transpose).
Row with_weight(const std::string& name,
                Verdict verdict,
                const WeightUser& use,
                const std::string& message = {}) {
  return {name,
          verdict,
          [use] {
            return subject(nn::Linear(8, 8),
                           torch::randn({4, 8}),
                           [use](nn::Linear& layer, const at::Tensor& x) {
                             return use(x, layer->weight);
                           });
          },
          message};
}

std::vector<Row> product_rows() {
  using enum Verdict;
  using T = const at::Tensor&;
  return {
      with_weight("FunctionalLinear",
                  kKernel,
                  [](T x, T w) {
                    return functional::linear(x, w);
                  }),
      with_weight("MatmulT",
                  kKernel,
                  [](T x, T w) {
                    return x.matmul(w.t());
                  }),
      with_weight("MatmulTranspose",
                  kKernel,
                  [](T x, T w) {
                    return x.matmul(w.transpose(0, 1));
                  }),
      with_weight("Detach",
                  kKernel,
                  [](T x, T w) {
                    return functional::linear(x, w.detach());
                  }),
      with_weight("Data",
                  kKernel,
                  [](T x, T w) {
                    return functional::linear(x, w.data());
                  }),
      with_weight("MatmulSquare",
                  kFallback,
                  [](T x, T w) {
                    return x.matmul(w);
                  }),
      with_weight("WeightFirst",
                  kFallback,
                  [](T x, T w) {
                    return w.matmul(x.t());
                  }),
      with_weight("Mv",
                  kFallback,
                  [](T x, T w) {
                    return w.mv(x[0]);
                  }),
      with_weight("Einsum",
                  kFallback,
                  [](T x, T w) {
                    return at::einsum("bi,oi->bo", {x, w});
                  }),
      with_weight("Bmm",
                  kFallback,
                  [](T x, T w) {
                    return x.unsqueeze(0).bmm(w.t().unsqueeze(0));
                  }),
      row("Bilinear",
          kFallback,
          [] {
            return subject(nn::Bilinear(16, 16, 8),
                           torch::randn({4, 16}),
                           [](nn::Bilinear& layer, T x) {
                             return layer->forward(x, x * 0.5);
                           });
          }),
  };
}

std::vector<Row> changed_rows() {
  using enum Verdict;
  using T = const at::Tensor&;
  return {
      with_weight("WeightNorm",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, w / w.norm(2, 1, true));
                  }),
      with_weight("Delta",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, w + 0.1);
                  }),
      with_weight("Cat",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, at::cat({w, w}));
                  }),
      with_weight("Slice",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, w.index({torch::indexing::Slice(0, 4)}));
                  }),
      with_weight("Chunk",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, w.chunk(2)[0]);
                  }),
      with_weight("View",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x, w.view({-1, 8}));
                  }),
      with_weight("Item",
                  kFallback,
                  [](T x, T w) {
                    return x * w[0][0].item<float>();
                  }),
      with_weight("ToDouble",
                  kFallback,
                  [](T x, T w) {
                    return functional::linear(x.to(at::kDouble), w.to(at::kDouble));
                  }),
  };
}

at::Tensor after_write(const at::Tensor& x,
                       const at::Tensor& weight,
                       const at::Tensor& written) {
  const at::NoGradGuard no_gradients;
  written.mul_(1);  // not a bit changes where it is not refused
  return functional::linear(x, weight);
}

std::vector<Row> throwing_rows() {
  using T = const at::Tensor&;
  constexpr Verdict kThrows = Verdict::kThrows;
  const std::string no_storage = "that doesn't have storage";
  const std::string written = "aten::mul_.Scalar writes to the weight of layer 'weight'";
  return {
      with_weight(
          "DataPtr",
          kThrows,
          [](T x, T w) {
            return x * *w.data_ptr<float>();
          },
          no_storage),
      with_weight(
          "Accessor",
          kThrows,
          [](T x, T w) {
            return x * w.accessor<float, 2>()[0][0];
          },
          no_storage),
      with_weight(
          "Storage",
          kThrows,
          [](T x, T w) {
            return x * static_cast<double>(w.storage().nbytes());
          },
          "storage"),
      with_weight(
          "Write",
          kThrows,
          [](T x, T w) {
            return after_write(x, w, w);
          },
          written),
      with_weight(
          "WriteToTranspose",
          kThrows,
          [](T x, T w) {
            return after_write(x, w, w.t());
          },
          written),
      with_weight(
          "WriteThroughView",
          kThrows,
          [](T x, T w) {
            return after_write(x, w, w[0]);
          },
          written),
  };
}

at::Tensor under_autocast(nn::Sequential& layers, const at::Tensor& x) {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::Tensor result = layers->forward(x);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  return result;
}

std::vector<Row> mode_rows() {
  return {
      row("Autocast",
          Verdict::kKernel,
          [] {
            return subject(nn::Sequential(nn::Linear(8, 8), nn::Linear(8, 4)),
                           torch::randn({4, 8}),
                           under_autocast);
          }),
      row("AutocastConvolution",
          Verdict::kKernel,
          [] {
            return subject(
                nn::Sequential(nn::Conv2d(3, 4, 3), nn::ConvTranspose2d(4, 2, 3)),
                torch::randn({2, 3, 6, 6}),
                under_autocast);
          }),
      row("InferenceMode",
          Verdict::kKernel,
          [] {
            return subject(nn::Linear(8, 8),
                           torch::randn({4, 8}),
                           [](nn::Linear& layer, const at::Tensor& x) {
                             const c10::InferenceMode inference;
                             return layer->forward(x.detach().clone());
                           });
          }),
  };
}

}  // namespace

std::vector<Row> use_rows() {
  std::vector<Row> rows = product_rows();
  append(rows, changed_rows());
  append(rows, throwing_rows());
  append(rows, mode_rows());
  return rows;
}

std::vector<Row> coverage_rows() {
  std::vector<Row> rows = layer_rows();
  append(rows, use_rows());
  return rows;
}

}  // namespace sizewise::quantizing::test
