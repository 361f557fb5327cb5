#include <algorithm>
#include <bit>

#include "sizewise/dataset.hpp"
#include "sizewise/error.hpp"

namespace sizewise {
namespace {

constexpr int kRounds = 4;

/// A well-mixed 64-bit value. Source: splitmix64, Steele et al. 2014, "Fast splittable
/// pseudorandom number generators", figure 20.
uint64_t mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

/// A permutation of [0, 4^half_bits) from `key`. Source: a Feistel network, Luby and
/// Rackoff 1988.
uint64_t permute(uint64_t value, unsigned half_bits, uint64_t key) {
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  uint64_t left = value >> half_bits;
  uint64_t right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t next = left ^ (mix(right ^ mix(key + round)) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits) | right;
}

}  // namespace

EpochShuffle::EpochShuffle(int64_t samples, uint64_t seed)
    : samples_(samples), seed_(seed) {
  if (samples < 1) {
    throw Error(ErrorCode::kInput,
                "a training split of " + std::to_string(samples) +
                    " samples cannot be shuffled; it needs at least 1");
  }
}

int64_t EpochShuffle::sample_at(int64_t position) const {
  const auto count = static_cast<uint64_t>(samples_);
  const uint64_t epoch = static_cast<uint64_t>(position) / count;
  const uint64_t key = mix(seed_ ^ mix(epoch));
  const auto bits = static_cast<unsigned>(std::bit_width(count - 1));
  const unsigned half_bits = std::max(1U, (bits + 1) / 2);
  uint64_t value = static_cast<uint64_t>(position) % count;
  // Walking the cycle until it re-enters [0, count) keeps the map a permutation of that
  // range; the network's range is less than 4 (for one sample: 4) times as large, so the
  // walk is short.
  do {
    value = permute(value, half_bits, key);
  } while (value >= count);
  return static_cast<int64_t>(value);
}

}  // namespace sizewise
