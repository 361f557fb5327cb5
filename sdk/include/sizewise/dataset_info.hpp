#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sizewise {

/// What a model may know about its data before it sees any. Zero or empty: does not
/// apply.
struct DatasetInfo {
  std::string unit;                  ///< what D counts: "token" or "example"
  int64_t units_per_sample = 1;      ///< units in one row of a batch (a text's context)
  int64_t train_samples = 0;         ///< samples in one pass over the training split
  int64_t validation_samples = 0;    ///< samples in the validation split
  std::vector<int64_t> input_shape;  ///< of one sample, without the batch dimension
  std::string input_type;            ///< "float32" or "int64"
  std::vector<int64_t> target_shape;
  std::string target_type;
  int64_t vocabulary = 0;  ///< inputs are integers in [0, vocabulary)
  int64_t context = 0;     ///< positions of a sequence
  int64_t channels = 0;    ///< of an image: input_shape is {channels, height, width}
  int64_t classes = 0;     ///< targets are integers in [0, classes)

  [[nodiscard]] int64_t train_units() const { return train_samples * units_per_sample; }
  [[nodiscard]] int64_t validation_units() const {
    return validation_samples * units_per_sample;
  }

  /// @throws Error kInput where the text is no JSON object or a field has the wrong type
  static DatasetInfo from_json(std::string_view text);
  [[nodiscard]] std::string to_json() const;

  bool operator==(const DatasetInfo&) const = default;
};

}  // namespace sizewise
