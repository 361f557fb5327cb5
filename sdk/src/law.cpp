#include <cmath>

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/fit.hpp"

namespace sizewise {
namespace {

double chinchilla(const Law& law, double params, double tokens) {
  return law.value("E") + law.value("A") / std::pow(params, law.value("alpha")) +
         law.value("B") / std::pow(tokens, law.value("beta"));
}

double kaplan(const Law& law, double params, double tokens) {
  const double exponent_d = law.value("aD");
  return std::pow(std::pow(law.value("Nc") / params, law.value("aN") / exponent_d) +
                      law.value("Dc") / tokens,
                  exponent_d);
}

}  // namespace

double Law::value(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end()) {
    throw Error(ErrorCode::kFit,
                fmt::format("a law of form '{}' has no '{}'", form, key));
  }
  return found->second;
}

Nats predicted_loss(const Law& law, Parameters params, Units tokens) {
  if (law.form == "chinchilla") {
    return Nats(chinchilla(law, params.value(), tokens.value()));
  }
  if (law.form == "kaplan") {
    return Nats(kaplan(law, params.value(), tokens.value()));
  }
  return Nats(FitResult::kUnknown);
}

Fit::~Fit() = default;

}  // namespace sizewise
