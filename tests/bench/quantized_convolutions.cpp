#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "kernels/processor_level.hpp"
#include "quantizing/convolution_routes.hpp"
#include "quantizing/onednn_convolution.hpp"

// Times of quantized convolutions beside the float one, in turns: a line of JSON for each
// layer, with the least time of each in microseconds. Arguments: threads, and seconds for
// each layer. quantized_convolutions_bench.py runs it beside onnxruntime.

namespace {

using namespace sizewise::quantizing;  // NOLINT(google-build-using-namespace): one
                                       // program
using sizewise::ActivationTreatment;

struct BenchLayer {
  const char* name;
  int64_t images;
  int64_t channels;
  int64_t outputs;
  int64_t size;
  int64_t groups;
};

constexpr BenchLayer kLayers[] = {{"256->256 28x28 batch 8", 8, 256, 256, 28, 1},
                                  {"64->64 56x56 batch 8", 8, 64, 64, 56, 1},
                                  {"256->256 28x28 batch 1", 1, 256, 256, 28, 1},
                                  {"depthwise 256 28x28 batch 8", 8, 256, 256, 28, 256}};

// The first run of a turn finds the caches and the allocator as others left them.
constexpr int kRunsInARow = 3;

struct Candidate {
  std::string name;
  std::function<at::Tensor()> run;
  double least = std::numeric_limits<double>::infinity();
};

QuantizedWeight made_weight(const BenchLayer& layer, ActivationTreatment activation) {
  QuantizedWeight weight;
  weight.name = "conv.weight";
  weight.use = WeightUse::kConvolution;
  weight.shape = {layer.outputs, layer.channels / layer.groups, 3, 3};
  sizewise::QuantizedLayer& numbers = weight.numbers;
  const int64_t columns = 9 * weight.shape[1];
  numbers.codes = at::randint(-127, 128, {layer.outputs, columns}, at::kChar);
  numbers.scales = at::full({layer.outputs, 1}, 0.001);
  numbers.activation = activation;
  numbers.activation_scale = 0.03;
  numbers.activation_zero_point = 120;
  return weight;
}

/// @returns microseconds of one run
double time_of(const std::function<at::Tensor()>& run) {
  const auto start = std::chrono::steady_clock::now();
  const at::Tensor output = run();
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - start;
  return took.count();
}

void run_layer(const BenchLayer& layer, double seconds) {
  const ConvolutionGeometry geometry{{1, 1}, {1, 1}, {1, 1}, {0, 0}, false, layer.groups};
  const at::Tensor input =
      at::randn({layer.images, layer.channels, layer.size, layer.size});
  const at::Tensor inside = input.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight =
      at::randn({layer.outputs, layer.channels / layer.groups, 3, 3});
  const at::Tensor bias = at::randn({layer.outputs});
  std::vector<Candidate> candidates;
  const auto add_float = [&](const char* name, const at::Tensor& layout) {
    candidates.push_back({name, [&, layout] {
                            return at::convolution(layout,
                                                   weight,
                                                   bias,
                                                   geometry.stride,
                                                   geometry.padding,
                                                   geometry.dilation,
                                                   false,
                                                   geometry.output_padding,
                                                   layer.groups);
                          }});
  };
  const auto add = [&](const std::string& name,
                       ActivationTreatment activation,
                       ConvolutionRoute route,
                       const at::Tensor& layout) {
    const std::shared_ptr<ConvolutionProduct> product =
        make_convolution(made_weight(layer, activation), route);
    candidates.push_back({name, [&geometry, &bias, product, layout] {
                            return product->run(layout, bias, geometry);
                          }});
  };
  const QuantizedWeight some = made_weight(layer, ActivationTreatment::kStatic);
  const ConvolutionRoute route = choose_route(some, layer.groups);
  add_float("float", input);
  add("static", ActivationTreatment::kStatic, route, input);
  add("dynamic", ActivationTreatment::kDynamicPerTensor, route, input);
  add("weights", ActivationTreatment::kNone, route, input);
  add_float("float channels last", inside);
  add("static channels last", ActivationTreatment::kStatic, route, inside);
  add("columns", ActivationTreatment::kStatic, ConvolutionRoute::kColumns, input);
  if (can_run_onednn(some)) {
    add("onednn", ActivationTreatment::kStatic, ConvolutionRoute::kOnednn, input);
  }
  for (Candidate& candidate : candidates) {
    time_of(candidate.run);
  }
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start <
         std::chrono::duration<double>(seconds)) {
    for (Candidate& candidate : candidates) {
      for (int run = 0; run < kRunsInARow; ++run) {
        candidate.least = std::min(candidate.least, time_of(candidate.run));
      }
    }
  }
  const auto& level = sizewise::kernels::level_choice().level;
  std::printf("{\"layer\": \"%s\", \"level\": \"%s\", \"route\": \"%s\"",
              layer.name,
              std::string(sizewise::kernels::name_of(level)).c_str(),
              make_convolution(some, route)->route().c_str());
  for (const Candidate& candidate : candidates) {
    std::printf(", \"%s\": %.1f", candidate.name.c_str(), candidate.least);
  }
  std::printf("}\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const c10::NoGradGuard no_gradients;
  at::set_num_threads(argc > 1 ? std::stoi(argv[1]) : 2);
  const double seconds = argc > 2 ? std::stod(argv[2]) : 2.0;
  for (const BenchLayer& layer : kLayers) {
    run_layer(layer, seconds);
  }
  return 0;
}
