#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include "kernels/processor_level.hpp"
#include "quantizing/quantized_kernel.hpp"

// Layers that run quantized, behind the sites of ordinary modules, beside the same layers
// in float. quantized_layers_bench.py runs this beside its peers: it prints a line of
// what runs here, then for each line "NAME" on its input the least time of one call, in
// microseconds.

namespace {

using namespace sizewise::quantizing;  // NOLINT(google-build-using-namespace): one
                                       // program
using sizewise::ActivationTreatment;
using sizewise::Granularity;
using sizewise::QuantizedLayer;

constexpr int64_t kWide = 4096;
constexpr int64_t kGroupSize = 128;

/// Round to nearest, symmetric.
QuantizedLayer rounded(const at::Tensor& weight,
                       int bits,
                       ActivationTreatment activation) {
  const int64_t rows = weight.size(0);
  QuantizedLayer numbers;
  numbers.bits = bits;
  numbers.activation = activation;
  const bool grouped = bits == 4;
  numbers.granularity = grouped ? Granularity::kGroup : Granularity::kChannel;
  numbers.group_size = grouped ? kGroupSize : 0;
  const at::Tensor matrix = weight.detach();
  const at::Tensor groups =
      matrix.reshape({rows, grouped ? matrix.size(1) / kGroupSize : 1, -1});
  const double most = (1 << (bits - 1)) - 1;
  numbers.scales = groups.abs().amax(2) / most;
  numbers.codes =
      (groups / numbers.scales.unsqueeze(2)).round().to(at::kChar).reshape_as(matrix);
  return numbers;
}

std::shared_ptr<QuantizedKernel> kernel_of(const at::Tensor& weight,
                                           int bits,
                                           ActivationTreatment activation) {
  QuantizedWeight quantized;
  quantized.name = "layer.weight";
  quantized.shape = weight.sizes().vec();
  quantized.numbers = rounded(weight, bits, activation);
  return make_kernel(quantized);
}

/// Least time of one call over a fifth of a second, in microseconds.
double least_time(const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(200);
  double least = std::numeric_limits<double>::infinity();
  call();
  for (int i = 0; i < 5 || Clock::now() < end; ++i) {
    const auto start = Clock::now();
    call();
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    least = std::min(least, took.count());
  }
  return least;
}

torch::nn::Sequential small_network() {
  using torch::nn::Linear;
  using torch::nn::ReLU;
  return torch::nn::Sequential(
      Linear(784, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10));
}

/// What can be timed, by name.
class Contenders {
 public:
  Contenders() {
    torch::manual_seed(1);
    add_wide("float", at::kFloat, std::nullopt);
    add_wide("bfloat16", at::kBFloat16, std::nullopt);
    constexpr auto kDynamic = ActivationTreatment::kDynamicPerToken;
    add_wide("int8", at::kFloat, std::pair(8, kDynamic));
    add_wide("int4", at::kFloat, std::pair(4, kDynamic));
    add_wide("int8_weights", at::kFloat, std::pair(8, ActivationTreatment::kNone));
    add_wide("int4_weights", at::kFloat, std::pair(4, ActivationTreatment::kNone));
    add_small("mlp_float", false);
    add_small("mlp_int8", true);
  }

  [[nodiscard]] const std::vector<std::string>& routes() const { return routes_; }

  double time(const std::string& name) const { return least_time(calls_.at(name)); }
  [[nodiscard]] bool has(const std::string& name) const { return calls_.contains(name); }

 private:
  using Plan = std::optional<std::pair<int, ActivationTreatment>>;

  void add_wide(const std::string& name, at::ScalarType type, const Plan& plan) {
    torch::nn::Linear layer(torch::nn::LinearOptions(kWide, kWide).bias(false));
    layer->to(type);
    if (plan) {
      install(layer->weight, plan->first, plan->second, name);
    }
    for (const int64_t rows : {1, 8, 64, 512}) {
      const at::Tensor input = torch::randn({rows, kWide}).to(type);
      calls_[name + "_" + std::to_string(rows)] = [layer, input]() mutable {
        (void)layer(input);
      };
    }
  }

  void add_small(const std::string& name, bool quantized) {
    torch::nn::Sequential network = small_network();
    for (const at::Tensor& parameter : network->parameters()) {
      if (quantized && parameter.dim() == 2) {
        install(parameter, 8, ActivationTreatment::kDynamicPerTensor, name);
      }
    }
    const at::Tensor input = torch::rand({1, 784});
    calls_[name] = [network, input]() mutable {
      (void)network->forward(input);
    };
  }

  void install(const at::Tensor& weight,
               int bits,
               ActivationTreatment activation,
               const std::string& name) {
    const auto kernel = kernel_of(weight, bits, activation);
    routes_.push_back(name + ": " + kernel->route());
    (void)install_site(weight, kernel);
  }

  std::map<std::string, std::function<void()>> calls_;
  std::vector<std::string> routes_;
};

}  // namespace

int main() {
  const at::NoGradGuard no_gradients;
  at::set_num_threads(2);
  const Contenders contenders;
  const auto& level = sizewise::kernels::level_choice();
  std::cout << sizewise::kernels::name_of(level.level) << " (" << level.reason << ")";
  for (const std::string& route : contenders.routes()) {
    std::cout << "; " << route;
  }
  std::cout << std::endl;
  for (std::string name; std::getline(std::cin, name);) {
    if (!contenders.has(name)) {
      std::cerr << "quantized_layers: there is no '" << name << "'\n";
      return 2;
    }
    std::cout << contenders.time(name) << std::endl;
  }
  return 0;
}
