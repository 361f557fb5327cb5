#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporting/fit_text.hpp"
#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

using fitting::Difference;
using fitting::FitReport;
using fitting::Interval;

std::string with_interval(double value, const std::optional<Interval>& interval) {
  return interval
             ? fmt::format("{} ({})", number_text(value, 4), interval_text(*interval))
             : number_text(value, 4);
}

std::optional<Interval> interval_of(const FitReport& report, const std::string& name) {
  const auto find = [&name](const auto& intervals) {
    const auto found = intervals.find(name);
    return found == intervals.end() ? std::optional<Interval>()
                                    : std::optional<Interval>(found->second);
  };
  if (report.bootstrap) {
    return find(report.bootstrap->interval);
  }
  return report.hessian ? find(report.hessian->interval) : std::nullopt;
}

std::string fit_rows(const FitReport& report) {
  std::string text =
      line_of(fmt::format("  {:<16} {:<31} {}",
                          report.fit.plugin,
                          with_interval(report.result.a, interval_of(report, "a")),
                          with_interval(report.result.b, interval_of(report, "b"))));
  if (!report.identified()) {
    text += "    not identified\n";
  }
  for (const fitting::Optimum& optimum : report.optima) {
    if (optimum.question.kind == fitting::Question::Kind::kBudget) {
      text += fmt::format("    params for {:.5g}: {}\n",
                          optimum.budget.value(),
                          with_interval(optimum.params.value(), optimum.params_interval));
    }
  }
  return text;
}

std::string verdict_of(const std::vector<Difference>& differences) {
  std::string text;
  bool has_interval = false;
  for (const Difference& one : differences) {
    has_interval = has_interval || (one.interval_of_first && one.interval_of_second);
    if (one.disagrees()) {
      text += hanging("  - ",
                      fmt::format("{} and {} disagree about {} beyond their intervals",
                                  one.first,
                                  one.second,
                                  one.quantity));
    }
  }
  if (text.empty()) {
    return has_interval ? "  They agree within their intervals.\n"
                        : "  Without intervals nothing says whether they agree.\n";
  }
  return text + "  Neither is thereby right: look at the rows held out.\n";
}

}  // namespace

std::string comparison_text(std::span<const FitReport> reports,
                            const std::vector<Difference>& differences) {
  const FitReport& first = reports.front();
  const double level = first.bootstrap ? first.bootstrap->level : 0.95;
  std::string text = fmt::format("\nSide by side ({:.4g} % intervals)\n", 100.0 * level);
  text += line_of(fmt::format("  {:<16} {:<31} {}", "FIT", "a", "b"));
  for (const FitReport& report : reports) {
    text += fit_rows(report);
  }
  return text + verdict_of(differences);
}

}  // namespace sizewise::reporting
