#include "fitting/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fitting/fit_report_json.hpp"
#include "fitting/json_fields.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

/// A number of one fit, with all that is known of its spread.
struct Estimate {
  double value = FitResult::kUnknown;
  std::optional<Interval> interval;
  const std::vector<double>* draws = nullptr;
};

const std::vector<double>* draws_of(const FitReport& report, const std::string& name) {
  if (!report.bootstrap) {
    return nullptr;
  }
  const auto found = report.bootstrap->draws.find(name);
  return found == report.bootstrap->draws.end() ? nullptr : &found->second;
}

std::optional<Interval> interval_in(const std::map<std::string, Interval>& intervals,
                                    const std::string& name) {
  const auto found = intervals.find(name);
  return found == intervals.end() ? std::nullopt : std::optional(found->second);
}

Estimate exponent_of(const FitReport& report, const std::string& name) {
  Estimate estimate;
  estimate.value = name == "a" ? report.result.a : report.result.b;
  if (report.bootstrap) {
    estimate.interval = interval_in(report.bootstrap->interval, name);
  } else if (report.hessian) {
    estimate.interval = interval_in(report.hessian->interval, name);
  }
  estimate.draws = draws_of(report, name);
  return estimate;
}

Estimate size_of(const FitReport& report, const Question& question) {
  for (std::size_t i = 0; i < report.optima.size(); ++i) {
    const Optimum& optimum = report.optima[i];
    if (optimum.question.kind == question.kind &&
        optimum.question.value == question.value) {
      return {optimum.params.value(),
              optimum.params_interval,
              draws_of(report, fmt::format("params {}", i))};
    }
  }
  return {};
}

std::optional<Interval> paired_interval(const Estimate& first,
                                        const Estimate& second,
                                        bool in_logarithm,
                                        double level) {
  if (first.draws == nullptr || second.draws == nullptr ||
      first.draws->size() != second.draws->size()) {
    return std::nullopt;
  }
  std::vector<double> differences;
  for (std::size_t i = 0; i < first.draws->size(); ++i) {
    const double from = (*first.draws)[i];
    const double to = (*second.draws)[i];
    differences.push_back(in_logarithm ? std::log(to / from) : to - from);
  }
  const double estimate =
      in_logarithm ? std::log(second.value / first.value) : second.value - first.value;
  const Interval interval =
      bias_corrected_interval(std::move(differences), estimate, level);
  return std::isnan(interval.low) ? std::nullopt : std::optional(interval);
}

void add_difference(const FitReport& first,
                    const FitReport& second,
                    std::string quantity,
                    const Estimate& of_first,
                    const Estimate& of_second,
                    std::vector<Difference>& differences) {
  if (std::isnan(of_first.value) || std::isnan(of_second.value)) {
    return;
  }
  const bool is_size = quantity.rfind("params", 0) == 0;
  const double level = first.bootstrap ? first.bootstrap->level : 0.95;
  Difference difference;
  difference.quantity = std::move(quantity);
  difference.first = first.fit.plugin;
  difference.second = second.fit.plugin;
  difference.of_first = of_first.value;
  difference.of_second = of_second.value;
  difference.interval_of_first = of_first.interval;
  difference.interval_of_second = of_second.interval;
  difference.interval = paired_interval(of_first, of_second, is_size, level);
  differences.push_back(std::move(difference));
}

}  // namespace

bool Difference::disagrees() const {
  return interval_of_first && interval_of_second &&
         !interval_of_first->overlaps(*interval_of_second);
}

std::vector<Difference> differences_of(std::span<const FitReport> reports) {
  std::vector<Difference> differences;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    for (std::size_t j = i + 1; j < reports.size(); ++j) {
      const FitReport& first = reports[i];
      const FitReport& second = reports[j];
      for (const char* name : {"a", "b"}) {
        add_difference(first,
                       second,
                       name,
                       exponent_of(first, name),
                       exponent_of(second, name),
                       differences);
      }
      for (const Optimum& optimum : first.optima) {
        if (optimum.question.kind == Question::Kind::kBudget) {
          add_difference(first,
                         second,
                         fmt::format("params for {:.6g}", optimum.question.value),
                         size_of(first, optimum.question),
                         size_of(second, optimum.question),
                         differences);
        }
      }
    }
  }
  return differences;
}

nlohmann::json comparison_to_json(std::span<const FitReport> reports,
                                  const std::vector<Difference>& differences) {
  nlohmann::json object = {
      {"fits", nlohmann::json::array()},
      {"differences", nlohmann::json::array()},
      {"disagree",
       std::any_of(differences.begin(), differences.end(), [](const Difference& one) {
         return one.disagrees();
       })}};
  for (const FitReport& report : reports) {
    object["fits"].push_back(fit_report_to_json(report));
  }
  for (const Difference& one : differences) {
    object["differences"].push_back(
        {{"quantity", one.quantity},
         {"fits", {one.first, one.second}},
         {"values",
          {fields::number_or_null(one.of_first), fields::number_or_null(one.of_second)}},
         {"intervals",
          {fields::interval_or_null(one.interval_of_first),
           fields::interval_or_null(one.interval_of_second)}},
         {"interval_of_difference", fields::interval_or_null(one.interval)},
         {"disagree", one.disagrees()}});
  }
  return object;
}

}  // namespace sizewise::fitting
