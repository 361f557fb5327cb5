#include "planning/plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "planning/experiment_json.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;

constexpr std::size_t kIdDigits = 16;

json identity_of(const ResolvedPlugin& plugin, const std::string& sha256) {
  return {{"id", plugin.id()},
          {"options", json::parse(plugin.options.to_json())},
          {"sha256", sha256}};
}

}  // namespace

std::vector<Trial> Plan::trials() const {
  std::vector<Trial> all;
  for (const std::vector<Trial>& round : rounds) {
    all.insert(all.end(), round.begin(), round.end());
  }
  return all;
}

std::string trial_id(const Setting& setting,
                     const Provenance& provenance,
                     int64_t size,
                     int64_t tokens) {
  // A dump has its keys sorted and its numbers in the shortest form that reads back
  // exactly, so equal trials have equal texts.
  const json identity = {
      {"model", identity_of(setting.model, provenance.plugins.at("model"))},
      {"dataset", identity_of(setting.dataset, provenance.plugins.at("dataset"))},
      {"loss", identity_of(setting.loss, provenance.plugins.at("loss"))},
      {"fingerprint", provenance.fingerprint},
      {"recipe", recipe_to_json(setting.recipe)},
      {"size", size},
      {"tokens", tokens},
      {"threads", setting.threads},
      {"protocol", provenance.trainer.protocol},
      {"trainer", provenance.trainer.version},
      {"torch", provenance.trainer.torch}};
  return sha256_of_text(identity.dump()).substr(0, kIdDigits);
}

Provenance provenance_of(const Setting& setting,
                         const DatasetFacts& data,
                         Trainer trainer) {
  Provenance provenance;
  provenance.trainer = std::move(trainer);
  provenance.plugins = {{"model", setting.model.sha256},
                        {"dataset", setting.dataset.sha256},
                        {"loss", setting.loss.sha256}};
  provenance.fingerprint = data.fingerprint;
  return provenance;
}

std::string first_difference(const Provenance& before, const Provenance& now) {
  for (const auto& [kind, sha256] : before.plugins) {
    const auto found = now.plugins.find(kind);
    const std::string other = found == now.plugins.end() ? "none" : found->second;
    if (other != sha256) {
      return fmt::format(
          "the {} plugin's file has SHA-256 {:.12}, was {:.12}", kind, other, sha256);
    }
  }
  if (before.fingerprint != now.fingerprint) {
    return fmt::format("the data have the fingerprint {:.12}, had {:.12}",
                       now.fingerprint,
                       before.fingerprint);
  }
  if (before.trainer != now.trainer) {
    const auto words = [](const Trainer& trainer) {
      return fmt::format("{} (LibTorch {}, protocol {})",
                         trainer.version,
                         trainer.torch,
                         trainer.protocol);
    };
    return fmt::format(
        "the worker is version {}, was {}", words(now.trainer), words(before.trainer));
  }
  return {};
}

std::vector<Trial> make_trials(const std::vector<TrialRequest>& requests,
                               const Setting& setting,
                               const Plan& plan,
                               SweepHost& host,
                               std::string_view sweep_id) {
  std::set<std::pair<std::string, bool>> planned;
  for (const Trial& trial : plan.trials()) {
    planned.emplace(trial.id, trial.pilot);
  }
  const auto step = static_cast<int64_t>(host.unit_step().value());
  std::vector<Trial> trials;
  for (const TrialRequest& request : requests) {
    if (request.tokens <= 0 || !host.sizes().allows(request.size)) {
      throw Error(ErrorCode::kPlugin,
                  fmt::format("sweep '{}' asks for size {} and {} tokens; sizes allowed: "
                              "{} to {} in steps of {}, tokens: more than 0",
                              sweep_id,
                              request.size,
                              request.tokens,
                              host.sizes().minimum,
                              host.sizes().maximum,
                              host.sizes().multiple_of),
                  "change the options of the sweep");
    }
    const auto least = static_cast<int64_t>(host.least_units().value());
    if (request.tokens < least) {
      throw Error(
          ErrorCode::kConfiguration,
          fmt::format("sweep '{}' asks for a trial of size {} on {} units of data, "
                      "less than one batch of {}",
                      sweep_id,
                      request.size,
                      request.tokens,
                      least),
          fmt::format("ask for at least {}, or for a smaller --batch-size", least));
    }
    const SizeFacts facts = host.describe(request.size);
    Trial trial;
    trial.size = request.size;
    trial.tokens = (request.tokens + step / 2) / step * step;
    trial.budget = request.budget;
    trial.pilot = request.pilot;
    trial.params = facts.params.value();
    trial.flops_per_unit = facts.flops_per_unit;
    trial.id = trial_id(setting, plan.provenance, trial.size, trial.tokens);
    if (planned.emplace(trial.id, trial.pilot).second) {
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

}  // namespace sizewise::planning
