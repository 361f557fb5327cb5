#include "isoflop.hpp"

namespace {

/// Per budget a parabola of the loss over log10 N and over log10 D; through their minima
/// N* = k C^a and D* = k' C^b. Rows are grouped by `budget_flops`. `objective` is the sum
/// of squared residuals of the parabolas over N. Source: Hoffmann et al. 2022 (arXiv
/// 2203.15556), section 3.2 and table A3.
class Approach2 : public sizewise::Fit {
 public:
  explicit Approach2(const sizewise::Options& options)
      : allow_outside_vertex_(options.get<bool>("allow_outside_vertex")) {}

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_isoflop(input, allow_outside_vertex_);
  }

 private:
  bool allow_outside_vertex_;
};

}  // namespace

SIZEWISE_FIT(Approach2)
