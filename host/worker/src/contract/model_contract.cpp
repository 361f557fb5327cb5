#include "contract/model_contract.hpp"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "contract/made_up_batch.hpp"
#include "training/batches.hpp"
#include "training/create_model.hpp"
#include "training/guarded.hpp"

namespace sizewise::contract {
namespace {

/// Samples of the batch that a model is tried on.
constexpr int64_t kTriedSamples = 2;

/// The counts that a wrong num_params() may have meant.
struct Totals {
  int64_t unique = 0;    ///< each parameter tensor once
  int64_t repeated = 0;  ///< tied tensors as often as they are registered
  int64_t with_buffers = 0;
};

Totals totals_of(const torch::nn::Module& module) {
  Totals totals;
  totals.unique = count_params(module);
  // named_parameters() of each submodule alone names a tied tensor every time.
  for (const auto& submodule : module.modules(/*include_self=*/true)) {
    for (const at::Tensor& parameter : submodule->parameters(/*recurse=*/false)) {
      totals.repeated += parameter.numel();
    }
  }
  totals.with_buffers = totals.unique;
  for (const at::Tensor& buffer : module.buffers()) {
    totals.with_buffers += buffer.numel();
  }
  return totals;
}

class Checker {
 public:
  explicit Checker(const ContractCheck& check) : check_(check) {}

  std::optional<ContractBreach> run() {
    std::optional<int64_t> previous_size;
    int64_t previous_params = 0;
    for (const int64_t size : sizes_to_check()) {
      const std::unique_ptr<Model> model =
          training::create_model(check_.family, size, check_.seed);
      int64_t params = 0;
      if (auto breach = check_count(*model, size, params)) {
        return breach;
      }
      if (previous_size && params <= previous_params) {
        return ContractBreach{
            "E_NOT_MONOTONIC",
            fmt::format("plugin '{}': create({}) has {} parameters, create({}) has {}: "
                        "num_params must grow with size",
                        check_.family.id,
                        *previous_size,
                        previous_params,
                        size,
                        params),
            "use the size that the constructor is given, and see that the manifest's "
            "multipleOf lets no two sizes round to one model"};
      }
      previous_size = size;
      previous_params = params;
      if (auto breach = check_forward(*model, size)) {
        return breach;
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::vector<int64_t> sizes_to_check() const;
  std::optional<ContractBreach> check_count(Model& model, int64_t size, int64_t& params);
  std::optional<ContractBreach> check_sum(const Totals& totals,
                                          int64_t said,
                                          int64_t size);
  std::optional<ContractBreach> check_forward(Model& model, int64_t size);

  const ContractCheck& check_;
};

std::vector<int64_t> Checker::sizes_to_check() const {
  std::vector<int64_t> sizes = check_.sizes;
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  if (sizes.size() == 1 && check_.spec) {
    const SizeSpec& spec = *check_.spec;
    const int64_t next = spec.minimum + spec.multiple_of;
    if (sizes.front() > spec.minimum) {
      sizes.insert(sizes.begin(), spec.minimum);
    } else if (next <= spec.maximum) {
      sizes.push_back(next);
    }
  }
  return sizes;
}

std::optional<ContractBreach> Checker::check_count(Model& model,
                                                   int64_t size,
                                                   int64_t& params) {
  params = training::guarded(check_.family.id, "num_params()", [&] {
    return model.num_params();
  });
  if (params <= 0) {
    return ContractBreach{
        "E_NUM_PARAMS_RANGE",
        fmt::format("plugin '{}': num_params() returned {} for create({}); it must be a "
                    "positive integer",
                    check_.family.id,
                    params,
                    size),
        "return sizewise::count_params(*this)"};
  }
  const Totals totals = totals_of(model.module());
  if (auto breach = check_sum(totals, params, size)) {
    return breach;
  }
  const std::optional<int64_t> foretold =
      training::guarded(check_.family.id, "num_params_of()", [&] {
        return check_.family.instance->num_params(size);
      });
  if (foretold && *foretold != params) {
    return ContractBreach{
        "E_NUM_PARAMS_SUM",
        fmt::format("plugin '{}': num_params_of({}) returned {}, but create({}) has {} "
                    "parameters (difference {})",
                    check_.family.id,
                    size,
                    *foretold,
                    size,
                    params,
                    *foretold - params),
        "correct num_params_of(), or remove it: the host then counts on the model "
        "itself"};
  }
  return std::nullopt;
}

std::optional<ContractBreach> Checker::check_sum(const Totals& totals,
                                                 int64_t said,
                                                 int64_t size) {
  if (said == totals.unique) {
    return std::nullopt;
  }
  std::string why;
  if (said == totals.repeated) {
    why = ": it counts tied weights twice";
  } else if (said == totals.with_buffers) {
    why = ": it counts buffers too";
  }
  return ContractBreach{
      "E_NUM_PARAMS_SUM",
      fmt::format("plugin '{}': num_params() of create({}) returned {} but "
                  "parameters() sum to {} (difference {}){}",
                  check_.family.id,
                  size,
                  said,
                  totals.unique,
                  said - totals.unique,
                  why),
      "return sizewise::count_params(*this)"};
}

std::optional<ContractBreach> Checker::check_forward(Model& model, int64_t size) {
  const at::NoGradGuard no_grad;
  const TensorMap batch =
      check_.dataset.instance != nullptr
          ? training::fetch_batch(check_.dataset,
                                  {Split::kTrain, 0, kTriedSamples, check_.seed},
                                  c10::Device(c10::kCPU))
          : made_up_batch(check_.data, kTriedSamples, check_.seed);
  const TensorMap outputs =
      training::guarded(check_.family.id, fmt::format("forward() of size {}", size), [&] {
        return model.forward(batch);
      });
  const auto breach = [&](std::string_view what) {
    return ContractBreach{
        "E_FORWARD",
        fmt::format("plugin '{}': forward() of size {} {}: outputs {} for a batch of {}",
                    check_.family.id,
                    size,
                    what,
                    training::describe_tensors(outputs),
                    training::describe_tensors(batch)),
        "try the model on one batch by hand: docs/writing-a-model.md shows how"};
  };
  for (const auto& [name, tensor] : outputs) {
    if (!tensor.defined()) {
      return breach("gave an undefined tensor");
    }
    if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) {
      return breach("is not finite with fresh weights");
    }
  }
  if (check_.loss.instance == nullptr) {
    return std::nullopt;
  }
  try {
    const LossValue value = training::guarded(check_.loss.id, [&] {
      return check_.loss.instance->compute(outputs, batch, /*count_hits=*/true);
    });
    if (!at::isfinite(value.mean).all().item<bool>()) {
      return breach("gives a loss that is not finite with fresh weights");
    }
  } catch (const Error& error) {
    ContractBreach found =
        breach(fmt::format("does not fit the loss ({})", error.message()));
    if (!error.suggestion().empty()) {
      found.suggestion = error.suggestion();
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ContractBreach> check_model_contract(const ContractCheck& check) {
  return Checker(check).run();
}

}  // namespace sizewise::contract
