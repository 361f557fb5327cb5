#include "fitting/fit_report_json.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::fitting {
namespace {

using nlohmann::json;

json number_or_null(double number) {
  return std::isfinite(number) ? json(number) : json(nullptr);
}

json interval_to_json(const Interval& interval) {
  return json::array({number_or_null(interval.low), number_or_null(interval.high)});
}

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

json bootstrap_to_json(const BootstrapReport& bootstrap) {
  json errors = json::object();
  for (const auto& [name, value] : bootstrap.standard_error) {
    errors[name] = number_or_null(value);
  }
  json intervals = json::object();
  for (const auto& [name, value] : bootstrap.interval) {
    intervals[name] = interval_to_json(value);
  }
  return {{"replicates", bootstrap.replicates},
          {"failed", bootstrap.failed},
          {"not_identified", bootstrap.not_identified},
          {"unit", bootstrap.unit},
          {"level", bootstrap.level},
          {"standard_error", std::move(errors)},
          {"interval", std::move(intervals)}};
}

json optimum_to_json(const Optimum& optimum) {
  json object = {{"budget_flops", number_or_null(optimum.budget.value())},
                 {"params", number_or_null(optimum.params.value())},
                 {"tokens", number_or_null(optimum.tokens.value())},
                 {"loss", number_or_null(optimum.loss.value())},
                 {"params_interval", nullptr},
                 {"extrapolation", number_or_null(optimum.extrapolation)}};
  if (optimum.params_interval) {
    object["params_interval"] = interval_to_json(*optimum.params_interval);
  }
  return object;
}

json cost_points_to_json(const CostModel& model) {
  json points = json::array();
  for (const CostPoint& point : model.points()) {
    points.push_back(json::array({point.params, point.flops_per_unit}));
  }
  return points;
}

[[noreturn]] void refuse(std::string_view field, std::string_view allowed) {
  throw Error(ErrorCode::kInput,
              fmt::format("the law's '{}' is missing or is not {}", field, allowed),
              "use the law.json of a run directory, or what sizewise fit --json printed");
}

const json& field_of(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) {
    refuse(name, "there");
  }
  return object.at(name);
}

double number_of(const json& object, const char* name) {
  const json& value = field_of(object, name);
  if (value.is_null()) {
    return FitResult::kUnknown;
  }
  if (!value.is_number()) {
    refuse(name, "a number");
  }
  return value.get<double>();
}

template <class T>
T get_as(const json& object, const char* name, std::string_view allowed) {
  try {
    return field_of(object, name).get<T>();
  } catch (const json::exception&) {
    refuse(name, allowed);
  }
}

Interval interval_of(const json& value, const char* name) {
  const bool is_end_good = value.is_array() && value.size() == 2 &&
                           (value[0].is_number() || value[0].is_null()) &&
                           (value[1].is_number() || value[1].is_null());
  if (!is_end_good) {
    refuse(name, "[low, high]");
  }
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  return {value[0].is_null() ? -kUnbounded : value[0].get<double>(),
          value[1].is_null() ? kUnbounded : value[1].get<double>()};
}

Law law_of(const json& object) {
  Law law;
  law.form = get_as<std::string>(object, "form", "a text");
  for (const auto& item : object.items()) {
    if (item.value().is_number()) {
      law.values[item.key()] = item.value().get<double>();
    } else if (item.value().is_object()) {
      for (const auto& inner : item.value().items()) {
        law.values[item.key() + "." + inner.key()] =
            number_of(item.value(), inner.key().c_str());
      }
    } else if (item.value().is_string() && item.key() != "form") {
      law.texts[item.key()] = item.value().get<std::string>();
    }
  }
  return law;
}

RowCounts rows_of(const json& object) {
  RowCounts rows;
  rows.read = get_as<std::size_t>(object, "read", "a count");
  rows.used = get_as<std::size_t>(object, "used", "a count");
  for (const json& item : field_of(object, "excluded")) {
    rows.excluded.push_back({get_as<std::string>(item, "reason", "a text"),
                             get_as<std::size_t>(item, "count", "a count")});
  }
  return rows;
}

FitStatus status_of(const json& object) {
  const auto status = get_as<std::string>(object, "status", "a text");
  if (status == "identified") {
    return FitStatus::kIdentified;
  }
  if (status != "not_identified") {
    refuse("status", "identified or not_identified");
  }
  return FitStatus::kNotIdentified;
}

