#include <cmath>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "planning/experiment_json.hpp"
#include "quantize_model.hpp"
#include "running/durable_file.hpp"
#include "saved_model.hpp"
#include "session.hpp"
#include "single_trial.hpp"
#include "tables/json_values.hpp"

// The part of a Session that ships: trains what is recommended, and quantizes it. Both
// lie in the run directory; what is whole there and still asked for is not made again.

namespace sizewise {
namespace {

using nlohmann::json;
using tables::number_or_nan;
namespace fs = std::filesystem;

constexpr const char* kModelFolder = "model";
constexpr const char* kQuantizedFolder = "quantized";
/// What was asked for, what came of it, and the digests of the files: beside them,
/// because a checkpoint has no place for it.
constexpr const char* kQuantizationFile = "quantization.json";

json read_json(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored)
             ? json::parse(running::read_file(file), nullptr, false)
             : json();
}

/// The digest of a file; null where it is not there.
json digest_of(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? json(sha256_of_file(file)) : json();
}

/// What a trained model's facts must say for it to be the one that is wanted.
json wanted_facts(const planning::Setting& setting,
                  const std::string& fingerprint,
                  const Recommendation& made) {
  return {{"/size", made.size},
          {"/result/tokens", std::llround(made.tokens.value())},
          {"/result/status", "done"},
          {"/model/plugin", setting.model.id()},
          {"/model/options", json::parse(setting.model.options.to_json())},
          {"/dataset/fingerprint", fingerprint},
          {"/loss/plugin", setting.loss.id()},
          {"/recipe", planning::recipe_to_json(setting.recipe)}};
}

/// What trains the recommended model.
SingleTrialRequest request_for(const Experiment& experiment, const Recommendation& made) {
  SingleTrialRequest request;
  request.model = experiment.model;
  request.dataset = experiment.dataset;
  request.loss = experiment.loss;
  request.recipe = experiment.recipe;
  request.size = made.size;
  request.tokens = std::llround(made.tokens.value());
  return request;
}

/// Whether a folder holds that model, whole.
bool holds(const fs::path& folder, const json& wanted) {
  const json facts = read_json(folder / kFactsFile);
  if (!facts.is_object()) {
    return false;
  }
  for (const auto& [place, value] : wanted.items()) {
    const json::json_pointer pointer(place);
    if (!facts.contains(pointer) || facts.at(pointer) != value) {
      return false;
    }
  }
  const json digest = digest_of(folder / kWeightsFile);
  return !digest.is_null() && facts.value("weights_sha256", json()) == digest;
}

/// Takes away what an earlier answer left, the mark of wholeness first.
void remove_model(const fs::path& folder) {
  for (const char* name : {kFactsFile, kFormatFile, kWeightsFile}) {
    std::error_code ignored;
    fs::remove(folder / name, ignored);
  }
}

json digests_of(const fs::path& folder) {
  json digests;
  for (const char* name : {kWeightsFile, kFormatFile, kFactsFile}) {
    digests[name] = digest_of(folder / name);
  }
  return digests;
}

/// What a record tells, where it is of this question and of the files as they are.
std::optional<QuantizationReport> answer_in(const json& record,
                                            const json& asked,
                                            const fs::path& folder) {
  if (!record.is_object() || record.value("asked", json()) != asked) {
    return std::nullopt;
  }
  const json digests = digests_of(folder);
  if (digests.at(kFactsFile).is_null() || record.value("files", json()) != digests) {
    return std::nullopt;
  }
  try {
    return QuantizationReport::from_json(record.value("result", json()).dump());
  } catch (const Error&) {
    return std::nullopt;  // damaged: it is made again
  }
}

QuantizationReport failed(const planning::ResolvedPlugin& quantizer, const Error& error) {
  QuantizationReport report;
  report.quantizer = quantizer.id();
  report.options = quantizer.options;
  report.errors.push_back(error);
  return report;
}

}  // namespace

Callbacks Session::inner_callbacks() {
  Callbacks callbacks = callbacks_;
  callbacks.trial = {};
  callbacks.warning = [this](std::string_view text) {
    warn(std::string(text));
  };
  return callbacks;
}

