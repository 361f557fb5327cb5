#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <omp.h>

#include "kernels/activation_codes.hpp"
#include "kernels/int4_product.hpp"
#include "kernels/int8_product.hpp"
#include "kernels/processor_level.hpp"

// Timings of the integer products at each level of this machine, on OMP_NUM_THREADS
// threads as LibTorch has them, beside a plain read of as many bytes and a product of
// floats. The column least_us is the least of all runs, so that other work on the machine
// matters little.

namespace {

using namespace sizewise::kernels;  // NOLINT(google-build-using-namespace): one program

constexpr int64_t kWide = 4096;

template <class T>
std::vector<T> random_codes(int64_t count, int low, int high) {
  std::mt19937 random(1);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) {
    value = static_cast<T>(low + static_cast<int>(random() % (high - low + 1U)));
  }
  return values;
}

std::vector<float> random_floats(int64_t count) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = normal(random);
  }
  return values;
}

Int8Weights made_int8(int64_t channels, int64_t columns) {
  const std::vector<float> scale{0.01F};
  return {random_codes<int8_t>(channels * columns, -127, 127), channels, columns, scale};
}

Int4Weights made_int4(int64_t channels, int64_t columns, int64_t group_size) {
  const std::vector<float> scale(
      static_cast<std::size_t>(channels * (columns / group_size)), 0.01F);
  const auto codes = random_codes<uint8_t>(channels * columns, 0, 15);
  return {codes, channels, columns, group_size, scale};
}

/// Channels in equal parts, one for each thread.
void in_parts(int64_t channels, const std::function<void(ChannelRange)>& multiply_part) {
  const int threads = omp_get_max_threads();
#pragma omp parallel for schedule(static, 1)
  for (int part = 0; part < threads; ++part) {
    multiply_part(part_of_channels(channels, part, threads));
  }
}

/// Runs `work` again and again and reports the least time of one run, in microseconds.
template <class Work>
void measure(benchmark::State& state, const Work& work) {
  using Clock = std::chrono::steady_clock;
  double least = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const auto start = Clock::now();
    work();
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    least = std::min(least, took.count());
  }
  state.counters["least_us"] = least;
}

