// What it costs to observe 10^7 floats, and to choose a range of them.
#include <cstdint>

#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <benchmark/benchmark.h>

#include "quantizing/range_observer.hpp"

namespace sizewise::quantizing {
namespace {

constexpr int64_t kValues = 10'000'000;

void observe(benchmark::State& state, ObserverKind kind, bool positive) {
  at::Tensor values = at::randn({kValues});
  if (positive) {
    values = at::relu(values);
  }
  const auto observer = make_observer(kind);
  for (auto run : state) {
    observer->observe(values);
  }
  state.SetItemsProcessed(state.iterations() * kValues);
}

void choose(benchmark::State& state, ObserverKind kind) {
  const auto observer = make_observer(kind);
  observer->observe(at::randn({kValues}));
  for (auto run : state) {
    benchmark::DoNotOptimize(observer->range());
  }
}

BENCHMARK_CAPTURE(observe, minmax, ObserverKind::kMinMax, false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(observe, histogram, ObserverKind::kPercentile, false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(observe, histogram_after_relu, ObserverKind::kPercentile, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(choose, percentile, ObserverKind::kPercentile)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(choose, mse, ObserverKind::kMse)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(choose, entropy, ObserverKind::kEntropy)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sizewise::quantizing

BENCHMARK_MAIN();
