#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sizewise/dataset_info.hpp"
#include "sizewise/sweep.hpp"

namespace sizewise::planning {

/// A dataset as a worker sees it.
struct DatasetFacts {
  DatasetInfo info;
  std::string fingerprint;  ///< changes with the data
};

/// What only a program that runs the plugins can tell; a worker implements it.
class SizeOracle {
 public:
  virtual ~SizeOracle();

  /// @throws Error where the dataset plugin refuses
  [[nodiscard]] virtual DatasetFacts dataset() = 0;
  /// Parameters and counted FLOPs per unit; `check` also runs the model contract.
  /// @throws Error kPlugin where the model breaks its contract
  [[nodiscard]] virtual std::vector<SizeFacts> describe(std::span<const int64_t> sizes,
                                                        bool check) = 0;
  /// For each target the allowed size nearest to it in log parameters.
  [[nodiscard]] virtual std::vector<int64_t> invert(std::span<const double> params) = 0;
};

}  // namespace sizewise::planning
