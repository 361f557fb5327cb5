#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/host.hpp"

#include "tables/json_values.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
using tables::number_or_nan;
using tables::number_or_null;

json whole(double value) {
  return std::isfinite(value) ? json(static_cast<int64_t>(std::llround(value))) : json();
}

json to_json(const Recommendation& made) {
  return {{"budget_flops", made.budget.value()},
          {"size", made.size},
          {"params", whole(made.params.value())},
          {"tokens", whole(made.tokens.value())},
          {"unit", made.unit},
          {"loss", number_or_null(made.loss)},
          {"params_interval",
           {number_or_null(made.params_low.value()),
            number_or_null(made.params_high.value())}},
          {"extrapolation", number_or_null(made.extrapolation)},
          {"cost_model", made.cost_model},
          {"reason", made.reason}};
}

Recommendation recommendation_from(const json& object) {
  Recommendation made;
  made.budget = Flops(object.at("budget_flops").get<double>());
  made.size = object.at("size").get<int64_t>();
  made.params = Parameters(object.at("params").get<double>());
  made.tokens = Units(object.at("tokens").get<double>());
  made.unit = object.value("unit", made.unit);
  made.loss = number_or_nan(object, "loss");
  const json& interval = object.at("params_interval");
  made.params_low =
      Parameters(interval.at(0).is_number() ? interval.at(0).get<double>() : NAN);
  made.params_high =
      Parameters(interval.at(1).is_number() ? interval.at(1).get<double>() : NAN);
  made.extrapolation = number_or_nan(object, "extrapolation");
  made.cost_model = object.at("cost_model").get<std::string>();
  made.reason = object.at("reason").get<std::string>();
  return made;
}

json to_json(const TrainedModel& model) {
  return {{"folder", model.folder.string()},
          {"size", model.size},
          {"params", whole(model.params.value())},
          {"tokens", whole(model.tokens.value())},
          {"loss", number_or_null(model.loss)},
          {"accuracy", number_or_null(model.accuracy)},
          {"seconds", number_or_null(model.seconds)},
          {"reused", model.reused}};
}

TrainedModel model_from(const json& object) {
  TrainedModel model;
  model.folder = object.at("folder").get<std::string>();
  model.size = object.at("size").get<int64_t>();
  model.params = Parameters(number_or_nan(object, "params"));
  model.tokens = Units(number_or_nan(object, "tokens"));
  model.loss = number_or_nan(object, "loss");
  model.accuracy = number_or_nan(object, "accuracy");
  model.seconds = number_or_nan(object, "seconds");
  model.reused = object.value("reused", false);
  return model;
}

}  // namespace

void Outcome::add_answer(std::string_view text) {
  try {
    const json object = json::parse(text);
    seconds = object.at("seconds").get<double>();
    const json& fit = object.at("fit");
    fit_json = fit.is_null() ? std::string() : tables::json_text(fit);
    identified = fit.is_object() && fit.at("status") == "identified";
    for (const json& made : object.at("recommendations")) {
      recommendations.push_back(recommendation_from(made));
    }
    if (const json made = object.value("model", json()); !made.is_null()) {
      model = model_from(made);
    }
    if (const json made = object.value("quantization", json()); !made.is_null()) {
      quantization = QuantizationReport::from_json(made.dump());
    }
    for (const json& line : object.value("advice", json::array())) {
      advice.push_back(line.get<std::string>());
    }
    for (const json& warning : object.at("warnings")) {
      warnings.push_back(warning.get<std::string>());
    }
  } catch (const json::exception& fault) {
    throw Error(
        ErrorCode::kInput,
        std::string("the outcome is not as it was written: ") + tables::json_fault(fault),
        "make it again with `sizewise run DIR`");
  }
}

namespace {

/// What law.json holds, without the resamples: thousands of numbers that predict reads.
json fit_in_short(const std::string& fit_json) {
  json fit = fit_json.empty() ? json() : json::parse(fit_json);
  if (fit.contains("bootstrap")) {
    fit["bootstrap"].erase("draws");
  }
  return fit;
}

}  // namespace

std::string Outcome::to_json() const {
  json list = json::array();
  for (const Recommendation& made : recommendations) {
    list.push_back(sizewise::to_json(made));
  }
  const json object = {
      {"run_dir", run_dir.string()},
      {"trials",
       {{"planned", planned},
        {"done", done},
        {"diverged", diverged},
        {"failed", failed},
        {"reused", reused}}},
      {"training_flops", number_or_null(training_flops.value())},
      {"seconds", seconds},
      {"interrupted", interrupted},
      {"fit", fit_in_short(fit_json)},
      {"recommendation", list.empty() ? json() : list.front()},
      {"recommendations", list},
      {"model", model ? sizewise::to_json(*model) : json()},
      {"quantization", quantization ? json::parse(quantization->to_json()) : json()},
      {"advice", advice},
      {"warnings", warnings}};
  return tables::json_text(object);
}

}  // namespace sizewise
