#include "fitting/fit_report_from_json.hpp"

#include <nlohmann/json.hpp>

#include "fitting/fit_report_json.hpp"

namespace sizewise::fitting {
namespace {

using nlohmann::json;
using reading::count_of;
using reading::field_of;
using reading::get_as;
using reading::has;
using reading::interval_of;
using reading::level_of;
using reading::number_of;
using reading::refuse;
using reading::text_of;

Law law_of(const json& object) {
  Law law;
  law.form = text_of(object, "form");
  for (const auto& item : object.items()) {
    const json& value = item.value();
    if (value.is_number() || value.is_null()) {
      if (item.key().find('.') != std::string::npos) {
        refuse(
            "law." + item.key(), value, "no value: a dot parts an object from its key");
      }
      law.values[item.key()] = number_of(object, item.key().c_str());
    } else if (value.is_object()) {
      for (const auto& inner : value.items()) {
        law.values[item.key() + "." + inner.key()] =
            number_of(value, inner.key().c_str());
      }
    } else if (!value.is_string()) {
      refuse("law." + item.key(), value, "a number");
    } else if (item.key() != "form") {
      law.texts[item.key()] = value.get<std::string>();
    }
  }
  return law;
}

RowCounts rows_of(const json& object) {
  RowCounts rows;
  rows.read = count_of<std::size_t>(object, "read");
  rows.used = count_of<std::size_t>(object, "used");
  for (const json& item : field_of(object, "excluded")) {
    rows.excluded.push_back(
        {text_of(item, "reason"), count_of<std::size_t>(item, "count")});
  }
  return rows;
}

FitStatus status_of(const json& object) {
  const auto status = text_of(object, "status");
  if (status == "identified") {
    return FitStatus::kIdentified;
  }
  if (status != "not_identified") {
    refuse("status", object.at("status"), "identified or not_identified");
  }
  return FitStatus::kNotIdentified;
}

FitResult result_of(const json& object) {
  FitResult result;
  result.status = status_of(object);
  for (const json& item : field_of(object, "reasons")) {
    result.reasons.push_back({text_of(item, "code"), text_of(item, "message")});
  }
  result.law = law_of(field_of(object, "law"));
  result.objective = number_of(object, "objective");
  const json& starts = field_of(object, "starts");
  result.starts_tried = count_of<int>(starts, "tried");
  result.starts_within_tenth_percent = count_of<int>(starts, "within_0.1_percent");
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

std::vector<double> draws_of_one(const json& list, int replicates) {
  const std::string allowed =
      fmt::format("lists of {} numbers, one a replicate", replicates);
  if (!list.is_array() || list.size() != static_cast<std::size_t>(replicates)) {
    refuse("draws", list, allowed);
  }
  std::vector<double> numbers;
  for (const json& value : list) {
    if (!value.is_number() && !value.is_null()) {
      refuse("draws", value, allowed);
    }
    numbers.push_back(value.is_null() ? FitResult::kUnknown : value.get<double>());
  }
  return numbers;
}

/// Nothing is drawn where every replicate failed.
std::map<std::string, std::vector<double>> draws_of(const json& object,
                                                    const BootstrapReport& bootstrap) {
  if (!object.is_object() ||
      (object.empty() && bootstrap.failed < bootstrap.replicates)) {
    refuse("draws", object, "{name: a list of numbers, one a replicate}");
  }
  std::map<std::string, std::vector<double>> draws;
  for (const auto& item : object.items()) {
    draws[item.key()] = draws_of_one(item.value(), bootstrap.replicates);
  }
  return draws;
}

BootstrapReport bootstrap_of(const json& object) {
  BootstrapReport bootstrap;
  constexpr int kMostReplicates = 1'000'000;
  bootstrap.replicates = count_of<int>(object, "replicates", kMostReplicates);
  bootstrap.failed = count_of<int>(object, "failed");
  bootstrap.not_identified = count_of<int>(object, "not_identified");
  if (has(object, "reasons")) {
    bootstrap.reasons =
        get_as<std::map<std::string, int>>(object, "reasons", "counts by reason");
  }
  bootstrap.unit = text_of(object, "unit");
  bootstrap.level = level_of(object, "bootstrap");
  bootstrap.standard_error = numbers_of(object, "standard_error");
  bootstrap.interval = intervals_of(object);
  if (has(object, "draws")) {
    bootstrap.draws = draws_of(object.at("draws"), bootstrap);
  }
  return bootstrap;
}

HessianReport hessian_of(const json& object) {
  return {level_of(object, "hessian"),
          numbers_of(object, "standard_error"),
          intervals_of(object)};
}

std::vector<ProfileReport> profiles_of(const json& object) {
  std::vector<ProfileReport> profiles;
  for (const auto& item : object.items()) {
    ProfileReport profile;
    profile.name = item.key();
    profile.estimate = number_of(item.value(), "estimate");
    profile.level = level_of(item.value(), "profile." + item.key());
    profile.interval = interval_of(field_of(item.value(), "interval"), "interval");
    profile.refits = count_of<int>(item.value(), "refits");
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
  refuse("asked", asked, "{budget, target_loss, params or tokens: a number}");
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
    optimum.interval_source = text_of(object, "interval_source");
  }
  optimum.extrapolation = number_of(object, "extrapolation");
  if (has(object, "serving")) {
    const json& serving = object.at("serving");
    optimum.serving = serving_of(serving);
    optimum.serving_extrapolation =
        has(serving, "extrapolation") ? number_of(serving, "extrapolation") : NAN;
    if (has(serving, "params_interval")) {
      optimum.serving_params_interval =
          interval_of(serving.at("params_interval"), "params_interval");
    }
  }
  return optimum;
}

std::vector<Residual> residuals_of(const json& list) {
  std::vector<Residual> residuals;
  for (const json& item : list) {
    Residual residual;
    residual.line = count_of<uint64_t>(item, "line");
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
  outliers.count = count_of<std::size_t>(object, "count");
  outliers.rows = residuals_of(field_of(object, "rows"));
  const json& without = field_of(object, "without");
  outliers.law_without = law_of(field_of(without, "law"));
  outliers.a_without = number_of(without, "a");
  return outliers;
}

HoldOutReport hold_out_of(const json& object) {
  HoldOutReport hold_out;
  hold_out.rows_held = text_of(object, "rows");
  hold_out.held = count_of<std::size_t>(object, "held");
  hold_out.fitted = count_of<std::size_t>(object, "fitted");
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
    row.reading = text_of(item, "reading");
    row.identified = status_of(item) == FitStatus::kIdentified;
    row.a = number_of(field_of(item, "exponents"), "a");
    row.b = number_of(field_of(item, "exponents"), "b");
    row.growth = has(item, "growth") ? number_of(item, "growth") : FitResult::kUnknown;
    for (const json& training : field_of(item, "optima")) {
      row.optima.push_back(training_of(training));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

CostModel cost_model_from(const json& object) {
  const auto name = text_of(object, "cost_model");
  if (name == "6nd") {
    return CostModel::six_per_parameter();
  }
  if (name != "counted") {
    refuse("cost_model", object.at("cost_model"), "counted or 6nd");
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
  report.fit.plugin = text_of(object, "fit");
  report.fit.options = Options::from_json(field_of(object, "options").dump());
  report.rows = rows_of(field_of(object, "rows"));
  report.result = result_of(object);
  report.cost_model = cost_model_from(object);
  report.counted_growth = has(object, "counted_growth")
                              ? number_of(object, "counted_growth")
                              : FitResult::kUnknown;
  report.largest_flops = number_of(object, "largest_flops");
  if (report.largest_flops <= 0.0) {
    refuse("largest_flops", object.at("largest_flops"), "a number above 0, or null");
  }
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
