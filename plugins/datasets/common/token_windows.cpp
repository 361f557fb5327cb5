#include "token_windows.hpp"

#include <cmath>

#include "sizewise/error.hpp"

namespace sizewise::datasets {

TokenWindows::TokenWindows(const std::string& source,
                           int64_t tokens,
                           int64_t context,
                           double validation_fraction)
    : context_(context) {
  const auto validation_tokens =
      static_cast<int64_t>(std::floor(static_cast<double>(tokens) * validation_fraction));
  train_tokens_ = tokens - validation_tokens;
  sizes_.train = (train_tokens_ - 1) / context;
  sizes_.validation = (validation_tokens - 1) / context;
  if (sizes_.train < 1 || sizes_.validation < 1) {
    throw Error(ErrorCode::kInput,
                source + ": " + std::to_string(tokens) + " tokens split into " +
                    std::to_string(train_tokens_) + " for training and " +
                    std::to_string(validation_tokens) +
                    " for validation; each part needs at least " +
                    std::to_string(context + 1) + ", the context and one more",
                "give more data, or set a smaller context or another "
                "validation_fraction");
  }
}

DatasetInfo TokenWindows::info(int64_t vocabulary) const {
  DatasetInfo info;
  info.unit = "token";
  info.units_per_sample = context_;
  info.train_samples = sizes_.train;
  info.validation_samples = sizes_.validation;
  info.input_shape = {context_};
  info.input_type = "int64";
  info.target_shape = {context_};
  info.target_type = "int64";
  info.vocabulary = vocabulary;
  info.context = context_;
  info.classes = vocabulary;
  return info;
}

}  // namespace sizewise::datasets
