#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "checkpoint/weight_type.hpp"

// Files of weights, whoever wrote them: safetensors, in one file or in shards, and state
// dicts of Python's torch.save(). Nothing here links LibTorch, so that a fuzzer starts in
// milliseconds.

namespace sizewise::checkpoint {

/// One tensor of a file.
struct WeightTensor {
  std::string name;
  WeightType type = WeightType::kF32;
  std::vector<int64_t> shape;  ///< row-major; empty for a scalar
  uint64_t bytes = 0;          ///< of all elements
};

enum class WeightFormat : uint8_t { kSafetensors, kStateDict };

/// A file of weights, read one tensor at a time: it holds the list of the tensors, never
/// their bytes. [one thread at a time]
class WeightFile {
 public:
  virtual ~WeightFile() = default;
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;

  [[nodiscard]] WeightFormat format() const { return format_; }

  /// In the order of the file: of their bytes in safetensors, of the dictionary in a
  /// state dict. No two have one name. Tied tensors of a state dict stand once a name.
  [[nodiscard]] const std::vector<WeightTensor>& tensors() const { return tensors_; }

  /// What a state dict holds beside its tensors, which nothing reads.
  [[nodiscard]] const std::vector<SkippedValue>& skipped() const { return skipped_; }

  /// Tensors of a state dict that are the very elements of another: name -> the first
  /// name of those elements.
  [[nodiscard]] const std::map<std::string, std::string>& tied() const { return tied_; }

  /// Of the file, or of all shards.
  [[nodiscard]] uint64_t file_bytes() const { return file_bytes_; }

  /// The texts in the header of safetensors.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }

  /// Reads one tensor: row-major, little-endian, without gaps.
  /// @param index of tensors()
  /// @param bytes as many as the tensor has
  /// @throws Error kInput where the file has changed or cannot be read to its end;
  ///   kInternal for another index or count of bytes
  void read(std::size_t index, std::span<std::byte> bytes);

 protected:
  explicit WeightFile(WeightFormat format) : format_(format) {}

  std::vector<WeightTensor> tensors_;
  std::vector<SkippedValue> skipped_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, std::string> tied_;
  uint64_t file_bytes_ = 0;

 private:
  virtual void fill(std::size_t index, std::span<std::byte> bytes) = 0;

  WeightFormat format_;
};

/// Opens weights; what they are is seen from their content, not from a name's ending.
/// @param path a safetensors file; a file that torch.save() wrote from a dictionary of
///   tensors (see read_state_dict()); or a folder with model.safetensors.index.json and
///   the shards that it names, or with model.safetensors
/// @throws Error kIo where there is no such file or it cannot be read; kInput naming the
///   file where it is none of these, damaged, or holds what is not read
[[nodiscard]] std::unique_ptr<WeightFile> open_weight_file(
    const std::filesystem::path& path);

}  // namespace sizewise::checkpoint
