#include <nlohmann/json.hpp>

#include "fitting/fit_report_json.hpp"
#include "fitting/json_fields.hpp"

namespace sizewise::fitting {
namespace {

using fields::field_of;
using fields::get_as;
using fields::has;
using fields::interval_of;
using fields::number_of;
using fields::refuse;
using nlohmann::json;

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

std::map<std::string, double> numbers_of(const json& object, const char* name) {
  std::map<std::string, double> numbers;
  const json& items = field_of(object, name);
  for (const auto& item : items.items()) {
    numbers[item.key()] = number_of(items, item.key().c_str());
  }
  return numbers;
}

std::map<std::string, Interval> intervals_of(const json& object) {
  std::map<std::string, Interval> intervals;
  for (const auto& item : field_of(object, "interval").items()) {
    intervals[item.key()] = interval_of(item.value(), "interval");
  }
  return intervals;
}

std::map<std::string, std::vector<double>> draws_of(const json& object, int replicates) {
  std::map<std::string, std::vector<double>> draws;
  for (const auto& item : object.items()) {
    if (!item.value().is_array()) {
      refuse("draws", "lists of numbers");
    }
    if (item.value().size() != static_cast<std::size_t>(replicates)) {
      refuse("draws", "lists of as many numbers as there are replicates");
    }
    std::vector<double>& numbers = draws[item.key()];
    for (const json& value : item.value()) {
      if (!value.is_number() && !value.is_null()) {
        refuse("draws", "lists of numbers");
      }
      numbers.push_back(value.is_null() ? FitResult::kUnknown : value.get<double>());
    }
  }
  return draws;
}

BootstrapReport bootstrap_of(const json& object) {
  BootstrapReport bootstrap;
  bootstrap.replicates = get_as<int>(object, "replicates", "a count");
  constexpr int kMostReplicates = 1'000'000;
  if (bootstrap.replicates < 0 || bootstrap.replicates > kMostReplicates) {
    refuse("replicates", "0 to 1000000");
  }
  bootstrap.failed = get_as<int>(object, "failed", "a count");
  bootstrap.not_identified = get_as<int>(object, "not_identified", "a count");
  if (has(object, "reasons")) {
    bootstrap.reasons =
        get_as<std::map<std::string, int>>(object, "reasons", "counts by reason");
  }
  bootstrap.unit = get_as<std::string>(object, "unit", "a text");
  bootstrap.level = number_of(object, "level");
  bootstrap.standard_error = numbers_of(object, "standard_error");
  bootstrap.interval = intervals_of(object);
  if (has(object, "draws")) {
    bootstrap.draws = draws_of(object.at("draws"), bootstrap.replicates);
  }
  return bootstrap;
}

HessianReport hessian_of(const json& object) {
  return {number_of(object, "level"),
          numbers_of(object, "standard_error"),
          intervals_of(object)};
}

std::vector<ProfileReport> profiles_of(const json& object) {
  std::vector<ProfileReport> profiles;
  for (const auto& item : object.items()) {
    ProfileReport profile;
    profile.name = item.key();
    profile.estimate = number_of(item.value(), "estimate");
    profile.level = number_of(item.value(), "level");
    profile.interval = interval_of(field_of(item.value(), "interval"), "interval");
    profile.refits = get_as<int>(item.value(), "refits", "a count");
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

Training training_of(const json& object) {
  Training training;
  training.budget = Flops(number_of(object, "budget_flops"));
  training.params = Parameters(number_of(object, "params"));
  training.tokens = Units(number_of(object, "tokens"));
  training.loss = Nats(number_of(object, "loss"));
  return training;
}

Serving serving_of(const json& object) {
  Serving serving;
  serving.served = Units(number_of(object, "served_units"));
  serving.training = training_of(field_of(object, "training"));
  serving.serving_flops = Flops(number_of(object, "serving_flops"));
  serving.total_flops = Flops(number_of(object, "total_flops"));
  serving.trained_best = training_of(field_of(object, "trained_best"));
  serving.trained_best_total = Flops(number_of(object, "trained_best_total_flops"));
  return serving;
}

/// A law that an older program wrote holds answers for budgets alone, and does not say
/// so.
Question question_of(const json& object) {
  if (!has(object, "asked")) {
    return {Question::Kind::kBudget, number_of(object, "budget_flops")};
  }
  const json& asked = object.at("asked");
  for (const Question::Kind kind : {Question::Kind::kBudget,
                                    Question::Kind::kTargetLoss,
                                    Question::Kind::kParams,
                                    Question::Kind::kTokens}) {
    const std::string name(name_of(kind));
    if (asked.is_object() && asked.contains(name)) {
      return {kind, number_of(asked, name.c_str())};
    }
  }
  refuse("asked", "{budget, target_loss, params or tokens: a number}");
}

Optimum optimum_of(const json& object) {
  Optimum optimum;
  static_cast<Training&>(optimum) = training_of(object);
  optimum.question = question_of(object);
  const auto read = [&object](const char* name, std::optional<Interval>& interval) {
    if (has(object, name)) {
      interval = interval_of(object.at(name), name);
    }
  };
  read("budget_interval", optimum.budget_interval);
  read("params_interval", optimum.params_interval);
  read("tokens_interval", optimum.tokens_interval);
  read("loss_interval", optimum.loss_interval);
  if (has(object, "interval_source")) {
    optimum.interval_source = get_as<std::string>(object, "interval_source", "a text");
  }
  optimum.extrapolation = number_of(object, "extrapolation");
  if (has(object, "serving")) {
    optimum.serving = serving_of(object.at("serving"));
  }
  return optimum;
}

std::vector<Residual> residuals_of(const json& list) {
  std::vector<Residual> residuals;
  for (const json& item : list) {
    Residual residual;
    residual.line = get_as<uint64_t>(item, "line", "a count");
    residual.params = number_of(item, "params");
    residual.tokens = number_of(item, "tokens");
    residual.flops = number_of(item, "flops");
    residual.observed = number_of(item, "loss");
    residual.predicted = number_of(item, "predicted");
    residuals.push_back(residual);
  }
  return residuals;
}

OutlierReport outliers_of(const json& object) {
  OutlierReport outliers;
  outliers.limit = number_of(object, "limit");
  outliers.count = get_as<std::size_t>(object, "count", "a count");
  outliers.rows = residuals_of(field_of(object, "rows"));
  const json& without = field_of(object, "without");
  outliers.law_without = law_of(field_of(without, "law"));
  outliers.a_without = number_of(without, "a");
  return outliers;
}

HoldOutReport hold_out_of(const json& object) {
  HoldOutReport hold_out;
  hold_out.rows_held = get_as<std::string>(object, "rows", "a text");
  hold_out.held = get_as<std::size_t>(object, "held", "a count");
  hold_out.fitted = get_as<std::size_t>(object, "fitted", "a count");
  hold_out.result.status = status_of(object);
  hold_out.result.law = law_of(field_of(object, "law"));
  hold_out.result.a = number_of(field_of(object, "exponents"), "a");
  hold_out.result.b = number_of(field_of(object, "exponents"), "b");
  hold_out.mean_absolute_error = number_of(object, "mean_absolute_error");
  hold_out.bias = number_of(object, "bias");
  hold_out.budget = Flops(number_of(object, "budget_flops"));
  hold_out.params = Parameters(number_of(object, "params"));
  hold_out.params_of_all = Parameters(number_of(object, "params_of_all"));
  return hold_out;
}

std::vector<SensitivityRow> sensitivity_of(const json& list) {
  std::vector<SensitivityRow> rows;
  for (const json& item : list) {
    SensitivityRow row;
    row.reading = get_as<std::string>(item, "reading", "a text");
    row.identified = status_of(item) == FitStatus::kIdentified;
    row.a = number_of(field_of(item, "exponents"), "a");
    row.b = number_of(field_of(item, "exponents"), "b");
    for (const json& training : field_of(item, "optima")) {
      row.optima.push_back(training_of(training));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

CostModel cost_model_from(const json& object) {
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

void read_optional_parts(const json& object, FitReport& report) {
  if (has(object, "bootstrap")) {
    report.bootstrap = bootstrap_of(object.at("bootstrap"));
  }
  if (has(object, "hessian")) {
    const json& hessian = object.at("hessian");
    report.hessian = hessian_of(hessian);
    report.result.parameters =
        get_as<std::vector<std::string>>(hessian, "parameters", "a list of texts");
    report.result.covariance =
        get_as<std::vector<double>>(hessian, "covariance", "a list of numbers");
  }
  if (has(object, "profile")) {
    report.profiles = profiles_of(object.at("profile"));
  }
  if (has(object, "outliers")) {
    report.outliers = outliers_of(object.at("outliers"));
  }
  if (has(object, "residuals")) {
    report.residuals = residuals_of(object.at("residuals"));
  }
  if (has(object, "hold_out")) {
    report.hold_out = hold_out_of(object.at("hold_out"));
  }
  if (has(object, "sensitivity")) {
    report.sensitivity = sensitivity_of(object.at("sensitivity"));
  }
}

}  // namespace

FitReport fit_report_from_json(const nlohmann::json& object) {
  FitReport report;
  report.fit.plugin = get_as<std::string>(object, "fit", "a text");
  report.fit.options = Options::from_json(field_of(object, "options").dump());
  report.rows = rows_of(field_of(object, "rows"));
  report.result = result_of(object);
  report.cost_model = cost_model_from(object);
  report.largest_flops = number_of(object, "largest_flops");
  report.params_seen = interval_of(field_of(object, "params_seen"), "params_seen");
  report.ratio_seen = interval_of(field_of(object, "ratio_seen"), "ratio_seen");
  for (const json& item : field_of(object, "optima")) {
    report.optima.push_back(optimum_of(item));
  }
  read_optional_parts(object, report);
  report.warnings =
      get_as<std::vector<std::string>>(object, "warnings", "a list of texts");
  return report;
}

}  // namespace sizewise::fitting