FitResult result_of(const json& object) {
  FitResult result;
  result.status = status_of(object);
  for (const json& item : field_of(object, "reasons")) {
    result.reasons.push_back({get_as<std::string>(item, "code", "a text"),
                              get_as<std::string>(item, "message", "a text")});
  }
  result.law = law_of(field_of(object, "law"));
  result.objective = number_of(object, "objective");
  const json& starts = field_of(object, "starts");
  result.starts_tried = get_as<int>(starts, "tried", "a count");
  result.starts_within_tenth_percent =
      get_as<int>(starts, "within_0.1_percent", "a count");
  result.a = number_of(field_of(object, "exponents"), "a");
  result.b = number_of(field_of(object, "exponents"), "b");
  return result;
}

BootstrapReport bootstrap_of(const json& object) {
  BootstrapReport bootstrap;
  bootstrap.replicates = get_as<int>(object, "replicates", "a count");
  bootstrap.failed = get_as<int>(object, "failed", "a count");
  bootstrap.not_identified = get_as<int>(object, "not_identified", "a count");
  bootstrap.unit = get_as<std::string>(object, "unit", "a text");
  bootstrap.level = number_of(object, "level");
  for (const auto& item : field_of(object, "standard_error").items()) {
    bootstrap.standard_error[item.key()] =
        number_of(object.at("standard_error"), item.key().c_str());
  }
  for (const auto& item : field_of(object, "interval").items()) {
    bootstrap.interval[item.key()] = interval_of(item.value(), "interval");
  }
  return bootstrap;
}

Optimum optimum_of_json(const json& object) {
  Optimum optimum;
  optimum.budget = Flops(number_of(object, "budget_flops"));
  optimum.params = Parameters(number_of(object, "params"));
  optimum.tokens = Units(number_of(object, "tokens"));
  optimum.loss = Nats(number_of(object, "loss"));
  if (!field_of(object, "params_interval").is_null()) {
    optimum.params_interval =
        interval_of(object.at("params_interval"), "params_interval");
  }
  optimum.extrapolation = number_of(object, "extrapolation");
  return optimum;
}

CostModel cost_model_of_json(const json& object) {
  const auto name = get_as<std::string>(object, "cost_model", "a text");
  if (name == "6nd") {
    return CostModel::six_per_parameter();
  }
  if (name != "counted") {
    refuse("cost_model", "counted or 6nd");
  }
  std::vector<CostPoint> points;
  for (const json& item : field_of(object, "cost_points")) {
    const Interval pair = interval_of(item, "cost_points");
    points.push_back({pair.low, pair.high});
  }
  return CostModel::counted(std::move(points));
}

}  // namespace

nlohmann::json fit_report_to_json(const FitReport& report) {
  json object = {
      {"fit", report.fit.plugin},
      {"options", json::parse(report.fit.options.to_json())},
      {"rows", rows_to_json(report.rows)},
      {"status", report.identified() ? "identified" : "not_identified"},
      {"reasons", reasons_to_json(report.result.reasons)},
      {"law", law_to_json(report.result.law)},
      {"objective", number_or_null(report.result.objective)},
      {"starts",
       {{"tried", report.result.starts_tried},
        {"within_0.1_percent", report.result.starts_within_tenth_percent}}},
      {"exponents",
       {{"a", number_or_null(report.result.a)}, {"b", number_or_null(report.result.b)}}},
      {"cost_model", report.cost_model.name()},
      {"cost_points", cost_points_to_json(report.cost_model)},
      {"largest_flops", number_or_null(report.largest_flops)},
      {"params_seen", interval_to_json(report.params_seen)},
      {"ratio_seen", interval_to_json(report.ratio_seen)},
      {"optima", json::array()},
      {"warnings", report.warnings}};
  if (report.bootstrap) {
    object["bootstrap"] = bootstrap_to_json(*report.bootstrap);
  }
  for (const Optimum& optimum : report.optima) {
    object["optima"].push_back(optimum_to_json(optimum));
  }
  return object;
}

FitReport fit_report_from_json(const nlohmann::json& object) {
  FitReport report;
  report.fit.plugin = get_as<std::string>(object, "fit", "a text");
  report.fit.options = Options::from_json(field_of(object, "options").dump());
  report.rows = rows_of(field_of(object, "rows"));
  report.result = result_of(object);
  if (object.contains("bootstrap")) {
    report.bootstrap = bootstrap_of(object.at("bootstrap"));
  }
  report.cost_model = cost_model_of_json(object);
  report.largest_flops = number_of(object, "largest_flops");
  report.params_seen = interval_of(field_of(object, "params_seen"), "params_seen");
  report.ratio_seen = interval_of(field_of(object, "ratio_seen"), "ratio_seen");
  for (const json& item : field_of(object, "optima")) {
    report.optima.push_back(optimum_of_json(item));
  }
  report.warnings =
      get_as<std::vector<std::string>>(object, "warnings", "a list of texts");
  return report;
}

}  // namespace sizewise::fitting
