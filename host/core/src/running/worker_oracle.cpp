#include "running/worker_oracle.hpp"

#include <utility>

#include <fmt/format.h>

namespace sizewise::running {

using nlohmann::json;

WorkerOracle::WorkerOracle(WorkerPool& pool,
                           const planning::Setting& setting,
                           std::function<void(const std::string&)> warning)
    : pool_(pool),
      setting_(planning::setting_to_json(setting)),
      size_spec_({{"name", setting.sizes().name},
                  {"minimum", setting.sizes().minimum},
                  {"maximum", setting.sizes().maximum},
                  {"multipleOf", setting.sizes().multiple_of}}),
      model_(setting.model.id()),
      warning_(std::move(warning)) {}

std::string WorkerOracle::trainer() {
  return pool_.idle_worker().greeting().value("version", "");
}

json WorkerOracle::ask(std::string_view method,
                       const json& fields,
                       const std::string& purpose) {
  json params = setting_;
  params.update(fields);
  return pool_.idle_worker().call(method, params, purpose);
}

planning::DatasetFacts WorkerOracle::dataset() {
  const json answer = ask("dataset", json::object(), "the dataset");
  try {
    return {DatasetInfo::from_json(answer.at("info").dump()),
            answer.at("fingerprint").get<std::string>()};
  } catch (const json::exception& fault) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("the worker's answer to `dataset` is not as the protocol "
                            "says: {}",
                            fault.what()));
  }
}

std::vector<SizeFacts> WorkerOracle::describe(std::span<const int64_t> sizes,
                                              bool check) {
  const json asked = std::vector<int64_t>(sizes.begin(), sizes.end());
  const json answer = ask("describe",
                          {{"sizes", asked}, {"check", check}, {"count_flops", true}},
                          fmt::format("{} {} of model '{}'",
                                      size_spec_.at("name").get<std::string>(),
                                      fmt::join(sizes, ", "),
                                      model_));
  std::vector<SizeFacts> facts;
  try {
    for (const json& entry : answer.at("sizes")) {
      facts.push_back({entry.at("size").get<int64_t>(),
                       Parameters(entry.at("params").get<double>()),
                       entry.at("flops_per_unit").get<double>()});
    }
    for (const json& warning : answer.value("warnings", json::array())) {
      warning_(warning.get<std::string>());
    }
  } catch (const json::exception& fault) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("the worker's answer to `describe` is not as the protocol "
                            "says: {}",
                            fault.what()));
  }
  for (const SizeFacts& one : facts) {
    if (!(one.params.value() > 0) || !(one.flops_per_unit > 0)) {
      throw Error(ErrorCode::kPlugin,
                  fmt::format("model '{}' has {} parameters and costs {} FLOPs a unit at "
                              "{} {}; both must be positive",
                              model_,
                              one.params.value(),
                              one.flops_per_unit,
                              size_spec_.at("name").get<std::string>(),
                              one.size),
                  "a model needs parameters and at least one matrix product");
    }
  }
  return facts;
}

std::vector<int64_t> WorkerOracle::invert(std::span<const double> params) {
  const json asked = std::vector<double>(params.begin(), params.end());
  const json answer =
      ask("invert",
          {{"size", size_spec_}, {"params", asked}},
          fmt::format("{} parameters of model '{}'", fmt::join(params, ", "), model_));
  try {
    return answer.at("sizes").get<std::vector<int64_t>>();
  } catch (const json::exception& fault) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("the worker's answer to `invert` is not as the protocol says: "
                    "{}",
                    fault.what()));
  }
}

}  // namespace sizewise::running
