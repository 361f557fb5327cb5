#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "sizewise/fit.hpp"

#include "chinchilla_search.hpp"
#include "parametric_fit.hpp"
#include "random_starts.hpp"

// Timings of the fits' numerics, one thread, as lines of JSON; fits_bench.py and
// fit_proof_bench.py run it beside scipy. A table is a file of lines "params tokens
// loss".

namespace {

using namespace sizewise;        // NOLINT(google-build-using-namespace): one program
using namespace sizewise::fits;  // NOLINT(google-build-using-namespace): one program

double seconds_now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

RunTable table_of(std::vector<double> params,
                  std::vector<double> tokens,
                  std::vector<double> loss) {
  RunTable runs;
  runs.add_numbers("params", std::move(params));
  runs.add_numbers("tokens", std::move(tokens));
  runs.add_numbers("loss", std::move(loss));
  return runs;
}

RunTable read_table(const char* path) {
  std::ifstream file(path);
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (double n = 0, d = 0, l = 0; file >> n >> d >> l;) {
    params.push_back(n);
    tokens.push_back(d);
    loss.push_back(l);
  }
  return table_of(params, tokens, loss);
}

/// Rows of a law with noise, sizes and data spread evenly in logarithms.
RunTable made_table(std::size_t rows, double noise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> even;
  std::vector<double> params(rows);
  std::vector<double> tokens(rows);
  std::vector<double> loss(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    params[row] = 1e7 * std::pow(1e3, even(random));
    tokens[row] = 1e8 * std::pow(1e4, even(random));
    loss[row] = (1.7 + 450.0 * std::pow(params[row], -0.34) +
                 2000.0 * std::pow(tokens[row], -0.36)) *
                std::exp(noise * normal(random));
  }
  return table_of(params, tokens, loss);
}

/// A small sweep of a random law, as the proof's 1,000 tables are.
RunTable random_sweep(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0.1, 0.9);
  std::normal_distribution<double> normal;
  const double e = 1.0 + exponent(random);
  const double alpha = exponent(random);
  const double beta = exponent(random);
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int budget = 0; budget < 4; ++budget) {
    const double flops = 1e18 * std::pow(10.0, budget);
    for (int size = -5; size <= 5; ++size) {
      params.push_back(0.2 * std::sqrt(flops / 6.0) * std::pow(2.0, 0.6 * size));
      tokens.push_back(flops / (6.0 * params.back()));
      loss.push_back((e + 400.0 * std::pow(params.back(), -alpha) +
                      900.0 * std::pow(tokens.back(), -beta)) *
                     std::exp(0.03 * normal(random)));
    }
  }
  return table_of(params, tokens, loss);
}

ParametricSettings least_squares() {
  ParametricSettings settings;
  settings.residual = ResidualKind::kLinear;
  settings.delta = std::numeric_limits<double>::infinity();
  return settings;
}

template <class Work>
double median_seconds(int times, const Work& work) {
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const double start = seconds_now();
    work();
    seconds.push_back(seconds_now() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

int time_fit(const RunTable& runs, const ParametricSettings& settings, int times) {
  FitResult result;
  const double seconds = median_seconds(times, [&] {
    result = fit_parametric_law({runs, {}, nullptr}, settings);
  });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"seconds\": %.6g, \"objective\": %.15g, \"starts\": %d, \"kilobytes\": %ld}\n",
      seconds,
      result.objective,
      result.starts_tried,
      usage.ru_maxrss);
  return 0;
}

int time_bootstrap(const RunTable& runs, int count) {
  const FitResult best = fit_parametric_law({runs, {}, nullptr}, {});
  std::mt19937_64 random(1);
  double spread = 0.0;
  const double start = seconds_now();
  for (int i = 0; i < count; ++i) {
    std::vector<double> weights(runs.rows(), 0.0);
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      weights[random() % runs.rows()] += 1.0;
    }
    const FitResult refit = fit_parametric_law({runs, weights, &best}, {});
    spread += (refit.a - best.a) * (refit.a - best.a) / count;
  }
  std::printf("{\"seconds\": %.6g, \"error_of_a\": %.6g}\n",
              seconds_now() - start,
              std::sqrt(spread));
  return 0;
}

/// Descents from random starts: how many end lower than the search by more than 1e-9. An
/// infinite delta stands for vpnls.
int prove(const RunTable& runs, double delta, int starts, uint64_t seed) {
  const LawRows rows = law_rows({runs, {}, nullptr});
  // Squared residuals are those of the loss itself, as vpnls has them.
  const ResidualKind kind =
      std::isfinite(delta) ? ResidualKind::kLog : ResidualKind::kLinear;
  const ChinchillaObjective objective(rows, kind, delta);
  const double found = find_minimum(objective).best.value;
  double lowest = std::numeric_limits<double>::infinity();
  // A search that found nothing is beaten by every start.
  int lower = std::isfinite(found) ? 0 : starts;
  int as_low = 0;
  for (const double value : testing::values_from_random_starts(objective, starts, seed)) {
    lowest = value < lowest ? value : lowest;
    lower += value < found * (1.0 - 1e-9) ? 1 : 0;
    as_low += value <= found * (1.0 + 1e-9) ? 1 : 0;
  }
  std::printf(
      "{\"rows\": %zu, \"found\": %.15g, \"lowest\": %.15g, \"lower\": %d, "
      "\"as_low\": %d}\n",
      runs.rows(),
      found,
      lowest,
      lower,
      as_low);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 2 ? words[1] : "";
  if (what == "full") {
    return time_fit(read_table(words[2]), {}, 9);
  }
  if (what == "vpnls") {
    return time_fit(read_table(words[2]), least_squares(), 25);
  }
  if (what == "large") {
    return time_fit(made_table(std::strtoull(words[2], nullptr, 10), 0.01, 1), {}, 1);
  }
  if (what == "bootstrap" && count > 3) {
    return time_bootstrap(read_table(words[2]), std::atoi(words[3]));
  }
  if (what == "prove" && count > 4) {
    return prove(
        read_table(words[2]), std::strtod(words[3], nullptr), std::atoi(words[4]), 1);
  }
  if (what == "prove_sweeps" && count > 4) {
    const int last = std::atoi(words[3]);
    for (int seed = std::atoi(words[2]); seed < last; ++seed) {
      prove(random_sweep(static_cast<uint64_t>(seed)),
            1e-3,
            std::atoi(words[4]),
            static_cast<uint64_t>(seed) + 1000000);
    }
    return 0;
  }
  std::fputs(
      "usage: fit_timings full|vpnls TABLE | large ROWS | bootstrap TABLE COUNT\n"
      "       | prove TABLE DELTA STARTS | prove_sweeps FIRST LAST STARTS\n",
      stderr);
  return 2;
}
