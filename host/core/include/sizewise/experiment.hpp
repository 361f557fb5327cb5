#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/options.hpp"
#include "sizewise/units.hpp"

namespace sizewise {

/// A plugin and how it is set.
struct PluginChoice {
  std::string plugin;  ///< an id, or the path of a .so
  Options options;     ///< what the user set; defaults come from the manifest
};

/// How a trial is trained. Defaults train a small model on a CPU sensibly.
struct Recipe {
  std::string optimizer = "adamw";  ///< "adamw" or "sgd"
  double learning_rate = 3e-3;
  /// The rate of a model with N parameters is learning_rate * (N / reference)^exponent.
  double learning_rate_exponent = 0.0;
  double learning_rate_reference = 1e6;
  int64_t batch_size = 32;            ///< samples in one optimizer step
  int64_t accumulate = 1;             ///< forward and backward passes a step splits into
  std::string precision = "float32";  ///< or "bfloat16" (autocast)
  std::string schedule = "cosine";    ///< "cosine", "constant" or "wsd"
  double warmup = 0.05;               ///< share of the trial's steps
  double weight_decay =
      0.1;            ///< not on biases and norms (tensors of less than 2 dimensions)
  double clip = 1.0;  ///< largest gradient norm; 0: no clipping
  uint64_t seed = 0;
  std::string device = "cpu";  ///< "cpu", "cuda" or "cuda:0"
};

/// What a person asks Sizewise to find out: everything that determines the trials and the
/// answer.
struct Experiment {
  PluginChoice model;
  PluginChoice dataset;
  PluginChoice loss;
  PluginChoice sweep{.plugin = "isoflop", .options = {}};
  PluginChoice fit{.plugin = "approach3", .options = {}};
  std::vector<Flops> budgets;  ///< training budgets, for a sweep that takes them
  std::vector<Flops>
      target_budgets;  ///< what to recommend for; empty: ten times the largest
  Recipe recipe;
  int bootstrap = 200;  ///< replicates; 0: no interval

  /// Reads and checks the JSON that to_json() writes and --config takes.
  /// @throws Error kInput for bad JSON, kConfiguration for an unknown field or a value
  /// not allowed
  static Experiment from_json(std::string_view text);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sizewise
