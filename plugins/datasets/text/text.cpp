#include <string>

#include "sizewise/dataset.hpp"

#include "../common/token_windows.hpp"
#include "corpus.hpp"

namespace {

using sizewise::BatchRequest;
using sizewise::DatasetInfo;
using sizewise::Options;
using sizewise::TensorMap;

constexpr int64_t kByteValues = 256;

/// Text as a sequence of bytes; predicts the next byte.
class Text final : public sizewise::Dataset {
 public:
  /// @throws Error as read_corpus() and TokenWindows do
  explicit Text(const Options& options)
      : bytes_(sizewise::datasets::read_corpus(options.get<std::string>("path"),
                                               options.get<std::string>("pattern"))),
        windows_("text: " + options.get<std::string>("path"),
                 static_cast<int64_t>(bytes_.size()),
                 options.get<int64_t>("context"),
                 options.get<double>("validation_fraction")),
        info_(windows_.info(kByteValues)) {}

  [[nodiscard]] const DatasetInfo& info() const override { return info_; }

  [[nodiscard]] TensorMap batch(const BatchRequest& request) const override {
    return windows_.batch(request, [this](int64_t place) {
      return static_cast<int64_t>(
          static_cast<unsigned char>(bytes_[static_cast<std::size_t>(place)]));
    });
  }

  [[nodiscard]] std::string fingerprint() const override {
    return sizewise::sha256_of_text(bytes_);
  }

 private:
  std::string bytes_;
  sizewise::datasets::TokenWindows windows_;
  DatasetInfo info_;
};

}  // namespace

SIZEWISE_DATASET(Text)
