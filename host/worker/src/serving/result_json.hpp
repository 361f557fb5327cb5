#pragma once

#include <nlohmann/json_fwd.hpp>

#include "training/evaluation.hpp"
#include "training/trial.hpp"

// What the worker measured, in the words of docs/worker-protocol.md.

namespace sizewise::serving {

[[nodiscard]] nlohmann::json progress_to_json(const training::Progress& progress);
[[nodiscard]] nlohmann::json result_to_json(const training::TrialResult& result);
[[nodiscard]] nlohmann::json evaluation_to_json(const training::Evaluation& evaluation);

}  // namespace sizewise::serving
