#include "fitting/fit_report_json.hpp"

#include <nlohmann/json.hpp>

#include "fitting/json_fields.hpp"

namespace sizewise::fitting {
namespace {

using fields::interval_or_null;
using fields::interval_to_json;
using fields::number_or_null;
using nlohmann::json;

/// An allocation law's values "params.coefficient" become {"params": {"coefficient":
/// ...}}.
json law_to_json(const Law& law) {
  json object = {{"form", law.form}};
  for (const auto& [key, value] : law.values) {
    const std::size_t dot = key.find('.');
    if (dot == std::string::npos) {
      object[key] = number_or_null(value);
    } else {
      object[key.substr(0, dot)][key.substr(dot + 1)] = number_or_null(value);
    }
  }
  for (const auto& [key, value] : law.texts) {
    object[key] = value;
  }
  return object;
}

json rows_to_json(const RowCounts& rows) {
  json excluded = json::array();
  for (const Exclusion& exclusion : rows.excluded) {
    excluded.push_back({{"reason", exclusion.reason}, {"count", exclusion.count}});
  }
  return {{"read", rows.read}, {"used", rows.used}, {"excluded", std::move(excluded)}};
}

json reasons_to_json(const std::vector<Reason>& reasons) {
  json list = json::array();
  for (const Reason& reason : reasons) {
    list.push_back({{"code", reason.code}, {"message", reason.message}});
  }
  return list;
}

json numbers_to_json(const std::map<std::string, double>& numbers) {
  json object = json::object();
  for (const auto& [name, value] : numbers) {
    object[name] = number_or_null(value);
  }
  return object;
}

json intervals_to_json(const std::map<std::string, Interval>& intervals) {
  json object = json::object();
  for (const auto& [name, value] : intervals) {
    object[name] = interval_to_json(value);
  }
  return object;
}

json draws_to_json(const BootstrapReport& bootstrap) {
  json object = json::object();
  for (const auto& [name, draws] : bootstrap.draws) {
    if (is_of_optimum(name)) {
      continue;
    }
    json& numbers = object[name] = json::array();
    for (const double draw : draws) {
      numbers.push_back(number_or_null(draw));
    }
  }
  return object;
}

json bootstrap_to_json(const BootstrapReport& bootstrap) {
  return {{"replicates", bootstrap.replicates},
          {"failed", bootstrap.failed},
          {"not_identified", bootstrap.not_identified},
          {"reasons", bootstrap.reasons},
          {"unit", bootstrap.unit},
          {"level", bootstrap.level},
          {"standard_error", numbers_to_json(bootstrap.standard_error)},
          {"interval", intervals_to_json(bootstrap.interval)},
          {"draws", draws_to_json(bootstrap)}};
}

json profiles_to_json(const std::vector<ProfileReport>& profiles) {
  json object = json::object();
  for (const ProfileReport& profile : profiles) {
    object[profile.name] = {{"estimate", number_or_null(profile.estimate)},
                            {"level", profile.level},
                            {"interval", interval_to_json(profile.interval)},
                            {"refits", profile.refits}};
  }
  return object;
}

json training_to_json(const Training& training) {
  return {{"budget_flops", number_or_null(training.budget.value())},
          {"params", number_or_null(training.params.value())},
          {"tokens", number_or_null(training.tokens.value())},
          {"loss", number_or_null(training.loss.value())}};
}

json serving_to_json(const Serving& serving, const Optimum& optimum) {
  return {
      {"served_units", number_or_null(serving.served.value())},
      {"training", training_to_json(serving.training)},
      {"serving_flops", number_or_null(serving.serving_flops.value())},
      {"total_flops", number_or_null(serving.total_flops.value())},
      {"trained_best", training_to_json(serving.trained_best)},
      {"trained_best_total_flops", number_or_null(serving.trained_best_total.value())},
      {"params_interval", interval_or_null(optimum.serving_params_interval)},
      {"extrapolation", number_or_null(optimum.serving_extrapolation)}};
}

json optimum_to_json(const Optimum& optimum) {
  json object = training_to_json(optimum);
  object["asked"] = {
      {name_of(optimum.question.kind), number_or_null(optimum.question.value)}};
  object["params_interval"] = interval_or_null(optimum.params_interval);
  object["tokens_interval"] = interval_or_null(optimum.tokens_interval);
  object["loss_interval"] = interval_or_null(optimum.loss_interval);
  object["budget_interval"] = interval_or_null(optimum.budget_interval);
  object["interval_source"] =
      optimum.interval_source.empty() ? json(nullptr) : json(optimum.interval_source);
  object["extrapolation"] = number_or_null(optimum.extrapolation);
  if (optimum.serving) {
    object["serving"] = serving_to_json(*optimum.serving, optimum);
  }
  return object;
}

json residuals_to_json(const std::vector<Residual>& residuals) {
  json list = json::array();
  for (const Residual& residual : residuals) {
    list.push_back({{"line", residual.line},
                    {"params", number_or_null(residual.params)},
                    {"tokens", number_or_null(residual.tokens)},
                    {"flops", number_or_null(residual.flops)},
                    {"loss", number_or_null(residual.observed)},
                    {"predicted", number_or_null(residual.predicted)},
                    {"error", number_or_null(residual.error())}});
  }
  return list;
}

json outliers_to_json(const OutlierReport& outliers) {
  return {{"limit", number_or_null(outliers.limit)},
          {"count", outliers.count},
          {"rows", residuals_to_json(outliers.rows)},
          {"without",
           {{"law", law_to_json(outliers.law_without)},
            {"a", number_or_null(outliers.a_without)}}}};
}

json exponents_to_json(const FitResult& result) {
  return {{"a", number_or_null(result.a)}, {"b", number_or_null(result.b)}};
}

const char* status_text(FitStatus status) {
  return status == FitStatus::kIdentified ? "identified" : "not_identified";
}

json hold_out_to_json(const HoldOutReport& hold_out) {
  return {{"rows", hold_out.rows_held},
          {"held", hold_out.held},
          {"fitted", hold_out.fitted},
          {"status", status_text(hold_out.result.status)},
          {"law", law_to_json(hold_out.result.law)},
          {"exponents", exponents_to_json(hold_out.result)},
          {"mean_absolute_error", number_or_null(hold_out.mean_absolute_error)},
          {"bias", number_or_null(hold_out.bias)},
          {"budget_flops", number_or_null(hold_out.budget.value())},
          {"params", number_or_null(hold_out.params.value())},
          {"params_of_all", number_or_null(hold_out.params_of_all.value())}};
}

json sensitivity_to_json(const std::vector<SensitivityRow>& rows) {
  json list = json::array();
  for (const SensitivityRow& row : rows) {
    json optima = json::array();
    for (const Training& training : row.optima) {
      optima.push_back(training_to_json(training));
    }
    list.push_back(
        {{"reading", row.reading},
         {"status", row.identified ? "identified" : "not_identified"},
         {"exponents", {{"a", number_or_null(row.a)}, {"b", number_or_null(row.b)}}},
         {"growth", number_or_null(row.growth)},
         {"optima", std::move(optima)}});
  }
  return list;
}

json cost_points_to_json(const CostModel& model) {
  json points = json::array();
  for (const CostPoint& point : model.points()) {
    points.push_back(json::array({point.params, point.flops_per_unit}));
  }
  return points;
}

/// What is there only where it was asked for or found.
void add_optional_parts(const FitReport& report, json& object) {
  if (report.bootstrap) {
    object["bootstrap"] = bootstrap_to_json(*report.bootstrap);
  }
  if (report.hessian) {
    object["hessian"] = {
        {"level", report.hessian->level},
        {"standard_error", numbers_to_json(report.hessian->standard_error)},
        {"interval", intervals_to_json(report.hessian->interval)},
        {"parameters", report.result.parameters},
        {"covariance", report.result.covariance}};
  }
  if (!report.profiles.empty()) {
    object["profile"] = profiles_to_json(report.profiles);
  }
  if (report.outliers) {
    object["outliers"] = outliers_to_json(*report.outliers);
  }
  if (!report.residuals.empty()) {
    object["residuals"] = residuals_to_json(report.residuals);
  }
  if (report.hold_out) {
    object["hold_out"] = hold_out_to_json(*report.hold_out);
  }
  if (!report.sensitivity.empty()) {
    object["sensitivity"] = sensitivity_to_json(report.sensitivity);
  }
}

}  // namespace

nlohmann::json optima_to_json(const FitReport& report) {
  json list = json::array();
  for (const Optimum& optimum : report.optima) {
    list.push_back(optimum_to_json(optimum));
  }
  return list;
}

nlohmann::json fit_report_to_json(const FitReport& report) {
  json object = {{"fit", report.fit.plugin},
                 {"options", json::parse(report.fit.options.to_json())},
                 {"rows", rows_to_json(report.rows)},
                 {"status", status_text(report.result.status)},
                 {"reasons", reasons_to_json(report.result.reasons)},
                 {"law", law_to_json(report.result.law)},
                 {"objective", number_or_null(report.result.objective)},
                 {"starts",
                  {{"tried", report.result.starts_tried},
                   {"within_0.1_percent", report.result.starts_within_tenth_percent}}},
                 {"exponents", exponents_to_json(report.result)},
                 {"counted_growth", number_or_null(report.counted_growth)},
                 {"cost_model", report.cost_model.name()},
                 {"cost_points", cost_points_to_json(report.cost_model)},
                 {"largest_flops", number_or_null(report.largest_flops)},
                 {"params_seen", interval_to_json(report.params_seen)},
                 {"ratio_seen", interval_to_json(report.ratio_seen)},
                 {"optima", optima_to_json(report)},
                 {"warnings", report.warnings}};
  add_optional_parts(report, object);
  return object;
}

}  // namespace sizewise::fitting
