// Time of one training step, the batch included: fetch, forward, backward, clip, update.
// training_bench.py runs it beside eager_training.py, which does the same in Python.

#include <benchmark/benchmark.h>

#include "sizewise/model.hpp"

#include "serving/plugin_store.hpp"
#include "support/data.hpp"
#include "training/create_model.hpp"
#include "training/forward_backward.hpp"
#include "training/optimizer.hpp"

namespace {

using namespace sizewise;

constexpr double kLearningRate = 1e-3;

std::filesystem::path plugin(const char* id) {
  return std::filesystem::path(SIZEWISE_PLUGIN_FOLDER) / (std::string(id) + ".so");
}

DatasetInfo digits() {
  DatasetInfo data;
  data.unit = "example";
  data.train_samples = 2048;
  data.validation_samples = 1;
  data.input_shape = {784};
  data.input_type = "float32";
  data.target_type = "int64";
  data.classes = 10;
  return data;
}

DatasetInfo bytes() {
  DatasetInfo data;
  data.unit = "token";
  data.units_per_sample = data.context = 64;
  data.train_samples = 2048;
  data.validation_samples = 1;
  data.input_shape = data.target_shape = {64};
  data.input_type = data.target_type = "int64";
  data.vocabulary = data.classes = 256;
  return data;
}

void train(benchmark::State& state,
           const char* model_id,
           int64_t size,
           int64_t batch_size,
           const DatasetInfo& data) {
  serving::PluginStore plugins;
  training::Ingredients parts{
      plugins.family({plugin(model_id), {}}, data),
      test::make_dataset(data),
      plugins.loss({plugin("cross_entropy"), {}}),
      Recipe{.batch_size = batch_size, .weight_decay = 0.1, .clip = 1}};
  const auto model = training::create_model(parts.family, size, 0);
  training::ForwardBackward passes(*model, parts, c10::Device(c10::kCPU), false);
  training::Optimizer optimizer(model->module().parameters(), parts.recipe);
  int64_t step = 0;
  for (auto _ : state) {
    const training::StepOutcome outcome = passes.run(batch_size * step++, batch_size);
    benchmark::DoNotOptimize(outcome.loss.item<double>());
    optimizer.step(kLearningRate, outcome.gradient_divisor);
  }
}

void mlp(benchmark::State& state) {
  train(state, "mlp", 256, 64, digits());
}

void gpt(benchmark::State& state) {
  train(state, "gpt", 64, 16, bytes());
}

BENCHMARK(mlp)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(gpt)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
