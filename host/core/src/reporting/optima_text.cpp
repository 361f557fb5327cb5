#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "reporting/fit_text.hpp"
#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

using fitting::FitReport;
using fitting::Interval;
using fitting::Optimum;
using fitting::Question;

std::string title_of(Question::Kind kind) {
  switch (kind) {
    case Question::Kind::kBudget:
      return "Best use of a budget";
    case Question::Kind::kTargetLoss:
      return "Least budget for a loss";
    case Question::Kind::kParams:
      return "Budget of which this size is the best use";
    case Question::Kind::kTokens:
      return "Budget of which this much data is the best use";
  }
  return "";
}

/// The level of the intervals and where they are from.
std::string source_of(const FitReport& report, const std::string& source) {
  if (source == "bootstrap" && report.bootstrap) {
    return fmt::format("{:.4g} % INTERVAL", 100.0 * report.bootstrap->level);
  }
  if (source == "hessian" && report.hessian) {
    return fmt::format("{:.4g} % INTERVAL", 100.0 * report.hessian->level);
  }
  return "";
}

/// The number whose interval the table shows: N*, or the budget where N is what was
/// asked.
const std::optional<Interval>& shown_interval(const Optimum& optimum) {
  return optimum.question.kind == Question::Kind::kParams ? optimum.tokens_interval
                                                          : optimum.params_interval;
}

std::string row_of(const Optimum& optimum) {
  const std::optional<Interval>& interval = shown_interval(optimum);
  const bool is_size_asked = optimum.question.kind == Question::Kind::kParams;
  const std::string text = optimum.is_size_given ? "held"
                           : interval            ? interval_text(*interval)
                                                 : "";
  return line_of(fmt::format("  {:<10} {:<10} {:<24} {:<10} {:<9} {:>9}",
                             number_text(optimum.budget.value()),
                             is_size_asked ? number_text(optimum.tokens.value())
                                           : number_text(optimum.params.value()),
                             text,
                             is_size_asked ? number_text(optimum.params.value())
                                           : number_text(optimum.tokens.value()),
                             number_text(optimum.loss.value()),
                             std::isfinite(optimum.extrapolation)
                                 ? fmt::format("{:.3g}x", optimum.extrapolation)
                                 : ""));
}

std::string table_of(const FitReport& report,
                     Question::Kind kind,
                     const std::vector<const Optimum*>& optima) {
  const bool is_size_asked = kind == Question::Kind::kParams;
  std::string text = fmt::format("\n{}\n", title_of(kind));
  text += line_of(fmt::format("  {:<10} {:<10} {:<24} {:<10} {:<9} {:>9}",
                              "BUDGET",
                              is_size_asked ? "TOKENS" : "PARAMS",
                              source_of(report, optima.front()->interval_source),
                              is_size_asked ? "PARAMS" : "TOKENS",
                              "LOSS",
                              "BEYOND"));
  for (const Optimum* const optimum : optima) {
    text += row_of(*optimum);
    if (kind != Question::Kind::kBudget && optimum->budget_interval) {
      text += fmt::format("    budget {}\n", interval_text(*optimum->budget_interval));
    }
  }
  return text;
}

std::string serving_row(std::string_view name,
                        const Training& training,
                        double serving,
                        double total) {
  return line_of(fmt::format("  {:<21} {:<10} {:<10} {:<10} {:<10} {:<10}",
                             name,
                             number_text(training.params.value()),
                             number_text(training.tokens.value()),
                             number_text(training.budget.value()),
                             number_text(serving),
                             number_text(total)));
}

std::string serving_text(const Serving& serving, const Optimum& optimum) {
  const double total = serving.total_flops.value();
  const double plain = serving.trained_best_total.value();
  std::string text = fmt::format("\nThe same loss, {:.5g}, and {:.5g} units served\n",
                                 serving.trained_best.loss.value(),
                                 serving.served.value());
  text += line_of(fmt::format("  {:<21} {:<10} {:<10} {:<10} {:<10} {:<10}",
                              "LEAST FLOPS OF",
                              "PARAMS",
                              "TOKENS",
                              "TRAINING",
                              "SERVING",
                              "TOTAL"));
  text += serving_row("training",
                      serving.trained_best,
                      plain - serving.trained_best.budget.value(),
                      plain);
  text += serving_row(
      "training and serving", serving.training, serving.serving_flops.value(), total);
  if (optimum.serving_params_interval) {
    text +=
        fmt::format("  params of the last {}, its training {:.3g}x the largest budget\n",
                    interval_text(*optimum.serving_params_interval),
                    optimum.serving_extrapolation);
  }
  return text +
         fmt::format("  saves {:.1f} % of the total\n", 100.0 * (1.0 - total / plain));
}

}  // namespace

std::string optima_text(const FitReport& report) {
  if (report.optima.empty()) {
    return {};
  }
  std::string text;
  for (const Question::Kind kind : {Question::Kind::kBudget,
                                    Question::Kind::kTargetLoss,
                                    Question::Kind::kParams,
                                    Question::Kind::kTokens}) {
    std::vector<const Optimum*> optima;
    for (const Optimum& optimum : report.optima) {
      if (optimum.question.kind == kind) {
        optima.push_back(&optimum);
      }
    }
    if (!optima.empty()) {
      text += table_of(report, kind, optima);
    }
  }
  const std::string& source = report.optima.front().interval_source;
  text += hanging(
      "  ",
      fmt::format("BEYOND: the budget over the largest in the table; FLOPs {}{}",
                  report.cost_model.is_counted() ? "as counted" : "are 6 params tokens",
                  source.empty()        ? ""
                  : source == "hessian" ? "; intervals from the Hessian"
                                        : "; intervals from the resamples"));
  for (const Optimum& optimum : report.optima) {
    if (optimum.serving) {
      text += serving_text(*optimum.serving, optimum);
    }
  }
  return text;
}

}  // namespace sizewise::reporting
