#include "envelope.hpp"

namespace {

/// The lower envelope of loss against FLOPs over all checkpoints, then power laws of N
/// and D through its corners. Source: Hoffmann et al. 2022 (arXiv 2203.15556),
/// section 3.1.
class Approach1 : public sizewise::Fit {
 public:
  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_envelope(input);
  }
};

}  // namespace

SIZEWISE_FIT(Approach1)
