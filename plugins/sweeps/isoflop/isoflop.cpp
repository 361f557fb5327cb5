#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sizewise/sweep.hpp"

#include "bracket.hpp"

namespace {

using isoflop::Point;
using sizewise::Flops;
using sizewise::Parameters;
using sizewise::RunTable;
using sizewise::SizeFacts;
using sizewise::SweepHost;
using sizewise::TrialRequest;

/// The pilot's share of all FLOPs; a tenth is allowed, and later rounds only lower it.
constexpr double kPilotShare = 0.08;
constexpr int kPilotSizes = 4;
/// A pilot's budget is at most this share of the smallest budget.
constexpr double kPilotBudgetShare = 0.5;
/// Optimizer steps below which a trial says little, where sizes leave a choice.
constexpr double kFewSteps = 32;
/// D / N below which no published optimum lies, by a factor of ten and more: what bounds
/// the models that are made only to look around.
constexpr double kLeastRatio = 0.01;
/// How N* grows with C until a sweep knows better: N* ~ C^a with a between 0.3 and 0.7 in
/// every published fit. It only centres the first round.
constexpr double kExpectedExponent = 0.5;

/// The trials of one budget so far.
struct History {
  std::vector<Point> points;         ///< done, ascending in ln N
  std::set<int64_t> sizes;           ///< tried, whatever came of it
  double least_diverged = INFINITY;  ///< ln N
};

/// The sizes with which a budget pays for at least some units of data, and for no
/// absurdly few.
struct Reach {
  double low = 0;   ///< ln N of the smallest model
  double high = 0;  ///< ln N of about the largest affordable one
};

/// IsoFLOP profiles whose sizes bracket each budget's minimum.
/// Source: Hoffmann et al. 2022 (arXiv 2203.15556), section 3.2, for the profiles; the
/// choice of sizes is this plugin's own.
class Isoflop final : public sizewise::Sweep {
 public:
  explicit Isoflop(const sizewise::Options& options)
      : sizes_per_budget_(options.get_or<int64_t>("sizes_per_budget", 5)),
        log_span_(std::log(options.get_or<double>("span", 4.0))),
        extra_sizes_(options.get_or<int64_t>("extra_sizes", 8)),
        pilot_(options.get_or<bool>("pilot", true)) {}

  [[nodiscard]] std::vector<TrialRequest> next(const RunTable& so_far,
                                               SweepHost& host) const override {
    check_budgets(host);
    if (so_far.empty() && pilot_) {
      std::vector<TrialRequest> pilots = pilot_round(host);
      if (!pilots.empty()) {
        return pilots;
      }
    }
    if (no_pilot_has_a_loss(so_far)) {
      return {};
    }
    const bool first =
        std::none_of(host.budgets().begin(), host.budgets().end(), [&](Flops budget) {
          return !history_of(so_far, budget).sizes.empty();
        });
    return first ? first_round(so_far, host) : later_round(so_far, host);
  }

 private:
  /// ln of the ratio of neighbouring sizes of the first round.
  [[nodiscard]] double step() const {
    return 2 * log_span_ / static_cast<double>(sizes_per_budget_ - 1);
  }

  static void check_budgets(SweepHost& host) {
    if (host.budgets().empty()) {
      throw sizewise::Error(sizewise::ErrorCode::kConfiguration,
                            "sweep 'isoflop' needs training budgets and got none",
                            "give some: --budgets 1e9,3e9,1e10 (in FLOPs)");
    }
    const SizeFacts smallest = host.describe(host.sizes().minimum);
    const double least = smallest.flops_per_unit * host.least_units().value();
    for (const Flops budget : host.budgets()) {
      if (budget.value() < least) {
        throw sizewise::Error(
            sizewise::ErrorCode::kConfiguration,
            fmt::format(
                "a budget of {:.4g} FLOPs is too small for one batch: {:.0f} units "
                "with the smallest model ({} {}, {:.0f} parameters) cost {:.4g} "
                "FLOPs",
                budget.value(),
                host.least_units().value(),
                host.sizes().name,
                smallest.size,
                smallest.params.value(),
                least),
            fmt::format("give budgets of at least {:.4g} FLOPs, or a smaller batch",
                        std::ceil(least)));
      }
    }
  }

  /// Units of data that a budget pays for, in whole samples; less than one batch: 0.
  static int64_t affordable_units(SweepHost& host,
                                  double budget,
                                  const SizeFacts& facts) {
    const double step = host.unit_step().value();
    const double units = std::round(budget / facts.flops_per_unit / step) * step;
    return units < host.least_units().value() ? 0 : static_cast<int64_t>(units);
  }

