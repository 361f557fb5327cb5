#pragma once

#include <compare>

namespace sizewise {

/// A number with a meaning: two quantities of different Tag never mix by accident.
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  [[nodiscard]] constexpr double value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;

 private:
  double value_ = 0.0;
};

/// N: how many parameters a model has (a tied tensor counts once).
using Parameters = Quantity<struct ParametersTag>;
/// D: how many units of training data (tokens, examples) a trial consumes.
using Units = Quantity<struct UnitsTag>;
/// C: floating-point operations of training, forward and backward; a multiply-add is 2.
using Flops = Quantity<struct FlopsTag>;
/// L: loss per unit on the validation split, in nats.
using Nats = Quantity<struct NatsTag>;

}  // namespace sizewise
