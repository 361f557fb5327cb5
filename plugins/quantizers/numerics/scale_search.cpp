#include "scale_search.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <thread>

namespace sizewise::quantizers {
namespace {

/// Calls work(first, last) for parts of 0..count in as many threads as pay. Threads of
/// our own: LibTorch's belong to a copy of OpenMP that a plugin does not link.
/// @param values that each of `count` has
/// @param work does not throw
template <class Work>
void in_threads(int64_t count, int64_t values, int threads, const Work& work) {
  constexpr int64_t kValuesOfAThread = int64_t{1} << 18;
  const int64_t worth = count * values / kValuesOfAThread;
  const int64_t used =
      std::clamp<int64_t>(std::min<int64_t>(worth, count), 1, std::max(threads, 1));
  std::vector<std::jthread> others;
  for (int64_t part = 1; part < used; ++part) {
    others.emplace_back([&work, count, used, part] {
      work(count * part / used, count * (part + 1) / used);
    });
  }
  work(0, count / used);
}

/// The same of every run by itself.
template <class Work>
void for_runs(const WeightRuns& runs, int threads, const Work& work) {
  in_threads(runs.count, runs.length, threads, [&](int64_t first, int64_t last) {
    for (int64_t index = first; index < last; ++index) {
      work(index);
    }
  });
}

struct Candidate {
  CodeScale scale;
  double error = 0.0;
};

/// @param error_of the squared error that a scale makes
template <class ErrorOf>
Candidate best_scale(const ValueRange& range,
                     const ScaleRules& rules,
                     const ErrorOf& error_of) {
  constexpr int kShares = 60;
  constexpr double kLeastShare = 0.4;
  Candidate best;
  best.scale = scale_of(range, 1.0, rules.limits, rules.has_zero_point);
  best.error = error_of(best.scale);
  for (int i = 1; rules.clips && i <= kShares; ++i) {
    const double share = 1.0 - (1.0 - kLeastShare) * i / kShares;
    const CodeScale tried = scale_of(range, share, rules.limits, rules.has_zero_point);
    const double error = error_of(tried);
    if (error < best.error) {
      best = {tried, error};
    }
  }
  return best;
}

/// The squared error of all runs by one scale.
double shared_error(const WeightRuns& runs,
                    const CodeScale& by,
                    const CodeLimits& limits,
                    int threads) {
  // Summed in the order of runs, whichever thread had them.
  std::vector<double> errors(static_cast<std::size_t>(runs.count));
  for_runs(runs, threads, [&](int64_t index) {
    errors[static_cast<std::size_t>(index)] =
        squared_error(runs.run(index), runs.length, by, limits);
  });
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

}  // namespace

std::vector<ValueRange> ranges_of(const WeightRuns& runs, int threads) {
  std::vector<ValueRange> ranges(static_cast<std::size_t>(runs.count));
  for_runs(runs, threads, [&](int64_t index) {
    ranges[static_cast<std::size_t>(index)] = range_of(runs.run(index), runs.length);
  });
  if (runs.share) {
    return {std::accumulate(ranges.begin(), ranges.end(), ValueRange{}, joined)};
  }
  return ranges;
}

WeightScales scales_of(const WeightRuns& runs,
                       const std::vector<ValueRange>& ranges,
                       const ScaleRules& rules,
                       int threads) {
  if (runs.share) {
    const Candidate best = best_scale(ranges.front(), rules, [&](const CodeScale& by) {
      return shared_error(runs, by, rules.limits, threads);
    });
    return {{best.scale}, best.error};
  }
  std::vector<double> errors(ranges.size());
  WeightScales chosen;
  chosen.scales.resize(ranges.size());
  for_runs(runs, threads, [&](int64_t index) {
    const auto place = static_cast<std::size_t>(index);
    const Candidate best = best_scale(ranges[place], rules, [&](const CodeScale& by) {
      return squared_error(runs.run(index), runs.length, by, rules.limits);
    });
    chosen.scales[place] = best.scale;
    errors[place] = best.error;
  });
  chosen.squared_error = std::accumulate(errors.begin(), errors.end(), 0.0);
  return chosen;
}

void encode_runs(const WeightRuns& runs,
                 const std::vector<CodeScale>& scales,
                 const CodeLimits& limits,
                 int threads,
                 int8_t* codes) {
  for_runs(runs, threads, [&](int64_t index) {
    const std::size_t place = runs.share ? 0 : static_cast<std::size_t>(index);
    encode(
        runs.run(index), runs.length, scales[place], limits, codes + index * runs.length);
  });
}

}  // namespace sizewise::quantizers
