#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "planning/plan.hpp"
#include "tables/json_values.hpp"

// plan.json: written whole each time, but what it held before never changes; every
// round's hash covers the rounds before it.

namespace sizewise::planning {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

json trial_to_json(const Trial& trial) {
  return {{"id", trial.id},
          {"size", trial.size},
          {"tokens", trial.tokens},
          {"budget_flops", trial.budget ? json(trial.budget->value()) : json()},
          {"pilot", trial.pilot},
          {"params", trial.params},
          {"flops_per_unit", trial.flops_per_unit}};
}

Trial trial_from_json(const json& object) {
  Trial trial;
  trial.id = object.at("id").get<std::string>();
  trial.size = object.at("size").get<int64_t>();
  trial.tokens = object.at("tokens").get<int64_t>();
  if (!object.at("budget_flops").is_null()) {
    trial.budget = Flops(object.at("budget_flops").get<double>());
  }
  trial.pilot = object.at("pilot").get<bool>();
  trial.params = object.at("params").get<double>();
  trial.flops_per_unit = object.at("flops_per_unit").get<double>();
  return trial;
}

json header_of(const Plan& plan) {
  return {{"format", kFormat},
          {"threads", plan.threads},
          {"experiment_sha256", plan.experiment},
          {"protocol", plan.provenance.trainer.protocol},
          {"trainer", plan.provenance.trainer.version},
          {"torch", plan.provenance.trainer.torch},
          {"plugins", plan.provenance.plugins},
          {"fingerprint", plan.provenance.fingerprint},
          {"data", json::parse(plan.data.to_json())},
          {"working_folder", plan.working_folder},
          {"plugin_dirs", plan.plugin_dirs},
          {"changes", plan.changes}};
}

std::string round_hash(const std::string& before, const json& trials) {
  return sha256_of_text(before + trials.dump());
}

Plan plan_from_json(const json& object) {
  Plan plan;
  plan.threads = object.at("threads").get<int>();
  plan.experiment = object.at("experiment_sha256").get<std::string>();
  plan.provenance.trainer = {object.at("protocol").get<int>(),
                             object.at("trainer").get<std::string>(),
                             object.at("torch").get<std::string>()};
  plan.provenance.plugins =
      object.at("plugins").get<std::map<std::string, std::string>>();
  plan.provenance.fingerprint = object.at("fingerprint").get<std::string>();
  plan.data = DatasetInfo::from_json(object.at("data").dump());
  plan.working_folder = object.at("working_folder").get<std::string>();
  plan.plugin_dirs = object.at("plugin_dirs").get<std::vector<std::string>>();
  plan.changes = object.at("changes").get<std::vector<std::string>>();
  return plan;
}

}  // namespace

std::string plan_to_text(const Plan& plan) {
  json object = header_of(plan);
  object["header_sha256"] = sha256_of_text(header_of(plan).dump());
  object["rounds"] = json::array();
  std::string hash;
  for (const std::vector<Trial>& round : plan.rounds) {
    json trials = json::array();
    for (const Trial& trial : round) {
      trials.push_back(trial_to_json(trial));
    }
    hash = round_hash(hash, trials);
    object["rounds"].push_back({{"trials", std::move(trials)}, {"sha256", hash}});
  }
  return object.dump(1) + "\n";
}

Plan plan_from_text(std::string_view text, std::string_view source) {
  const auto refuse = [&](const std::string& fault) {
    return Error(ErrorCode::kInput,
                 fmt::format("{} is not a plan as it was written: {}", source, fault),
                 "restore the file, or begin a new run directory");
  };
  try {
    const json object = json::parse(text);
    if (object.at("format") != kFormat) {
      throw refuse(fmt::format("its format is {}, this program reads {}",
                               object.at("format").dump(),
                               kFormat));
    }
    Plan plan = plan_from_json(object);
    if (object.at("header_sha256") != sha256_of_text(header_of(plan).dump())) {
      throw refuse("its head was changed (the hash differs)");
    }
    std::string hash;
    for (const json& round : object.at("rounds")) {
      hash = round_hash(hash, round.at("trials"));
      if (round.at("sha256") != hash) {
        throw refuse(fmt::format("round {} was changed (the hash differs)",
                                 plan.rounds.size() + 1));
      }
      plan.rounds.emplace_back();
      for (const json& trial : round.at("trials")) {
        plan.rounds.back().push_back(trial_from_json(trial));
      }
    }
    return plan;
  } catch (const json::exception& fault) {
    throw refuse(tables::json_fault(fault));
  }
}

}  // namespace sizewise::planning
