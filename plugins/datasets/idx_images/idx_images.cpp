#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>

#include "sizewise/dataset.hpp"
#include "sizewise/error.hpp"

#include "../common/sample_order.hpp"
#include "idx_file.hpp"

namespace {

using sizewise::BatchRequest;
using sizewise::DatasetInfo;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::Options;
using sizewise::Split;
using sizewise::TensorMap;
using sizewise::datasets::IdxArray;

/// A pixel's byte p becomes p * scale + shift.
struct Standardisation {
  double scale = 1.0;
  double shift = 0.0;
};

/// What gives these bytes the mean 0 and the deviation 1; images of one shade are only
/// shifted.
Standardisation standardise(const uint8_t* bytes, std::size_t count) {
  uint64_t sum = 0;
  uint64_t squares = 0;
  for (std::size_t place = 0; place < count; ++place) {
    sum += bytes[place];
    squares += uint64_t{bytes[place]} * bytes[place];
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  const double variance =
      static_cast<double>(squares) / static_cast<double>(count) - mean * mean;
  const double scale = variance > 0.0 ? 1.0 / std::sqrt(variance) : 1.0;
  return {.scale = scale, .shift = -mean * scale};
}

/// Grey images and their labels. Pixels are standardised by the mean and the deviation of
/// all pixels of the training split, so that none of the validation split is known.
class IdxImages final : public sizewise::Dataset {
 public:
  /// @throws Error as read_idx() does; kInput where the files disagree, a label is out of
  ///   range, or a split has no row
  explicit IdxImages(const Options& options)
      : images_(sizewise::datasets::read_idx(options.get<std::string>("images"), 3)),
        labels_(sizewise::datasets::read_idx(options.get<std::string>("labels"), 1)) {
    check_labels(options);
    const int64_t rows = images_.shape[0];
    info_.unit = "example";
    info_.validation_samples = static_cast<int64_t>(std::floor(
        static_cast<double>(rows) * options.get<double>("validation_fraction")));
    info_.train_samples = rows - info_.validation_samples;
    if (info_.validation_samples < 1) {
      throw Error(ErrorCode::kInput,
                  "idx_images: " + std::to_string(rows) +
                      " rows leave none for validation with validation_fraction " +
                      std::to_string(options.get<double>("validation_fraction")),
                  "give more rows or a larger validation_fraction");
    }
    info_.input_shape = {1, images_.shape[1], images_.shape[2]};
    info_.input_type = "float32";
    info_.target_type = "int64";
    info_.channels = 1;
    info_.classes = options.get<int64_t>("classes");
    pixels_ = images_.shape[1] * images_.shape[2];
    standardisation_ = standardise(
        images_.bytes.data(), static_cast<std::size_t>(info_.train_samples * pixels_));
  }

  [[nodiscard]] const DatasetInfo& info() const override { return info_; }

  [[nodiscard]] TensorMap batch(const BatchRequest& request) const override {
    const std::vector<int64_t> samples = sizewise::datasets::samples_of(
        request, {.train = info_.train_samples, .validation = info_.validation_samples});
    const int64_t first = request.split == Split::kTrain ? 0 : info_.train_samples;
    const auto rows = static_cast<int64_t>(samples.size());
    at::Tensor bytes =
        at::empty({rows, 1, images_.shape[1], images_.shape[2]}, at::kByte);
    at::Tensor target = at::empty({rows}, at::kLong);
    auto* to = bytes.mutable_data_ptr<uint8_t>();
    auto* labels = target.mutable_data_ptr<int64_t>();
    for (const int64_t sample : samples) {
      const auto row = static_cast<std::size_t>(first + sample);
      const auto size = static_cast<std::size_t>(pixels_);
      std::memcpy(to, images_.bytes.data() + row * size, size);
      to += size;
      *labels++ = labels_.bytes[row];
    }
    // Bytes are gathered and then converted as one tensor: the conversion is vectorised.
    at::Tensor input = bytes.to(at::kFloat);
    input.mul_(standardisation_.scale).add_(standardisation_.shift);
    return {{"input", std::move(input)}, {"target", std::move(target)}};
  }

  [[nodiscard]] std::string fingerprint() const override {
    return sizewise::sha256_of_text(text_of(images_) + text_of(labels_));
  }

 private:
  /// Shape and bytes, digested: the same for a plain and a compressed file.
  static std::string text_of(const IdxArray& array) {
    std::string text;
    for (const int64_t length : array.shape) {
      text += std::to_string(length) + " ";
    }
    return text +
           sizewise::sha256_of_text(
               {reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size()});
  }

  void check_labels(const Options& options) const {
    const auto file = options.get<std::string>("labels");
    if (images_.shape[0] != labels_.shape[0]) {
      throw Error(ErrorCode::kInput,
                  "idx_images: " + options.get<std::string>("images") + " has " +
                      std::to_string(images_.shape[0]) + " images and " + file + " has " +
                      std::to_string(labels_.shape[0]) + " labels; allowed: as many",
                  "give the two files of one set");
    }
    const auto classes = options.get<int64_t>("classes");
    for (std::size_t row = 0; row < labels_.bytes.size(); ++row) {
      if (labels_.bytes[row] >= classes) {
        throw Error(ErrorCode::kInput,
                    "idx_images: " + file + ": the label of row " + std::to_string(row) +
                        " is " + std::to_string(labels_.bytes[row]) + "; allowed: 0 to " +
                        std::to_string(classes - 1),
                    "set the option classes to the number of classes");
      }
    }
  }

  IdxArray images_;
  IdxArray labels_;
  DatasetInfo info_;
  int64_t pixels_ = 0;
  Standardisation standardisation_;
};

}  // namespace

SIZEWISE_DATASET(IdxImages)