TrainedModel Session::train_recommended(const Recommendation& made) {
  TrainedModel model;
  model.folder = settings_.run_dir / kModelFolder;
  const json wanted = wanted_facts(resolved_.setting, plan_.provenance.fingerprint, made);
  model.reused = holds(model.folder, wanted);
  if (!model.reused) {
    remove_model(model.folder);
    say(fmt::format("training the recommended size {} on {:.0f} {}s",
                    made.size,
                    made.tokens.value(),
                    made.unit));
    SingleTrialRequest request = request_for(experiment_, made);
    request.threads = settings_.threads;
    request.output = model.folder;
    request.worker = settings_.worker;
    request.working_folder = working_folder(plan_);
    request.stop = settings_.stop;
    const SingleTrial trial = train_one(catalog_, request, inner_callbacks());
    if (!trial.saved) {
      throw Error(ErrorCode::kTraining,
                  fmt::format("the training of the recommended size {} diverged: {}",
                              made.size,
                              trial.result.value("reason", "")),
                  "train it with a smaller --learning-rate");
    }
  }
  const json facts = read_facts(model.folder);
  const json result = facts.value("result", json::object());
  model.size = made.size;
  model.params = Parameters(number_or_nan(result, "params"));
  model.tokens = made.tokens;
  model.loss = number_or_nan(result, "loss");
  model.accuracy = number_or_nan(result, "accuracy");
  model.seconds = number_or_nan(result, "seconds");
  return model;
}

QuantizationReport Session::quantize_trained(const TrainedModel& model,
                                             const planning::ResolvedPlugin& quantizer) {
  const fs::path folder = settings_.run_dir / kQuantizedFolder;
  const fs::path record_file = settings_.run_dir / kQuantizationFile;
  const int64_t batches =
      settings_.calibration_batches.value_or(kDefaultCalibrationBatches);
  const json asked = {{"quantizer", quantizer.id()},
                      {"options", json::parse(quantizer.options.to_json())},
                      {"sha256", quantizer.sha256},
                      {"calibration_batches", batches},
                      {"weights", digest_of(model.folder / kWeightsFile)}};
  if (auto stored = answer_in(read_json(record_file), asked, folder)) {
    stored->output = fs::absolute(folder);  // the run directory may have moved
    say_warnings(stored->warnings, inner_callbacks());
    return *std::move(stored);
  }
  std::error_code ignored;
  fs::remove(record_file, ignored);
  remove_model(folder);
  QuantizationRequest request;
  request.source = model.folder;
  request.quantizer = settings_.quantizer;
  // Not those of model.json: a path there need not be an id that is found.
  request.model = experiment_.model;
  request.dataset = experiment_.dataset;
  request.loss = experiment_.loss;
  request.calibration_batches = batches;
  request.threads = settings_.threads;
  request.output = folder;
  request.worker = settings_.worker;
  request.stop = settings_.stop;
  QuantizationReport report =
      quantize_model(catalog_, request, working_folder(plan_), inner_callbacks());
  if (report.success) {
    running::replace_file(record_file,
                          tables::json_text({{"asked", asked},
                                             {"files", digests_of(folder)},
                                             {"result", json::parse(report.to_json())}}) +
                              "\n");
  }
  return report;
}

void Session::ship(Outcome& outcome) {
  if (!quantizer_) {
    return;
  }
  const double target = targets_of(experiment_, plan_).front().value();
  if (outcome.recommendations.empty() ||
      outcome.recommendations.front().budget.value() != target) {
    warn(fmt::format("nothing is trained for quantizer '{}' and quantized: {}",
                     quantizer_->id(),
                     outcome.identified
                         ? fmt::format("no size is recommended for {:.4g} FLOPs", target)
                         : std::string("the law is not identified")));
    return;
  }
  try {
    outcome.model = train_recommended(outcome.recommendations.front());
    outcome.quantization = quantize_trained(*outcome.model, *quantizer_);
  } catch (const running::Stopped&) {
    throw;
  } catch (const Error& error) {
    // The law and the recommendation stand.
    outcome.quantization = failed(*quantizer_, error);
  }
}

}  // namespace sizewise
