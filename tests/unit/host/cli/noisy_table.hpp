#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "captured.hpp"

// A small table whose losses scatter around a law, and a folder for it.

namespace sizewise::cli {

struct NoisyRun {
  double params = 0.0;
  double tokens = 0.0;
  double loss = 0.0;
  double flops = 0.0;
};

/// Five budgets by seven sizes around each budget's best one, with 0.5 % noise.
inline std::vector<NoisyRun> noisy_runs() {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0.0, 0.005);
  std::vector<NoisyRun> runs;
  for (int budget = 0; budget < 5; ++budget) {
    for (int size = -3; size <= 3; ++size) {
      NoisyRun run;
      run.flops = 1e17 * std::pow(10.0, budget);
      run.params = 0.3 * std::sqrt(run.flops / 6.0) * std::pow(2.0, size);
      run.tokens = run.flops / (6.0 * run.params);
      run.loss = (1.69 + 406.4 / std::pow(run.params, 0.34) +
                  410.7 / std::pow(run.tokens, 0.28)) *
                 std::exp(noise(random));
      runs.push_back(run);
    }
  }
  return runs;
}

class NoisyTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("sizewise_noisy_table_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  [[nodiscard]] Ran fit(const std::vector<NoisyRun>& runs, const Arguments& flags) const {
    std::ofstream table(path("runs.csv"));
    table.precision(17);
    table << "params,tokens,loss,flops,budget_flops\n";
    for (const NoisyRun& run : runs) {
      table << run.params << ',' << run.tokens << ',' << run.loss << ',' << run.flops
            << ',' << run.flops << '\n';
    }
    table.close();
    Arguments arguments = {"fit",
                           path("runs.csv"),
                           "--plugin-dir",
                           SIZEWISE_SHIPPED_PLUGINS,
                           "--threads",
                           "1"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sizewise::cli
