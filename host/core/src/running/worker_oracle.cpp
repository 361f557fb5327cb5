#include "running/worker_oracle.hpp"

#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "running/wire.hpp"
#include "tables/json_values.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;

[[noreturn]] void refuse_answer(std::string_view method, const std::string& fault) {
  throw Error(
      ErrorCode::kPlugin,
      fmt::format(
          "the worker's answer to `{}` is not as the protocol says: {}", method, fault),
      "use the worker that was installed with this program");
}

/// Reads an answer; what json finds wrong with it is the worker's fault.
template <class Read>
auto read_answer(std::string_view method, Read&& read) -> decltype(read()) {
  try {
    return read();
  } catch (const json::exception& fault) {
    refuse_answer(method, tables::json_fault(fault));
  }
}

json to_json(const SizeSpec& sizes) {
  return {{"name", sizes.name},
          {"minimum", sizes.minimum},
          {"maximum", sizes.maximum},
          {"multipleOf", sizes.multiple_of}};
}

bool is_positive(double number) {
  return std::isfinite(number) && number > 0;
}

}  // namespace

WorkerOracle::WorkerOracle(WorkerPool& pool,
                           const planning::Setting& setting,
                           OracleListener listener)
    : pool_(pool),
      setting_(planning::setting_to_json(setting)),
      sizes_(setting.sizes()),
      model_(setting.model.id()),
      dataset_(setting.dataset.id()),
      listener_(std::move(listener)) {}

planning::Trainer WorkerOracle::trainer() {
  const json& greeting = pool_.idle_worker().greeting();
  return read_answer("hello", [&] {
    return planning::Trainer{
        kProtocolVersion, greeting.value("version", ""), greeting.value("torch", "")};
  });
}

void WorkerOracle::check_quantizer(const planning::ResolvedPlugin& quantizer) {
  ask("quantizer",
      {{"quantizer", planning::plugin_to_json(quantizer)}},
      fmt::format("quantizer '{}'", quantizer.id()),
      fmt::format("asking quantizer '{}'", quantizer.id()));
}

json WorkerOracle::ask(std::string_view method,
                       const json& fields,
                       const std::string& purpose,
                       const std::string& activity) {
  json params = setting_;
  params.update(fields);
  const auto start = std::chrono::steady_clock::now();
  bool is_said = false;
  Waiting waiting;
  waiting.stop = pool_.stop();
  waiting.on_tick = [&] {
    if (!is_said && std::chrono::steady_clock::now() - start > listener_.patience) {
      is_said = true;
      listener_.note(activity);
    }
  };
  for (int attempt = 1;; ++attempt) {
    Reply reply = pool_.idle_worker().ask(method, params, purpose, waiting);
    if (!reply.error) {
      return std::move(reply.result);
    }
    if (reply.kind != ReplyKind::kDied || attempt == kMostAttempts) {
      throw Error(*reply.error);
    }
    listener_.warning(
        fmt::format("{}; another one is asked once more", reply.error->message()));
  }
}

planning::DatasetFacts WorkerOracle::dataset() {
  const json answer = ask("dataset",
                          json::object(),
                          fmt::format("dataset '{}'", dataset_),
                          fmt::format("reading dataset '{}'", dataset_));
  planning::DatasetFacts facts = read_answer("dataset", [&] {
    return planning::DatasetFacts{DatasetInfo::from_json(answer.at("info").dump()),
                                  answer.at("fingerprint").get<std::string>()};
  });
  const DatasetInfo& info = facts.info;
  if (info.units_per_sample < 1 || info.train_samples < 1 ||
      info.validation_samples < 1) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("dataset '{}' says that it has {} samples to train on and {} "
                            "to validate on, of {} units each; allowed: 1 or more",
                            dataset_,
                            info.train_samples,
                            info.validation_samples,
                            info.units_per_sample),
                "correct info() of the plugin, or give it more data");
  }
  return facts;
}

std::vector<SizeFacts> WorkerOracle::describe(std::span<const int64_t> sizes,
                                              bool check) {
  const json asked = std::vector<int64_t>(sizes.begin(), sizes.end());
  const std::string what =
      fmt::format("{} {} of model '{}'", sizes_.name, fmt::join(sizes, ", "), model_);
  const json answer = ask("describe",
                          {{"sizes", asked}, {"check", check}, {"count_flops", true}},
                          what,
                          "counting the FLOPs of " + what);
  const std::vector<SizeFacts> facts = read_answer("describe", [&] {
    std::vector<SizeFacts> read;
    for (const json& entry : answer.at("sizes")) {
      read.push_back({entry.at("size").get<int64_t>(),
                      Parameters(entry.at("params").get<double>()),
                      entry.at("flops_per_unit").get<double>()});
    }
    for (const json& warning : answer.value("warnings", json::array())) {
      listener_.warning(warning.get<std::string>());
    }
    return read;
  });
  bool is_asked = facts.size() == sizes.size();
  for (std::size_t i = 0; is_asked && i < sizes.size(); ++i) {
    is_asked = facts[i].size == sizes[i];
  }
  if (!is_asked) {
    refuse_answer(
        "describe",
        fmt::format("asked for {}, got {}", asked.dump(), answer.at("sizes").dump()));
  }
  for (const SizeFacts& one : facts) {
    if (!is_positive(one.params.value()) || !is_positive(one.flops_per_unit)) {
      throw Error(ErrorCode::kPlugin,
                  fmt::format("model '{}' has {} parameters and costs {} FLOPs a unit at "
                              "{} {}; both must be positive",
                              model_,
                              one.params.value(),
                              one.flops_per_unit,
                              sizes_.name,
                              one.size),
                  "a model needs parameters and at least one matrix product");
    }
  }
  return facts;
}

Parameters WorkerOracle::params_of(int64_t size) {
  const std::string what = fmt::format("{} {} of model '{}'", sizes_.name, size, model_);
  const json answer = ask("describe",
                          {{"sizes", {size}}, {"check", false}, {"count_flops", false}},
                          what,
                          "counting the parameters of " + what);
  const double params = read_answer("describe", [&] {
    return answer.at("sizes").at(0).at("params").get<double>();
  });
  if (!is_positive(params)) {
    refuse_answer("describe", fmt::format("{} has {} parameters", what, params));
  }
  return Parameters(params);
}

std::vector<int64_t> WorkerOracle::invert(std::span<const double> params,
                                          Parameters largest) {
  const json asked = std::vector<double>(params.begin(), params.end());
  const std::string what =
      fmt::format("{:.4g} parameters of model '{}'", fmt::join(params, ", "), model_);
  const json answer = ask(
      "invert",
      {{"size", to_json(sizes_)}, {"params", asked}, {"largest_params", largest.value()}},
      what,
      fmt::format("looking for the {} with {}", sizes_.name, what));
  const auto sizes = read_answer("invert", [&] {
    return answer.at("sizes").get<std::vector<int64_t>>();
  });
  if (sizes.size() != params.size()) {
    refuse_answer("invert",
                  fmt::format("asked for {} sizes, got {}", params.size(), sizes.size()));
  }
  for (const int64_t size : sizes) {
    if (!sizes_.allows(size)) {
      refuse_answer("invert",
                    fmt::format("{} {} is none of the model's: {} to {} in steps of {}",
                                sizes_.name,
                                size,
                                sizes_.minimum,
                                sizes_.maximum,
                                sizes_.multiple_of));
    }
  }
  return sizes;
}

}  // namespace sizewise::running
