#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <ATen/ops/from_file.h>

#include "sizewise/dataset.hpp"
#include "sizewise/error.hpp"

#include "../common/token_windows.hpp"
#include "token_file.hpp"

namespace {

using sizewise::BatchRequest;
using sizewise::DatasetInfo;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::Options;
using sizewise::TensorMap;
using sizewise::datasets::TokenLayout;
using sizewise::datasets::TokenType;
using sizewise::datasets::TokenWindows;

/// A file as a read-only tensor of bytes: mapped, so that only what is used is read.
at::Tensor map_file(const std::filesystem::path& file) {
  std::error_code fault;
  const auto size = std::filesystem::file_size(file, fault);
  if (fault || size == 0) {
    throw Error(ErrorCode::kInput,
                "tokens: " + file.string() +
                    (fault ? ": " + fault.message() : std::string(" holds no bytes")),
                "set the option path to a .bin or .npy file with tokens in it");
  }
  try {
    return at::from_file(file.string(), false, static_cast<int64_t>(size), at::kByte);
  } catch (const c10::Error& error) {
    throw Error(
        ErrorCode::kIo,
        "tokens: cannot map " + file.string() + ": " + error.what_without_backtrace(),
        "check that it is a file that you may read");
  }
}

/// Tokens read where they lie, whatever their type and alignment.
class MappedTokens {
 public:
  explicit MappedTokens(const Options& options)
      : bytes_(map_file(options.get<std::string>("path"))),
        layout_(sizewise::datasets::layout_of(options.get<std::string>("path"),
                                              view(),
                                              options.get<std::string>("dtype"))) {}

  [[nodiscard]] int64_t size() const { return layout_.tokens; }
  /// The whole file.
  [[nodiscard]] std::string_view view() const {
    return {static_cast<const char*>(bytes_.const_data_ptr()),
            static_cast<std::size_t>(bytes_.numel())};
  }

  /// Calls use(read) with a function that reads the token at a place: the type is decided
  /// once, not for each token.
  template <class Use>
  auto visit(Use&& use) const {
    switch (layout_.type) {
      case TokenType::kUint8:
        return use(reader<uint8_t>());
      case TokenType::kUint16:
        return use(reader<uint16_t>());
      case TokenType::kUint32:
        return use(reader<uint32_t>());
      case TokenType::kInt32:
        return use(reader<int32_t>());
      case TokenType::kInt64:
        break;
    }
    return use(reader<int64_t>());
  }

 private:
  template <class T>
  [[nodiscard]] auto reader() const {
    const char* first = view().data() + layout_.first_byte;
    return [first](int64_t place) {
      T token{};
      std::memcpy(&token, first + place * static_cast<int64_t>(sizeof(T)), sizeof(T));
      return static_cast<int64_t>(token);
    };
  }

  at::Tensor bytes_;
  TokenLayout layout_;
};

/// A file of tokens; predicts the next one. Every token is checked once, at the start:
/// a sweep never stops at a bad one half-way.
class Tokens final : public sizewise::Dataset {
 public:
  /// @throws Error as layout_of() and TokenWindows do; kInput where a token is not in the
  ///   vocabulary, kIo where the file cannot be mapped
  explicit Tokens(const Options& options)
      : tokens_(options),
        windows_("tokens: " + options.get<std::string>("path"),
                 tokens_.size(),
                 options.get<int64_t>("context"),
                 options.get<double>("validation_fraction")),
        info_(windows_.info(options.get<int64_t>("vocabulary"))) {
    tokens_.visit([&](auto read) {
      check_range(read, options.get<std::string>("path"));
    });
  }

  [[nodiscard]] const DatasetInfo& info() const override { return info_; }

  [[nodiscard]] TensorMap batch(const BatchRequest& request) const override {
    return tokens_.visit([&](auto read) {
      return windows_.batch(request, read);
    });
  }

  [[nodiscard]] std::string fingerprint() const override {
    return sizewise::sha256_of_text(tokens_.view());
  }

 private:
  template <class Read>
  void check_range(Read read, const std::string& file) const {
    for (int64_t place = 0; place < tokens_.size(); ++place) {
      const int64_t token = read(place);
      if (token < 0 || token >= info_.vocabulary) {
        throw Error(ErrorCode::kInput,
                    "tokens: " + file + ": the token at position " +
                        std::to_string(place) + " is " + std::to_string(token) +
                        "; allowed: 0 to " + std::to_string(info_.vocabulary - 1),
                    "set the option vocabulary to the tokeniser's, and dtype to the "
                    "file's");
      }
    }
  }

  MappedTokens tokens_;
  TokenWindows windows_;
  DatasetInfo info_;
};

}  // namespace

SIZEWISE_DATASET(Tokens)
