// Quantizes a file of weights as the plugin per_channel does, and prints the seconds that
// it took and the bytes by which the process grew. quantize_file_bench.py runs it.

#include "quantizing/quantize_file.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "weight_codes.hpp"

namespace {

using sizewise::LayerView;
using sizewise::QuantizedLayer;
using sizewise::quantizers::quantize_weight;
using sizewise::quantizers::weight_settings;

class PerChannel final : public sizewise::Quantizer {
 public:
  explicit PerChannel(const sizewise::Options& options)
      : settings_(weight_settings(options)) {}
  [[nodiscard]] sizewise::CalibrationNeeds needs() const override { return {}; }
  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    return quantize_weight(layer, settings_);
  }

 private:
  sizewise::quantizers::WeightSettings settings_;
};

/// The most memory that the process had, in bytes.
uint64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) {
      return std::stoull(line.substr(std::string("VmHWM:").size())) * 1024;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kArguments = 5;
  if (argc != kArguments) {
    std::fputs("usage: quantize_file WEIGHTS OUTPUT BITS GRANULARITY\n", stderr);
    return 2;
  }
  sizewise::Options options;
  options.set("bits", static_cast<int64_t>(std::atoi(argv[3])));
  options.set("granularity", std::string(argv[4]));
  if (argv[4] == std::string("group")) {
    options.set("group_size", int64_t{32});
  }
  const PerChannel quantizer(options);
  const uint64_t before = peak_bytes();
  const auto start = std::chrono::steady_clock::now();
  try {
    const auto result = sizewise::quantizing::quantize_file(argv[1], quantizer, argv[2]);
    const std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    std::printf("{\"seconds\": %.6f, \"grew_bytes\": %llu, \"layers\": %zu}\n",
                seconds.count(),
                static_cast<unsigned long long>(peak_bytes() - before),
                result.layers.size());
    return result.errors.empty() ? 0 : 1;
  } catch (const sizewise::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return 1;
  }
}
