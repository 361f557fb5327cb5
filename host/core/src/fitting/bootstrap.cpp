#include "fitting/bootstrap.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>

#include "sizewise/error.hpp"

#include "loading/plugin_instance.hpp"

namespace sizewise::fitting {
namespace {

/// What is drawn: groups of rows.
struct Clusters {
  std::string unit;
  std::vector<std::vector<std::size_t>> rows;
};

Clusters clusters_of(const RunTable& runs) {
  Clusters clusters{"row", {}};
  if (runs.has_texts("run_id")) {
    std::unordered_map<std::string, std::size_t> places;
    const auto names = runs.texts("run_id");
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      // A row without a run_id is a run of its own.
      const auto [place, is_new] =
          names[row].empty() ? std::pair(places.end(), true)
                             : places.try_emplace(names[row], clusters.rows.size());
      if (is_new) {
        clusters.rows.emplace_back();
      }
      clusters.rows[names[row].empty() ? clusters.rows.size() - 1 : place->second]
          .push_back(row);
    }
    if (clusters.rows.size() < runs.rows()) {
      clusters.unit = "run_id";
      return clusters;
    }
    clusters.rows.clear();
  }
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    clusters.rows.push_back({row});
  }
  return clusters;
}

/// An even draw from [0, below); its bias, below / 2^64, is beneath notice.
std::size_t draw(std::mt19937_64& random, std::size_t below) {
  return random() % below;
}

std::vector<double> resample(const Clusters& clusters,
                             std::size_t rows,
                             uint64_t seed,
                             uint64_t replicate) {
  std::seed_seq sequence{static_cast<uint32_t>(seed),
                         static_cast<uint32_t>(seed >> 32U),
                         static_cast<uint32_t>(replicate),
                         static_cast<uint32_t>(replicate >> 32U)};
  std::mt19937_64 random(sequence);
  std::vector<double> weights(rows, 0.0);
  for (std::size_t drawn = 0; drawn < clusters.rows.size(); ++drawn) {
    for (const std::size_t row : clusters.rows[draw(random, clusters.rows.size())]) {
      weights[row] += 1.0;
    }
  }
  return weights;
}

bool has_law(const FitResult& result) {
  return !result.law.values.empty() &&
         std::none_of(
             result.law.values.begin(), result.law.values.end(), [](const auto& entry) {
               return std::isnan(entry.second);
             });
}

/// One refit; nothing where the rows drawn give no law.
std::optional<FitResult> refit(const Fit& fit, const FitInput& input) {
  try {
    FitResult result = fit.fit(input);
    return has_law(result) ? std::optional(std::move(result)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void collect(Replicates& replicates,
             const FitResult& result,
             const FitRequest& request,
             const CostModel& cost_model) {
  replicates.not_identified += result.status == FitStatus::kIdentified ? 0 : 1;
  for (const auto& [name, value] : result.law.values) {
    replicates.values[name].push_back(value);
  }
  if (!std::isnan(result.a)) {
    replicates.values["a"].push_back(result.a);
    replicates.values["b"].push_back(result.b);
  }
  for (std::size_t i = 0; i < replicates.optimal_params.size(); ++i) {
    replicates.optimal_params[i].push_back(
        optimum_of(result.law, cost_model, request.budgets[i]).params.value());
  }
}

/// Runs work(0) to work(count - 1) on some threads; throws what the first failing one
/// threw.
template <class Work>
void in_parallel(int count, int threads, const Work& work) {
  std::atomic<int> next = 0;
  std::exception_ptr fault;
  std::mutex fault_mutex;
  const auto loop = [&] {
    try {
      for (int i = next++; i < count; i = next++) {
        work(i);
      }
    } catch (...) {
      const std::lock_guard lock(fault_mutex);
      fault = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < std::min(threads, count); ++i) {
      helpers.emplace_back(loop);
    }
    loop();
  }
  if (fault) {
    std::rethrow_exception(fault);
  }
}

}  // namespace

Replicates bootstrap_fit(const RunTable& runs,
                         const FitRequest& request,
                         const Fit& fit,
                         const FitResult& best,
                         const CostModel& cost_model) {
  const Clusters clusters = clusters_of(runs);
  Replicates replicates;
  replicates.unit = clusters.unit;
  replicates.optimal_params.resize(best.law.form == "power" ? 0 : request.budgets.size());
  std::vector<std::optional<FitResult>> results(
      static_cast<std::size_t>(request.bootstrap));
  in_parallel(request.bootstrap, request.threads, [&](int i) {
    const auto place = static_cast<std::size_t>(i);
    const std::vector<double> weights =
        resample(clusters, runs.rows(), request.seed, place);
    results[place] = loading::call_plugin(request.fit.plugin, [&] {
      return refit(fit, {runs, weights, &best});
    });
  });
  for (const std::optional<FitResult>& result : results) {
    if (result) {
      collect(replicates, *result, request, cost_model);
    } else {
      ++replicates.failed;
    }
  }
  return replicates;
}

double quantile(std::vector<double>& numbers, double share) {
  if (numbers.empty()) {
    return FitResult::kUnknown;
  }
  std::sort(numbers.begin(), numbers.end());
  const double place = share * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, numbers.size() - 1);
  if (!std::isfinite(numbers[above])) {
    return place > static_cast<double>(below) ? numbers[above] : numbers[below];
  }
  return std::lerp(numbers[below], numbers[above], place - static_cast<double>(below));
}

double standard_deviation(const std::vector<double>& numbers) {
  const auto count = static_cast<double>(numbers.size());
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0.0;
  for (const double number : numbers) {
    squares += (number - mean) * (number - mean);
  }
  return std::sqrt(squares / count);
}

Interval percentile_interval(std::vector<double>& numbers, double level) {
  const double tail = 0.5 * (1.0 - level);
  const double low = quantile(numbers, tail);
  return {low, quantile(numbers, 1.0 - tail)};
}

}  // namespace sizewise::fitting
