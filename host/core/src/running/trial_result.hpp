#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "planning/plan.hpp"

namespace sizewise::running {

/// What came of one trial. Numbers that are not known are NaN.
struct TrialResult {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  std::string trial;
  std::string status;  ///< "done", "diverged" or "failed"
  std::string reason;  ///< why not done
  int64_t size = 0;
  double params = kUnknown;
  int64_t tokens = 0;
  double loss = kUnknown;  ///< nats per unit on the validation split
  double train_loss = kUnknown;
  double accuracy = kUnknown;
  double flops = kUnknown;
  double flops_6nd = kUnknown;
  double seconds = kUnknown;
  double epochs = kUnknown;
  int64_t steps = 0;
  std::vector<std::string> warnings;
  /// The trainer's version and the files' hashes that it was trained with, as JSON.
  std::string trained_with;
};

/// The answer to `train` as a result.
/// @throws Error kPlugin where the answer lacks a field, or claims other tokens than
/// asked
[[nodiscard]] TrialResult result_from_answer(const planning::Trial& trial,
                                             const nlohmann::json& answer);

/// The result of a trial that came to nothing.
[[nodiscard]] TrialResult failed_result(const planning::Trial& trial, std::string reason);

/// The file results/TRIAL.json, with a SHA-256 over its other fields.
[[nodiscard]] std::string result_to_text(const TrialResult& result);
/// @throws Error kInput where the text is damaged: truncated, changed, or of another
/// trial
[[nodiscard]] TrialResult result_from_text(std::string_view text, std::string_view trial);

}  // namespace sizewise::running
