#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sizewise::training {

/// What a FlopCounter saw.
struct FlopCount {
  int64_t flops = 0;  ///< a multiply-add is 2
  /// Operators that look like matrix work and have no formula, in alphabetical order.
  std::vector<std::string> uncounted;
};

/// While it lives, counts the floating-point operations of matrix work that this thread
/// starts: of every operator that runs, in the forward and the backward pass, whichever
/// kernel serves it. It knows operators, not models.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;

  [[nodiscard]] FlopCount count() const;

 private:
  struct Observation;
  std::unique_ptr<Observation> observation_;
};

}  // namespace sizewise::training
