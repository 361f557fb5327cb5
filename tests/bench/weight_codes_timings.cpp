// How fast weights become codes, and what memory that takes; weight_codes_bench.py judges
// it.

#include <fstream>
#include <limits>
#include <string>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "weight_codes.hpp"

namespace {

using namespace sizewise;

constexpr int kThreads = 2;

/// Forgets the most memory that this process has had.
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

/// "VmHWM" or "VmRSS" of this process, in bytes.
double memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == field + ":") {
      double kibibytes = 0.0;
      status >> kibibytes;
      return kibibytes * 1024.0;
    }
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void code(benchmark::State& state, int64_t size, const char* options) {
  at::set_num_threads(kThreads);
  LayerView layer;
  layer.name = "fc1";
  layer.weight = at::randn({size, size}) * 0.02;
  const auto settings = quantizers::weight_settings(Options::from_json(options));
  const auto bytes = static_cast<double>(layer.weight.nbytes());
  forget_peak();
  const double before = memory("VmRSS");
  for (auto _ : state) {
    benchmark::DoNotOptimize(quantizers::quantize_weight(layer, settings).codes);
  }
  // The weight itself counts.
  state.counters["memory_of_weight"] = 1.0 + (memory("VmHWM") - before) / bytes;
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

BENCHMARK_CAPTURE(code, int8_channel, 8192, R"({"bits": 8})")->UseRealTime();
BENCHMARK_CAPTURE(code, int8_auto, 8192, R"({"bits": 8, "scheme": "auto"})")
    ->UseRealTime();
BENCHMARK_CAPTURE(code,
                  int4_g16,
                  8192,
                  R"({"bits": 4, "granularity": "group", "group_size": 16})")
    ->UseRealTime();
BENCHMARK_CAPTURE(code, bfloat16, 8192, R"({"bits": 16})")->UseRealTime();
BENCHMARK_CAPTURE(code, int8_clipped, 2048, R"({"bits": 8, "clip": true})")
    ->UseRealTime();
BENCHMARK_CAPTURE(code,
                  int8_tensor_clipped,
                  2048,
                  R"({"bits": 8, "granularity": "tensor", "clip": true})")
    ->UseRealTime();
BENCHMARK_CAPTURE(code,
                  int4_g32_auto_clipped,
                  2048,
                  R"({"bits": 4, "scheme": "auto", "granularity": "group",
                      "group_size": 32, "clip": true})")
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
