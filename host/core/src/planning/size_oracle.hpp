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
  /// Parameters of a size; a family that can tell makes no model for it.
  [[nodiscard]] virtual Parameters params_of(int64_t size) = 0;
  /// For each target the allowed size nearest to it in log parameters.
  /// @param largest models of many more parameters are not made to find out
  /// @throws Error kConfiguration where a larger one would have to be made
  [[nodiscard]] virtual std::vector<int64_t> invert(std::span<const double> params,
                                                    Parameters largest) = 0;
};

}  // namespace sizewise::planning
