#include "serving/result_json.hpp"

#include <nlohmann/json.hpp>

#include "tables/json_values.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

json accuracy_to_json(const std::optional<double>& accuracy) {
  return accuracy ? json(*accuracy) : json(nullptr);
}

}  // namespace

json progress_to_json(const training::Progress& progress) {
  return {{"event", "progress"},
          {"step", progress.step},
          {"steps", progress.steps},
          {"tokens", progress.tokens},
          {"tokens_total", progress.tokens_total},
          {"loss", tables::number_or_null(progress.loss)},
          {"tokens_per_second", tables::number_or_null(progress.tokens_per_second)}};
}

json result_to_json(const training::TrialResult& result) {
  return {{"status", training::to_string(result.status)},
          {"reason", result.reason},
          {"params", result.params},
          {"tokens", result.tokens},
          {"loss", tables::number_or_null(result.loss)},
          {"train_loss", tables::number_or_null(result.train_loss)},
          {"accuracy", accuracy_to_json(result.accuracy)},
          {"flops", tables::number_or_null(result.flops)},
          {"flops_6nd", tables::number_or_null(result.flops_6nd)},
          {"seconds", result.seconds},
          {"epochs", result.epochs},
          {"steps", result.steps},
          {"warnings", result.warnings}};
}

json evaluation_to_json(const training::Evaluation& evaluation) {
  const auto batches = static_cast<double>(evaluation.batches);
  return {{"loss", tables::number_or_null(evaluation.loss)},
          {"accuracy", accuracy_to_json(evaluation.accuracy)},
          {"units", evaluation.units},
          {"seconds_per_batch", tables::number_or_null(evaluation.seconds / batches)}};
}

}  // namespace sizewise::serving
