#include "noise_free.hpp"

namespace sizewise::fits {

std::vector<double> noise_free_losses(const Law& law,
                                      std::span<const double> params,
                                      std::span<const double> tokens) {
  std::vector<double> loss;
  for (std::size_t row = 0; row < params.size(); ++row) {
    loss.push_back(
        predicted_loss(law, Parameters(params[row]), Units(tokens[row])).value());
  }
  return loss;
}

PowerLaw cost_law(std::span<const double> params,
                  std::span<const double> tokens,
                  std::span<const double> flops) {
  std::vector<double> costs;
  for (std::size_t row = 0; row < params.size(); ++row) {
    costs.push_back(flops[row] / params[row] / tokens[row]);
  }
  return power_law_through(params, costs);
}

double best_exponent(const Law& law, double growth) {
  return law.value("beta") / (law.value("alpha") + growth * law.value("beta"));
}

}  // namespace sizewise::fits
