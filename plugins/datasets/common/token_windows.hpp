#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>

#include "sizewise/dataset.hpp"

#include "sample_order.hpp"

namespace sizewise::datasets {

/// A sequence of tokens cut into samples: the first part trains, the last validates, and
/// each part is cut into windows that do not overlap. A sample's target is its input one
/// token later, so a window needs `context` tokens and the one after; none reaches into
/// the other part.
class TokenWindows {
 public:
  /// @param source names the data in messages
  /// @param tokens length of the sequence
  /// @param context tokens in a sample, at least 1
  /// @param validation_fraction share of the tokens that validates, between 0 and 1
  /// @throws Error kInput where a part is too small for one window
  TokenWindows(const std::string& source,
               int64_t tokens,
               int64_t context,
               double validation_fraction);

  /// Facts about a dataset of these windows.
  [[nodiscard]] DatasetInfo info(int64_t vocabulary) const;

  /// `input` and `target`, int64 {samples, context}. read(i) is the i-th token of the
  /// sequence. [any thread]
  template <class Read>
  [[nodiscard]] TensorMap batch(const BatchRequest& request, Read&& read) const {
    const std::vector<int64_t> samples = samples_of(request, sizes_);
    const auto rows = static_cast<int64_t>(samples.size());
    at::Tensor input = at::empty({rows, context_}, at::kLong);
    at::Tensor target = at::empty({rows, context_}, at::kLong);
    auto* inputs = input.mutable_data_ptr<int64_t>();
    auto* targets = target.mutable_data_ptr<int64_t>();
    for (const int64_t sample : samples) {
      const int64_t first = first_token(request.split, sample);
      int64_t token = read(first);
      for (int64_t place = 1; place <= context_; ++place) {
        *inputs++ = token;
        token = read(first + place);
        *targets++ = token;
      }
    }
    return {{"input", std::move(input)}, {"target", std::move(target)}};
  }

 private:
  [[nodiscard]] int64_t first_token(Split split, int64_t sample) const {
    return (split == Split::kTrain ? 0 : train_tokens_) + sample * context_;
  }

  int64_t context_;
  int64_t train_tokens_;
  SplitSizes sizes_;
};

}  // namespace sizewise::datasets
