// Quantizes a module that this program holds, saves it, and serves it in another one.
//
//   quantize_from_cpp FOLDER           makes the module, quantizes it, writes FOLDER
//   quantize_from_cpp FOLDER serve     makes it again and runs what FOLDER holds
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

#include <sizewise/error.hpp>
#include <sizewise/quantize.hpp>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/linear.h>

namespace {

/// An ordinary module; that it is Cloneable lets quantize() make its copy.
class Classifier : public torch::nn::Cloneable<Classifier> {
 public:
  Classifier() { reset(); }
  void reset() override {
    hidden_ = register_module("hidden", torch::nn::Linear(784, 256));
    scores_ = register_module("scores", torch::nn::Linear(256, 10));
  }
  at::Tensor forward(const at::Tensor& images) {
    return scores_->forward(hidden_->forward(images).relu());
  }

 private:
  torch::nn::Linear hidden_{nullptr};
  torch::nn::Linear scores_{nullptr};
};

int quantize_into(const char* folder) {
  at::manual_seed(1);
  const auto module = std::make_shared<Classifier>();  // yours would be trained
  std::vector<at::Tensor> images;
  for (int i = 0; i < 8; ++i) {
    images.push_back(at::rand({32, 784}));
  }
  sizewise::QuantizeSettings settings;
  settings.quantizer = "static";
  settings.options.set("observer", "percentile");
  sizewise::QuantizationResult result = sizewise::quantize(module, images, settings);
  if (!result) {
    for (const sizewise::Error& error : result.errors) {
      std::fprintf(
          stderr, "%s\n%s\n", error.message().c_str(), error.suggestion().c_str());
    }
    return 1;
  }
  result.save(folder);
  for (const sizewise::QuantizedLayerInfo& layer : result.info.layers) {
    std::printf("%s: %d bits, %.1f dB, %s\n",
                layer.name.c_str(),
                layer.bits,
                layer.sqnr_db,
                layer.kernel.c_str());
  }
  std::printf("outputs differ by %.2f %%; %llu bytes were %llu\n",
              100.0 * result.validate(0.05).output_error,
              static_cast<unsigned long long>(result.info.quantized_bytes),
              static_cast<unsigned long long>(result.info.float_bytes));
  return 0;
}

int serve(const char* folder) {
  Classifier module;
  sizewise::load_quantized(module, folder);
  module.eval();
  const at::NoGradGuard no_gradients;
  at::manual_seed(2);
  const at::Tensor scores = module.forward(at::rand({1, 784}));
  std::printf("class %lld\n", static_cast<long long>(scores.argmax().item<int64_t>()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || (argc > 2 && std::string_view(argv[2]) != "serve")) {
    std::fprintf(stderr, "usage: %s FOLDER [serve]\n", argv[0]);
    return 2;
  }
  try {
    return argc == 2 ? quantize_into(argv[1]) : serve(argv[1]);
  } catch (const sizewise::Error& error) {
    std::fprintf(stderr, "%s\n%s\n", error.message().c_str(), error.suggestion().c_str());
    return 2;
  }
}
