#include "sizewise/fitted_law.hpp"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "fitting/fit_report_json.hpp"
#include "tables/json_values.hpp"

namespace sizewise {

FittedLaw fitted_law_from_json(std::string_view json) {
  nlohmann::json object;
  try {
    object = nlohmann::json::parse(json);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("a law is no JSON: {}", tables::json_fault(error)),
                "give what a run's law.json holds, or what sizewise fit --json printed");
  }
  fitting::FitReport report = fitting::fit_report_from_json(object);
  FittedLaw fitted;
  fitted.law = std::move(report.result.law);
  fitted.cost_model = std::move(report.cost_model);
  fitted.identified = report.identified();
  fitted.reasons = std::move(report.result.reasons);
  fitted.largest_flops = Flops(report.largest_flops);
  return fitted;
}

}  // namespace sizewise