  /// Describes no model much larger than affordable: c(N) is taken to grow like N from
  /// the last size that was counted.
  static Reach reach_of(SweepHost& host, double budget, double steps) {
    const SizeFacts smallest = host.describe(host.sizes().minimum);
    const double units = host.least_units().value() * steps;
    SizeFacts largest = smallest;
    for (int i = 0; i < 3; ++i) {
      const double flops_per_param = largest.flops_per_unit / largest.params.value();
      const double affordable =
          std::min(budget / units / flops_per_param,
                   std::sqrt(budget / kLeastRatio / flops_per_param));
      if (affordable <= smallest.params.value()) {
        break;
      }
      const SizeFacts next = host.describe(host.size_for(Parameters(affordable)));
      if (next.size == largest.size) {
        break;
      }
      largest = next;
    }
    const double low = std::log(smallest.params.value());
    return {low, std::max(low, std::log(largest.params.value()))};
  }

  /// One trial a place: the nearest allowed size that was not tried and that the budget
  /// pays for.
  static std::vector<TrialRequest> trials_at(SweepHost& host,
                                             double budget,
                                             const std::vector<double>& places,
                                             std::set<int64_t>& tried) {
    std::vector<TrialRequest> requests;
    for (const double place : places) {
      const int64_t size = host.size_for(Parameters(std::exp(place)));
      if (tried.contains(size)) {
        continue;
      }
      const int64_t units = affordable_units(host, budget, host.describe(size));
      if (units > 0) {
        tried.insert(size);
        requests.push_back({size, units, std::nullopt, false});
      }
    }
    return requests;
  }

  /// As trials_at(), for places beyond an edge: where a family has few sizes, the next
  /// one beyond the edge; where a budget does not pay for a place, one nearer to the
  /// edge.
  static std::vector<TrialRequest> trials_beyond(SweepHost& host,
                                                 double budget,
                                                 double edge,
                                                 const std::vector<double>& places,
                                                 std::set<int64_t>& tried) {
    constexpr int kHalvings = 4;
    std::vector<TrialRequest> requests;
    for (double place : places) {
      std::vector<TrialRequest> made;
      for (int i = 0; i < kHalvings && made.empty(); ++i) {
        made = trials_at(host, budget, {place}, tried);
        place = (place + edge) / 2;
      }
      requests.insert(requests.end(), made.begin(), made.end());
    }
    const int64_t beyond = places.front() > edge
                               ? *tried.rbegin() + host.sizes().multiple_of
                               : *tried.begin() - host.sizes().multiple_of;
    if (requests.empty() && host.sizes().allows(beyond)) {
      const double log_params = std::log(host.describe(beyond).params.value());
      requests = trials_at(host, budget, {log_params}, tried);
    }
    return requests;
  }

  [[nodiscard]] std::vector<TrialRequest> pilot_round(SweepHost& host) const {
    double total = 0;
    for (const Flops budget : host.budgets()) {
      total += budget.value() * static_cast<double>(sizes_per_budget_);
    }
    const double budget = std::min(kPilotBudgetShare * host.budgets().front().value(),
                                   kPilotShare / (1 - kPilotShare) * total / kPilotSizes);
    const SizeFacts smallest = host.describe(host.sizes().minimum);
    if (affordable_units(host, budget, smallest) == 0) {
      return {};
    }
    const Reach reach = reach_of(host, budget, kFewSteps);
    std::vector<double> places;
    for (int i = 0; i < kPilotSizes; ++i) {
      places.push_back(reach.low + (reach.high - reach.low) * i / (kPilotSizes - 1));
    }
    std::set<int64_t> tried;
    std::vector<TrialRequest> pilots = trials_at(host, budget, places, tried);
    for (TrialRequest& pilot : pilots) {
      pilot.pilot = true;
    }
    return pilots;
  }

  /// Where every short trial diverged or failed, so would the long ones.
  static bool no_pilot_has_a_loss(const RunTable& so_far) {
    const auto losses = so_far.empty() ? std::span<const double>() : so_far.loss();
    return !losses.empty() && std::none_of(losses.begin(), losses.end(), [](double loss) {
      return std::isfinite(loss);
    });
  }

  /// ln N* expected for a budget from what the pilot found.
  static double expected_minimum(const RunTable& so_far, SweepHost& host, double budget) {
    std::vector<Point> points;
    double spent = 0;
    for (std::size_t row = 0; row < so_far.rows(); ++row) {
      if (std::isfinite(so_far.loss()[row]) && so_far.texts("status")[row] == "pilot") {
        points.push_back({std::log(so_far.params()[row]), so_far.loss()[row]});
        spent = std::max(spent, so_far.numbers("flops")[row]);
      }
    }
    if (points.empty() || spent <= 0) {
      const Reach reach = reach_of(host, budget, kFewSteps);
      return (reach.low + reach.high) / 2;
    }
    sort(points);
    const double found = isoflop::locate(points).log_params;
    const double expected = found + kExpectedExponent * std::log(budget / spent);
    if (is_within_reach(host, budget, expected)) {
      return expected;
    }
    const Reach reach = reach_of(host, budget, kFewSteps);
    return std::clamp(expected, reach.low, reach.high);
  }

