#include "advice.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace sizewise {
namespace {

/// The sizes that one budget was spent on.
struct Profile {
  std::map<int64_t, double> losses;  ///< by size

  [[nodiscard]] int64_t smallest() const { return losses.begin()->first; }
  [[nodiscard]] int64_t largest() const { return losses.rbegin()->first; }
  [[nodiscard]] int64_t best() const {
    return std::min_element(losses.begin(),
                            losses.end(),
                            [](const auto& left, const auto& right) {
                              return left.second < right.second;
                            })
        ->first;
  }
};

std::map<double, Profile> profiles_of(const std::vector<TrialState>& trials) {
  std::map<double, Profile> profiles;
  for (const TrialState& trial : trials) {
    if (trial.budget && trial.status == "done" && std::isfinite(trial.loss)) {
      profiles[trial.budget->value()].losses[trial.size] = trial.loss;
    }
  }
  return profiles;
}

std::size_t count(const std::vector<TrialState>& trials, std::string_view status) {
  return static_cast<std::size_t>(
      std::count_if(trials.begin(), trials.end(), [&](const TrialState& trial) {
        return trial.status == status;
      }));
}

bool has_reason(const fitting::FitReport& report, std::string_view code) {
  return std::any_of(report.result.reasons.begin(),
                     report.result.reasons.end(),
                     [&](const Reason& reason) {
                       return reason.code == code;
                     });
}

}  // namespace

std::vector<std::string> edge_advice(const std::vector<TrialState>& trials,
                                     const SizeSpec& sizes) {
  std::vector<std::string> advice;
  const std::map<double, Profile> profiles = profiles_of(trials);
  std::size_t at_smallest = 0;
  std::size_t at_largest = 0;
  int64_t smallest = sizes.maximum;
  int64_t largest = sizes.minimum;
  for (const auto& [budget, profile] : profiles) {
    const int64_t best = profile.best();
    if (best == profile.smallest()) {
      ++at_smallest;
      smallest = std::min(smallest, best);
    } else if (best == profile.largest()) {
      ++at_largest;
      largest = std::max(largest, best);
    }
  }
  const std::string of = fmt::format("of {} budgets", profiles.size());
  if (at_smallest > 0) {
    advice.push_back(fmt::format(
        "{} {} have their least loss at the smallest size tried ({} {}): raise "
        "--budgets, "
        "{}",
        at_smallest,
        of,
        sizes.name,
        smallest,
        smallest <= sizes.minimum
            ? "or choose options with which the smallest model has fewer parameters"
            : "or let the sweep try smaller sizes"));
  }
  if (at_largest > 0) {
    advice.push_back(
        fmt::format("{} {} have their least loss at the largest size tried ({} "
                    "{}): lower --budgets, "
                    "{}",
                    at_largest,
                    of,
                    sizes.name,
                    largest,
                    sizes.allows(largest + sizes.multiple_of)
                        ? "or let the sweep try larger sizes"
                        : "or let the model have larger sizes"));
  }
  return advice;
}

std::vector<std::string> advice_for(const fitting::FitReport& report,
                                    const std::vector<TrialState>& trials,
                                    const SizeSpec& sizes,
                                    const std::filesystem::path& run_dir) {
  std::vector<std::string> advice;
  if (report.identified()) {
    return advice;
  }
  if (const std::size_t failed = count(trials, "failed"); failed > 0) {
    advice.push_back(
        fmt::format("{} of {} trials failed: mend the cause, then `sizewise run {} "
                    "--retry-failed`",
                    failed,
                    trials.size(),
                    run_dir.string()));
  }
  if (const std::size_t diverged = count(trials, "diverged"); diverged > 0) {
    advice.push_back(fmt::format(
        "{} of {} trials diverged: lower --learning-rate, or lengthen --warmup",
        diverged,
        trials.size()));
  }
  for (std::string& line : edge_advice(trials, sizes)) {
    advice.push_back(std::move(line));
  }
  const bool has_budgets =
      std::any_of(trials.begin(), trials.end(), [](const TrialState& trial) {
        return trial.budget.has_value();
      });
  const bool wants_wider = has_reason(report, "few_budgets") ||
                           has_reason(report, "narrow_params") ||
                           has_reason(report, "wide_exponent");
  if (!trials.empty() && !has_budgets && (wants_wider || advice.empty())) {
    advice.emplace_back(
        "let the grid hold more sizes over a factor of 10 in parameters, and three or "
        "more amounts of data (--sweep-option sizes=..., tokens=...)");
    return advice;
  }
  if (has_reason(report, "few_budgets")) {
    advice.emplace_back("give three or more --budgets, a factor of 2 or more apart");
  }
  if (has_reason(report, "narrow_params")) {
    advice.emplace_back("spread --budgets wider: the best sizes then differ more");
  }
  if (has_reason(report, "wide_exponent")) {
    advice.emplace_back(
        "spread --budgets over a factor of 10 or more: short trials differ by chance as "
        "much as by size");
  }
  if (advice.empty()) {
    advice.emplace_back(
        "give more --budgets, spread over a factor of 10 or more, and larger ones: short "
        "trials differ by chance as much as by size");
  }
  return advice;
}

}  // namespace sizewise
