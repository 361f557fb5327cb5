#include "running/trial_result.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "tables/json_values.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using tables::number_or_null;

constexpr const char* kChecksum = "sha256";

/// A field that is there and neither a number nor null is a fault.
double number_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? TrialResult::kUnknown
                                                   : found->get<double>();
}

TrialResult result_from_json(const json& object) {
  TrialResult result;
  result.status = object.at("status").get<std::string>();
  result.reason = object.value("reason", "");
  result.params = number_at(object, "params");
  result.tokens = object.at("tokens").get<int64_t>();
  result.loss = number_at(object, "loss");
  result.train_loss = number_at(object, "train_loss");
  result.accuracy = number_at(object, "accuracy");
  result.flops = number_at(object, "flops");
  result.flops_6nd = number_at(object, "flops_6nd");
  result.seconds = number_at(object, "seconds");
  result.epochs = number_at(object, "epochs");
  result.steps = object.value("steps", int64_t{0});
  result.warnings = object.value("warnings", std::vector<std::string>());
  return result;
}

}  // namespace

TrialResult result_from_answer(const planning::Trial& trial, const json& answer) {
  TrialResult result;
  try {
    result = result_from_json(answer);
  } catch (const json::exception& fault) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("the worker's answer to trial {} is not as the protocol says: "
                    "{}",
                    trial.id,
                    tables::json_fault(fault)),
        "use the worker that was installed with this program");
  }
  // A diverged trial stops where it diverged.
  const bool fits = result.status == "done"
                        ? result.tokens == trial.tokens
                        : result.status == "diverged" && result.tokens <= trial.tokens;
  if (!fits) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("the worker trained trial {} on {} units with status '{}'; asked: {}",
                    trial.id,
                    result.tokens,
                    result.status,
                    trial.tokens),
        "use the worker that was installed with this program");
  }
  if (result.status == "done" && !std::isfinite(result.loss)) {
    result.status = "diverged";
    result.reason = "the validation loss is not finite";
  }
  result.trial = trial.id;
  result.size = trial.size;
  return result;
}

TrialResult failed_result(const planning::Trial& trial, std::string reason) {
  TrialResult result;
  result.trial = trial.id;
  result.status = "failed";
  result.reason = std::move(reason);
  result.size = trial.size;
  result.params = trial.params;
  result.tokens = trial.tokens;
  return result;
}

std::string result_to_text(const TrialResult& result) {
  json object = {{"trial", result.trial},
                 {"status", result.status},
                 {"reason", result.reason},
                 {"size", result.size},
                 {"params", number_or_null(result.params)},
                 {"tokens", result.tokens},
                 {"loss", number_or_null(result.loss)},
                 {"train_loss", number_or_null(result.train_loss)},
                 {"accuracy", number_or_null(result.accuracy)},
                 {"flops", number_or_null(result.flops)},
                 {"flops_6nd", number_or_null(result.flops_6nd)},
                 {"seconds", number_or_null(result.seconds)},
                 {"epochs", number_or_null(result.epochs)},
                 {"steps", result.steps},
                 {"warnings", result.warnings},
                 {"trained_with", result.trained_with}};
  constexpr auto kReplace = json::error_handler_t::replace;
  // Through text once, so that what is hashed is what a reader parses.
  object = json::parse(object.dump(-1, ' ', false, kReplace));
  object[kChecksum] = sha256_of_text(object.dump());
  return object.dump(1) + "\n";
}

TrialResult result_from_text(std::string_view text, std::string_view trial) {
  constexpr const char* kAdvice = "the trial is trained again";
  try {
    json object = json::parse(text);
    const auto checksum = object.at(kChecksum).get<std::string>();
    object.erase(kChecksum);
    if (sha256_of_text(object.dump()) != checksum) {
      throw Error(ErrorCode::kInput, "its checksum does not fit", kAdvice);
    }
    TrialResult result = result_from_json(object);
    result.trial = object.at("trial").get<std::string>();
    result.size = object.at("size").get<int64_t>();
    result.trained_with = object.at("trained_with").get<std::string>();
    if (result.trial != trial) {
      throw Error(ErrorCode::kInput,
                  fmt::format("it is the result of trial {}", result.trial),
                  kAdvice);
    }
    return result;
  } catch (const json::exception& fault) {
    throw Error(ErrorCode::kInput,
                fmt::format("it is damaged: {}", tables::json_fault(fault)),
                kAdvice);
  }
}

}  // namespace sizewise::running
