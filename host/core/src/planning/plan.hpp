#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/sweep.hpp"

#include "planning/setting.hpp"
#include "planning/size_oracle.hpp"

namespace sizewise::planning {

/// One training run, completely determined.
struct Trial {
  std::string id;
  int64_t size = 0;
  int64_t tokens = 0;  ///< whole samples
  std::optional<Flops> budget;
  bool pilot = false;
  double params = 0;
  double flops_per_unit = 0;

  [[nodiscard]] double flops() const {
    return flops_per_unit * static_cast<double>(tokens);
  }
};

/// The program that trains.
struct Trainer {
  int protocol = 0;     ///< of docs/worker-protocol.md
  std::string version;  ///< the worker's
  std::string torch;    ///< the version of LibTorch that it trains with

  bool operator==(const Trainer&) const = default;
};

/// Everything beside size and tokens that determines a trial, and so its id.
struct Provenance {
  Trainer trainer;
  std::map<std::string, std::string> plugins;  ///< kind -> SHA-256 of the file
  std::string fingerprint;                     ///< of the data
};

/// A list of rounds, each frozen once written.
struct Plan {
  int threads = 1;
  std::string experiment;  ///< experiment_hash() of what the plan is for
  Provenance provenance;
  DatasetInfo data;
  std::string working_folder;            ///< relative paths of options start here
  std::vector<std::string> plugin_dirs;  ///< where the user said plugins are
  std::vector<std::vector<Trial>> rounds;
  /// Accepted changes of plugins or data, in words.
  std::vector<std::string> changes;

  [[nodiscard]] std::vector<Trial> trials() const;
};

/// A hash of everything that determines a trial: model, dataset and loss with options and
/// files, the data, recipe with seed, size, tokens, threads, and the versions.
[[nodiscard]] std::string trial_id(const Setting& setting,
                                   const Provenance& provenance,
                                   int64_t size,
                                   int64_t tokens);

/// The provenance of a setting with the data that a worker saw.
[[nodiscard]] Provenance provenance_of(const Setting& setting,
                                       const DatasetFacts& data,
                                       Trainer trainer);

/// The first difference between two provenances, in words; empty: none.
[[nodiscard]] std::string first_difference(const Provenance& before,
                                           const Provenance& now);

/// Turns what a sweep asks for into trials: tokens in whole samples, sizes described,
/// what an earlier round holds left out.
/// @throws Error kConfiguration for less data than one batch
/// @throws Error kPlugin where the sweep asks for no tokens or for a size that the model
/// does not have
[[nodiscard]] std::vector<Trial> make_trials(const std::vector<TrialRequest>& requests,
                                             const Setting& setting,
                                             const Plan& plan,
                                             SweepHost& host,
                                             std::string_view sweep_id);

/// plan.json: every round with a hash over it and all before it.
[[nodiscard]] std::string plan_to_text(const Plan& plan);
/// @throws Error kInput where the text is no plan or a hash does not fit
[[nodiscard]] Plan plan_from_text(std::string_view text, std::string_view source);

}  // namespace sizewise::planning
