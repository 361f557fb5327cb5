#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sizewise/manifest.hpp"
#include "sizewise/models.hpp"

#include "training/trial.hpp"

namespace sizewise::contract {

/// What the contract is checked with.
struct ContractCheck {
  training::Named<ModelFamily> family;
  std::optional<SizeSpec> spec;      ///< of the manifest
  std::vector<int64_t> sizes;        ///< to check, in any order
  training::Named<Dataset> dataset;  ///< no instance: a batch is made up from `data`
  training::Named<Loss> loss;        ///< no instance: outputs are not compared
  DatasetInfo data;                  ///< what the family was made with
  uint64_t seed = 0;
};

/// The first breach of the model contract on the sizes given, in their order from small
/// to large; nothing where the model keeps it. Checked are: create() makes a model;
/// num_params() is positive, equals the sum over parameters (a tied tensor once), is what
/// the family says without a model, and grows with size; the output of forward() is
/// finite and fits the loss. A single size is compared with the smallest, or the one
/// above it.
[[nodiscard]] std::optional<ContractBreach> check_model_contract(
    const ContractCheck& check);

}  // namespace sizewise::contract
