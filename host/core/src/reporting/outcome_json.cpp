#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "sizewise/host.hpp"

namespace sizewise {
namespace {

using nlohmann::json;

json number(double value) {
  return std::isfinite(value) ? json(value) : json();
}

json whole(double value) {
  return std::isfinite(value) ? json(static_cast<int64_t>(std::llround(value))) : json();
}

json to_json(const Recommendation& made) {
  return {
      {"budget_flops", made.budget.value()},
      {"size", made.size},
      {"params", whole(made.params.value())},
      {"tokens", whole(made.tokens.value())},
      {"loss", number(made.loss)},
      {"params_interval",
       {number(made.params_low.value()), number(made.params_high.value())}},
      {"extrapolation", number(made.extrapolation)},
      {"cost_model", made.cost_model},
      {"reason", made.reason}};
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
      {"training_flops", number(training_flops.value())},
      {"seconds", seconds},
      {"interrupted", interrupted},
      {"fit", fit_json.empty() ? json() : json::parse(fit_json)},
      {"recommendation", list.empty() ? json() : list.front()},
      {"recommendations", list},
      {"quantization", nullptr},
      {"warnings", warnings}};
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace sizewise