  /// Whether a size near ln N exists and the budget pays for more than a few steps of it:
  /// most often so, and then the largest one that it pays for need not be made.
  static bool is_within_reach(SweepHost& host, double budget, double log_params) {
    constexpr double kNear = 0.5;  // in ln N
    const SizeFacts there =
        host.describe(host.size_for(Parameters(std::exp(log_params))));
    return std::abs(std::log(there.params.value()) - log_params) < kNear &&
           affordable_units(host, budget / kFewSteps, there) > 0;
  }

  [[nodiscard]] std::vector<TrialRequest> first_round(const RunTable& so_far,
                                                      SweepHost& host) const {
    std::vector<TrialRequest> round;
    for (const Flops budget : host.budgets()) {
      const double centre = expected_minimum(so_far, host, budget.value());
      std::vector<double> places;
      for (int64_t i = 0; i < sizes_per_budget_; ++i) {
        places.push_back(centre - log_span_ + step() * static_cast<double>(i));
      }
      std::set<int64_t> tried;
      std::vector<TrialRequest> trials = trials_at(host, budget.value(), places, tried);
      fill_up(host, budget.value(), centre, tried, trials);
      append(round, trials, budget);
    }
    return round;
  }

  /// Where rounding to sizes made places coincide or a limit cut some off, takes sizes
  /// further out until there are enough.
  void fill_up(SweepHost& host,
               double budget,
               double centre,
               std::set<int64_t>& tried,
               std::vector<TrialRequest>& trials) const {
    for (int i = 1; i <= 2 * sizes_per_budget_; ++i) {
      for (const double side : {1.0, -1.0}) {
        if (static_cast<int64_t>(trials.size()) < sizes_per_budget_) {
          const std::vector<double> place = {centre + side * (log_span_ + i * step())};
          const std::vector<TrialRequest> more = trials_at(host, budget, place, tried);
          trials.insert(trials.end(), more.begin(), more.end());
        }
      }
    }
  }

  [[nodiscard]] std::vector<TrialRequest> later_round(const RunTable& so_far,
                                                      SweepHost& host) const {
    std::vector<TrialRequest> round;
    for (const Flops budget : host.budgets()) {
      History history = history_of(so_far, budget);
      const auto extra = static_cast<int64_t>(history.sizes.size()) - sizes_per_budget_;
      if (history.points.empty() || extra >= extra_sizes_) {
        continue;
      }
      const int extensions = static_cast<int>(std::max<int64_t>(0, extra + 1) / 2);
      std::vector<double> places =
          isoflop::places_to_add(history.points, step(), extensions);
      std::erase_if(places, [&](double place) {
        return place >= history.least_diverged;
      });
      append(round, added(host, budget.value(), history, places), budget);
    }
    return round;
  }

  static std::vector<TrialRequest> added(SweepHost& host,
                                         double budget,
                                         History& history,
                                         const std::vector<double>& places) {
    if (places.empty()) {
      return {};
    }
    const double lowest = history.points.front().log_params;
    const double highest = history.points.back().log_params;
    if (places.front() < lowest) {
      return trials_beyond(host, budget, lowest, places, history.sizes);
    }
    if (places.front() > highest) {
      return trials_beyond(host, budget, highest, places, history.sizes);
    }
    return trials_at(host, budget, places, history.sizes);
  }

  static void append(std::vector<TrialRequest>& round,
                     std::vector<TrialRequest> trials,
                     Flops budget) {
    for (TrialRequest& trial : trials) {
      trial.budget = budget;
      round.push_back(trial);
    }
  }

  static History history_of(const RunTable& so_far, Flops budget) {
    History history;
    for (std::size_t row = 0; row < so_far.rows(); ++row) {
      if (so_far.numbers("budget_flops")[row] != budget.value()) {
        continue;
      }
      const double log_params = std::log(so_far.params()[row]);
      history.sizes.insert(static_cast<int64_t>(so_far.numbers("size")[row]));
      if (so_far.texts("status")[row] == "done" && std::isfinite(so_far.loss()[row])) {
        history.points.push_back({log_params, so_far.loss()[row]});
      } else if (so_far.texts("status")[row] == "diverged") {
        history.least_diverged = std::min(history.least_diverged, log_params);
      }
    }
    sort(history.points);
    return history;
  }

  static void sort(std::vector<Point>& points) {
    std::sort(points.begin(), points.end(), [](const Point& left, const Point& right) {
      return left.log_params < right.log_params;
    });
  }

  int64_t sizes_per_budget_;
  double log_span_;
  int64_t extra_sizes_;
  bool pilot_;
};

}  // namespace

SIZEWISE_SWEEP(Isoflop)
