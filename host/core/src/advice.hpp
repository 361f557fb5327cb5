#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sizewise/host.hpp"
#include "sizewise/manifest.hpp"

#include "fitting/fit_report.hpp"

namespace sizewise {

/// What to do next where a sweep's trials do not determine the law, the most telling
/// first; empty where they do.
/// @param sizes what the model allows
/// @param run_dir where the trials are kept, for the commands that are advised
[[nodiscard]] std::vector<std::string> advice_for(const fitting::FitReport& report,
                                                  const std::vector<TrialState>& trials,
                                                  const SizeSpec& sizes,
                                                  const std::filesystem::path& run_dir);

/// Which budgets have their least loss at the smallest or the largest size that was
/// tried: their minimum may lie beyond it.
[[nodiscard]] std::vector<std::string> edge_advice(const std::vector<TrialState>& trials,
                                                   const SizeSpec& sizes);

}  // namespace sizewise
