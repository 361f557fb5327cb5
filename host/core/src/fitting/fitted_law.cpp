#include "fitting/fitted_law.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/fitted_law.hpp"

#include "fitting/fit_report_from_json.hpp"
#include "fitting/fit_report_json.hpp"
#include "tables/json_values.hpp"

namespace sizewise {
namespace fitting {
namespace {

using reading::refuse_text;

enum class Range { kAboveZero, kCoefficient, kFromZero, kShare, kFinite };

struct Key {
  const char* name;
  Range range;
};

/// The values of a form; none for a form that is not known. Source: sizewise/fit.hpp.
std::vector<Key> keys_of(std::string_view form) {
  std::vector<Key> keys = {{"E", Range::kFromZero},
                           {"A", Range::kCoefficient},
                           {"B", Range::kCoefficient},
                           {"alpha", Range::kAboveZero},
                           {"beta", Range::kAboveZero}};
  if (form == "chinchilla") {
    return keys;
  }
  if (form == "data_constrained") {
    keys.insert(keys.end(), {{"R_D", Range::kAboveZero}, {"R_N", Range::kAboveZero}});
    return keys;
  }
  if (form == "allocation") {
    return {{"params.coefficient", Range::kCoefficient},
            {"params.exponent", Range::kShare},
            {"tokens.coefficient", Range::kCoefficient},
            {"tokens.exponent", Range::kShare}};
  }
  if (form == "kaplan") {
    return {{"Nc", Range::kCoefficient},
            {"Dc", Range::kCoefficient},
            {"aN", Range::kAboveZero},
            {"aD", Range::kAboveZero}};
  }
  if (form == "power") {
    return {
        {"y_inf", Range::kFromZero}, {"k", Range::kCoefficient}, {"a", Range::kFinite}};
  }
  return {};
}

/// What rows that do not identify a law leave of it: a term may vanish, and an exponent
/// of an allocation lie anywhere.
Range of_unidentified(Range range) {
  if (range == Range::kCoefficient) {
    return Range::kFromZero;
  }
  return range == Range::kShare ? Range::kFinite : range;
}

bool is_in(Range range, double value) {
  switch (range) {
    case Range::kAboveZero:
    case Range::kCoefficient:
      return value > 0.0 && std::isfinite(value);
    case Range::kFromZero:
      return value >= 0.0 && std::isfinite(value);
    case Range::kShare:
      return value > 0.0 && value < 1.0;
    case Range::kFinite:
      return std::isfinite(value);
  }
  return false;
}

const char* words_for(Range range) {
  switch (range) {
    case Range::kAboveZero:
    case Range::kCoefficient:
      return "a number above 0";
    case Range::kFromZero:
      return "a number of at least 0";
    case Range::kShare:
      return "a number above 0 and below 1";
    case Range::kFinite:
      return "a number";
  }
  return "";
}

/// What stands for a value, in words; empty: nothing does.
std::string received(const Law& law, const std::string& key) {
  const auto value = law.values.find(key);
  if (value != law.values.end()) {
    return std::isnan(value->second) ? "null" : fmt::format("{}", value->second);
  }
  const auto text = law.texts.find(key);
  return text != law.texts.end() ? fmt::format("\"{:.60}\"", text->second) : "";
}

/// Rows that identify nothing may have left no law at all.
bool is_nothing(const Law& law) {
  return std::all_of(law.values.begin(), law.values.end(), [](const auto& entry) {
    return std::isnan(entry.second);
  });
}

void check_values(const Law& law, bool identified) {
  const std::vector<Key> keys = keys_of(law.form);
  if (keys.empty()) {
    refuse_text("law.form",
                fmt::format("\"{:.60}\"", law.form),
                "chinchilla, allocation, kaplan, power, data_constrained");
  }
  for (const Key& key : keys) {
    const Range range = identified ? key.range : of_unidentified(key.range);
    const auto value = law.values.find(key.name);
    const bool is_there = value != law.values.end();
    const bool may_be_unknown = !identified && is_there && std::isnan(value->second);
    if (!may_be_unknown && !(is_there && is_in(range, value->second))) {
      refuse_text(
          fmt::format("law.{}", key.name), received(law, key.name), words_for(range));
    }
  }
}

/// Symmetric to rounding, with no negative variance.
bool is_covariance(const std::vector<double>& numbers, std::size_t count) {
  constexpr double kRounding = 1e-6;
  for (std::size_t row = 0; row < count; ++row) {
    const double variance = numbers[row * count + row];
    if (!(variance >= 0.0 && std::isfinite(variance))) {
      return false;
    }
    for (std::size_t column = 0; column < row; ++column) {
      const double scale = std::sqrt(variance) * std::sqrt(numbers[column * (count + 1)]);
      const double one = numbers[row * count + column];
      if (!(std::fabs(one - numbers[column * count + row]) <= kRounding * scale)) {
        return false;
      }
    }
  }
  return true;
}

void check_covariance(const FitResult& result) {
  const std::size_t count = result.parameters.size();
  for (const std::string& name : result.parameters) {
    const bool is_once =
        std::count(result.parameters.begin(), result.parameters.end(), name) == 1;
    if (!is_once || !result.law.values.contains(name)) {
      refuse_text("hessian.parameters",
                  fmt::format("a list with \"{:.60}\"", name),
                  "the keys of the law's values, each once");
    }
  }
  if (result.covariance.size() != count * count) {
    refuse_text("hessian.covariance",
                fmt::format("a list of {}", result.covariance.size()),
                fmt::format("{} numbers: hessian.parameters squared", count * count));
  }
  if (!is_covariance(result.covariance, count)) {
    refuse_text("hessian.covariance",
                "no covariance",
                "a symmetric matrix, row by row, without a negative number on its "
                "diagonal");
  }
}

void check_draws(const BootstrapReport& bootstrap, const Law& law) {
  for (const auto& [name, value] : law.values) {
    if (!bootstrap.draws.empty() && !bootstrap.draws.contains(name)) {
      refuse_text(fmt::format("bootstrap.draws.{}", name),
                  "",
                  "a list of numbers, one a replicate");
    }
  }
}

}  // namespace

void check_law(const FitReport& report) {
  const Law& law = report.result.law;
  if (report.identified() || !is_nothing(law)) {
    check_values(law, report.identified());
  }
  check_covariance(report.result);
  if (report.bootstrap) {
    check_draws(*report.bootstrap, law);
  }
}

}  // namespace fitting

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
  fitting::check_law(report);
  FittedLaw fitted;
  fitted.law = std::move(report.result.law);
  fitted.cost_model = std::move(report.cost_model);
  fitted.identified = report.identified();
  fitted.reasons = std::move(report.result.reasons);
  fitted.largest_flops = Flops(report.largest_flops);
  return fitted;
}

}  // namespace sizewise
