#include "coverage.hpp"

#include <cstdio>
#include <exception>
#include <string>

// coverage PLUGINS SWEEPS REPLICATES THREADS: one JSON line a figure.

namespace {

void print(const char* noise,
           const char* number,
           const sizewise::testing::Coverage& one) {
  std::printf(
      "{\"noise\": \"%s\", \"number\": \"%s\", \"share\": %.6g, \"width_ratio\": "
      "%.6g}\n",
      noise,
      number,
      one.share,
      one.width_ratio);
}

void measure(char** arguments, const char* noise, bool shares_noise) {
  const auto coverage = sizewise::testing::measure_coverage(arguments[1],
                                                            std::stoi(arguments[2]),
                                                            std::stoi(arguments[3]),
                                                            std::stoi(arguments[4]),
                                                            shares_noise);
  print(noise, "a", coverage.a);
  print(noise, "N*", coverage.params);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: coverage PLUGINS SWEEPS REPLICATES THREADS\n");
    return 2;
  }
  try {
    measure(arguments, "independent", false);
    measure(arguments, "shared within runs", true);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "coverage: %s\n", error.what());
    return 1;
  }
  return 0;
}
