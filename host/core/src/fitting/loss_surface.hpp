#pragma once

#include <optional>

#include "sizewise/fit.hpp"

namespace sizewise::fitting {

/// The five values of the chinchilla form, looked up once: a bootstrap asks often.
struct Chinchilla {
  double e, a, b, alpha, beta;

  explicit Chinchilla(const Law& law);
  [[nodiscard]] double loss(double log_params, double log_tokens) const;
};

/// The loss that a law predicts over ln N and ln D, where the data may be limited.
class LossSurface {
 public:
  /// @throws Error kFit where the law predicts no loss
  LossSurface(const Law& law, std::optional<Units> unique_tokens);

  /// In nats; falls in both where finite.
  [[nodiscard]] double loss(double log_params, double log_tokens) const;
  /// ln D from which on more data change nothing, since repeats are worth nothing.
  [[nodiscard]] std::optional<double> log_most_tokens() const;
  /// Its plain form, where nothing limits the data: then optima have closed forms.
  [[nodiscard]] const Chinchilla* closed_form() const;

 private:
  const Law& law_;
  std::optional<Chinchilla> chinchilla_;
  std::optional<double> log_unique_;
};

}  // namespace sizewise::fitting
