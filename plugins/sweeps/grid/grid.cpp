#include <cstdint>
#include <string>
#include <vector>

#include "sizewise/sweep.hpp"

namespace {

/// Explicit sizes times explicit tokens, in one round.
class Grid final : public sizewise::Sweep {
 public:
  /// @throws Error kConfiguration where a list is empty or holds a number below 1
  explicit Grid(const sizewise::Options& options)
      : sizes_(positive(options, "sizes")), tokens_(positive(options, "tokens")) {}

  [[nodiscard]] std::vector<sizewise::TrialRequest> next(
      const sizewise::RunTable& so_far, sizewise::SweepHost& host) const override {
    if (!so_far.empty()) {
      return {};
    }
    std::vector<sizewise::TrialRequest> requests;
    for (const int64_t size : sizes_) {
      if (!host.sizes().allows(size)) {
        refuse_size(size, host.sizes());
      }
      for (const int64_t tokens : tokens_) {
        requests.push_back({size, tokens, std::nullopt, false});
      }
    }
    return requests;
  }

 private:
  static std::vector<int64_t> positive(const sizewise::Options& options,
                                       const std::string& name) {
    auto values = options.get<std::vector<int64_t>>(name);
    if (values.empty()) {
      throw sizewise::Error(sizewise::ErrorCode::kConfiguration,
                            "option '" + name + "' of sweep 'grid' is an empty list",
                            "give at least one integer");
    }
    for (const int64_t value : values) {
      if (value < 1) {
        throw sizewise::Error(sizewise::ErrorCode::kConfiguration,
                              "option '" + name + "' of sweep 'grid' holds " +
                                  std::to_string(value) + "; allowed: integers from 1",
                              "take it out of the list");
      }
    }
    return values;
  }

  [[noreturn]] static void refuse_size(int64_t size, const sizewise::SizeSpec& sizes) {
    throw sizewise::Error(
        sizewise::ErrorCode::kConfiguration,
        "option 'sizes' of sweep 'grid' holds " + std::to_string(size) +
            ", which is no " + sizes.name + " of the model; allowed: " +
            std::to_string(sizes.minimum) + " to " + std::to_string(sizes.maximum) +
            " in steps of " + std::to_string(sizes.multiple_of),
        "the nearest is " + std::to_string(sizes.nearest(static_cast<double>(size))));
  }

  std::vector<int64_t> sizes_;
  std::vector<int64_t> tokens_;
};

}  // namespace

SIZEWISE_SWEEP(Grid)