void read_bytes(benchmark::State& state) {
  const std::vector<uint64_t> words(static_cast<std::size_t>(state.range(0) / 8), 1);
  measure(state, [&] {
    uint64_t sum = 0;
#pragma omp parallel for simd reduction(+ : sum)
    for (std::size_t i = 0; i < words.size(); ++i) {
      sum += words[i];
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(read_bytes)->Arg(16 << 20)->Arg(8 << 20)->UseRealTime();

void multiply_floats(benchmark::State& state) {
  const std::vector<float> weights = random_floats(kWide * kWide);
  const std::vector<float> x = random_floats(kWide);
  std::vector<float> out(kWide);
  measure(state, [&] {
#pragma omp parallel for
    for (std::size_t n = 0; n < kWide; ++n) {
      float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
      for (std::size_t k = 0; k < kWide; ++k) {
        sum += weights[n * kWide + k] * x[k];
      }
      out[n] = sum;
    }
    benchmark::DoNotOptimize(out.data());
  });
}
BENCHMARK(multiply_floats)->UseRealTime();

void quantize(benchmark::State& state, const LevelFunctions& level) {
  const std::vector<float> x = random_floats(state.range(0));
  CodeBuffer codes;
  measure(state, [&] {
    const auto bad = quantize_dynamic({x.data(), 1, state.range(0), state.range(0)},
                                      CodeRange::kAsymmetric,
                                      ScalePer::kRow,
                                      codes,
                                      level);
    benchmark::DoNotOptimize(bad);
  });
}

/// With the quantization of the activations.
void multiply_int8(benchmark::State& state, const LevelFunctions& level) {
  const int64_t rows = state.range(0);
  const Int8Weights weights = made_int8(kWide, kWide);
  const std::vector<float> x = random_floats(rows * kWide);
  std::vector<float> out(static_cast<std::size_t>(rows * kWide));
  CodeBuffer codes;
  measure(state, [&] {
    const auto bad = quantize_dynamic({x.data(), rows, kWide, kWide},
                                      CodeRange::kAsymmetric,
                                      ScalePer::kRow,
                                      codes,
                                      level);
    benchmark::DoNotOptimize(bad);
    in_parts(kWide, [&](ChannelRange part) {
      multiply(weights, codes.view(), part, nullptr, out.data(), kWide, level);
    });
  });
}

/// With the quantization of the activations.
void multiply_int4(benchmark::State& state, const LevelFunctions& level) {
  const int64_t rows = state.range(0);
  const Int4Weights weights = made_int4(kWide, kWide, state.range(1));
  const std::vector<float> x = random_floats(rows * kWide);
  std::vector<float> out(static_cast<std::size_t>(rows * kWide));
  CodeBuffer codes;
  Int4Input input;
  measure(state, [&] {
    const auto bad = quantize_dynamic({x.data(), rows, kWide, kWide},
                                      CodeRange::kSymmetric,
                                      ScalePer::kRow,
                                      codes,
                                      level);
    benchmark::DoNotOptimize(bad);
    prepare_input(weights, codes.view(), input, level);
    in_parts(kWide, [&](ChannelRange part) {
      multiply(weights, codes.view(), input, part, nullptr, out.data(), kWide, level);
    });
  });
}

/// All weights of a layer to bf16, by tiles of 64 channels that stay in the cache.
void unpack_int4(benchmark::State& state, const LevelFunctions& level) {
  const Int4Weights weights = made_int4(kWide, kWide, 128);
  measure(state, [&] {
    in_parts(kWide, [&](ChannelRange part) {
      std::vector<uint16_t> tile(kBlockChannels * kWide);
      for (int64_t n = part.first; n < part.last; n += kBlockChannels) {
        unpack_tile(weights, {n, n + kBlockChannels}, tile.data(), kWide, level);
        benchmark::DoNotOptimize(tile.data());
      }
    });
  });
}

/// 784-512-512-10 on one row and one thread, each layer with its quantization.
void small_layers(benchmark::State& state, const LevelFunctions& level) {
  std::vector<Int8Weights> layers;
  layers.push_back(made_int8(512, 784));
  layers.push_back(made_int8(512, 512));
  layers.push_back(made_int8(10, 512));
  const std::vector<float> x = random_floats(784);
  const std::vector<float> bias(512, 0.1F);
  std::vector<float> out(512);
  CodeBuffer codes;
  measure(state, [&] {
    const float* from = x.data();
    for (const Int8Weights& layer : layers) {
      const int64_t columns = layer.columns();
      const auto bad = quantize_dynamic({from, 1, columns, columns},
                                        CodeRange::kAsymmetric,
                                        ScalePer::kTensor,
                                        codes,
                                        level);
      benchmark::DoNotOptimize(bad);
      const int64_t channels = layer.channels();
      multiply(
          layer, codes.view(), {0, channels}, bias.data(), out.data(), channels, level);
      from = out.data();
    }
    benchmark::DoNotOptimize(out.data());
  });
}

void register_level(ProcessorLevel level) {
  const LevelFunctions& functions = functions_of(level);
  const auto add = [&](const char* what, auto* run) {
    const std::string name = std::string(what) + "/" + std::string(name_of(level));
    return benchmark::RegisterBenchmark(name.c_str(),
                                        [run, &functions](benchmark::State& state) {
                                          run(state, functions);
                                        })
        ->UseRealTime();
  };
  add("quantize", quantize)->Arg(784)->Arg(kWide);
  add("small_layers", small_layers);
  add("int8", multiply_int8)->Arg(1)->Arg(4)->Arg(8)->Arg(16)->Arg(64);
  add("int4", multiply_int4)
      ->Args({1, 128})
      ->Args({1, 32})
      ->Args({4, 128})
      ->Args({8, 128})
      ->Args({16, 128})
      ->Args({64, 128});
  add("unpack", unpack_int4);
}

}  // namespace

int main(int count, char** words) {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) {
    return 2;
  }
  const LevelChoice& used = level_choice();
  benchmark::AddCustomContext("level used",
                              std::string(name_of(used.level)) + ": " + used.reason);
  for (const ProcessorLevel level : runnable_levels()) {
    register_level(level);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
