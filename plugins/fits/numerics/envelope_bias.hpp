#pragma once

#include <string>
#include <vector>

#include "sizewise/fit.hpp"

#include "envelope.hpp"

namespace sizewise::fits {

/// By how much the lower envelope misses the exponent of a law on noise-free losses of
/// that law: a sweep has few sizes, and its smallest and largest hold the corners beyond
/// their own optima.
struct EnvelopeBias {
  double exponent = FitResult::kUnknown;       ///< a that the envelope gives
  double true_exponent = FitResult::kUnknown;  ///< of the law's own optimum
};

/// The bias of a law of form "chinchilla" on some checkpoints. What training costs is
/// taken as a power of N and D, from the checkpoints.
[[nodiscard]] EnvelopeBias envelope_bias(const Checkpoints& checkpoints, const Law& law);

/// In words, how many corners the hull has and of how many sizes, and the bias that the
/// parametric law fitted to the same rows implies; where it is above a hundredth or the
/// standard error of a, what to do.
[[nodiscard]] std::string describe_envelope(const FitInput& input,
                                            const Checkpoints& checkpoints,
                                            const Envelope& envelope);

}  // namespace sizewise::fits
