#include "fitting/resampling.hpp"

#include <cmath>
#include <numbers>
#include <unordered_map>
#include <utility>

namespace sizewise::fitting {
namespace {

/// An even draw from [0, below); its bias, below / 2^64, is beneath notice.
std::size_t draw(std::mt19937_64& random, std::size_t below) {
  return random() % below;
}

/// An even draw from (0, 1].
double draw_share(std::mt19937_64& random) {
  constexpr double kStep = 0x1p-53;
  return static_cast<double>((random() >> 11U) + 1) * kStep;
}

}  // namespace

Clusters clusters_of(const RunTable& runs) {
  Clusters clusters{"row", {}};
  if (runs.has_texts("run_id")) {
    std::unordered_map<std::string, std::size_t> places;
    const auto names = runs.texts("run_id");
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      const auto [place, is_new] =
          names[row].empty() ? std::pair(places.end(), true)
                             : places.try_emplace(names[row], clusters.rows.size());
      if (is_new) {
        clusters.rows.emplace_back();
      }
      clusters.rows[names[row].empty() ? clusters.rows.size() - 1 : place->second]
          .push_back(row);
    }
    if (clusters.rows.size() > 1 && clusters.rows.size() < runs.rows()) {
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

std::mt19937_64 random_of(uint64_t seed, uint64_t replicate) {
  std::seed_seq sequence{static_cast<uint32_t>(seed),
                         static_cast<uint32_t>(seed >> 32U),
                         static_cast<uint32_t>(replicate),
                         static_cast<uint32_t>(replicate >> 32U)};
  return std::mt19937_64(sequence);
}

/// Box and Muller 1958. The standard library's own differ from one library to the next;
/// the same seed must give the same figures everywhere.
double draw_normal(std::mt19937_64& random) {
  const double radius = std::sqrt(-2.0 * std::log(draw_share(random)));
  return radius * std::cos(2.0 * std::numbers::pi * draw_share(random));
}

std::vector<double> resample(const Clusters& clusters,
                             std::size_t rows,
                             std::mt19937_64& random) {
  std::vector<double> weights(rows, 0.0);
  for (std::size_t drawn = 0; drawn < clusters.rows.size(); ++drawn) {
    for (const std::size_t row : clusters.rows[draw(random, clusters.rows.size())]) {
      weights[row] += 1.0;
    }
  }
  return weights;
}

std::vector<double> with_noise(const Clusters& clusters,
                               const std::vector<double>& centre,
                               double noise,
                               std::mt19937_64& random) {
  std::vector<double> losses = centre;
  for (const std::vector<std::size_t>& rows : clusters.rows) {
    const double factor = std::exp(noise * draw_normal(random));
    for (const std::size_t row : rows) {
      losses[row] *= factor;
    }
  }
  return losses;
}

}  // namespace sizewise::fitting
