#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "sizewise/dataset.hpp"

#include "training/trial.hpp"

namespace sizewise::training {

/// Asks a dataset for a batch, checks that it is what was asked for, and moves it to the
/// device.
/// @throws Error naming the dataset
[[nodiscard]] TensorMap fetch_batch(const Named<Dataset>& dataset,
                                    const BatchRequest& request,
                                    const c10::Device& device);

/// A batch as an error message shows it: "input float32 [32, 784], target int64 [32]".
[[nodiscard]] std::string describe_tensors(const TensorMap& tensors);

/// The device that a recipe names.
/// @throws Error kConfiguration where it is none, or this machine has none such
[[nodiscard]] c10::Device device_from_name(const std::string& name);

/// The devices that this worker can train on: "cpu", "cuda:0" and so on.
[[nodiscard]] std::vector<std::string> device_names();

}  // namespace sizewise::training
