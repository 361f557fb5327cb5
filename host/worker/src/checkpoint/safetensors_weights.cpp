#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "checkpoint/safetensors_file.hpp"
#include "checkpoint/unique_json.hpp"
#include "checkpoint/weight_readers.hpp"
#include "saved_model.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;

/// One file, or the shards of one model.
class SafetensorsWeights final : public WeightFile {
 public:
  SafetensorsWeights() : WeightFile(WeightFormat::kSafetensors) {}

  void add(const fs::path& path) {
    Shard shard{path, open_safetensors_file(path)};
    file_bytes_ += fs::file_size(path);
    for (const TensorEntry& entry : shard.file.header.tensors) {
      const std::optional<WeightType> type = weight_type(entry.type);
      if (!type) {  // the header's reader lets none pass
        throw Error(ErrorCode::kInternal, fmt::format("no type '{}'", entry.type));
      }
      tensors_.push_back({entry.name, *type, entry.shape, entry.end - entry.begin});
      places_.push_back({shards_.size(), shard.file.data_begin + entry.begin});
    }
    metadata_.insert(shard.file.header.metadata.begin(),
                     shard.file.header.metadata.end());
    shard.file.header = {};  // the list above has it all
    shards_.push_back(std::move(shard));
  }

 private:
  struct Shard {
    fs::path path;
    SafetensorsFile file;
  };
  struct Place {
    std::size_t shard = 0;
    uint64_t begin = 0;  ///< in its file
  };

  void fill(std::size_t index, std::span<std::byte> bytes) override {
    Shard& shard = shards_[places_[index].shard];
    std::ifstream& stream = shard.file.stream;
    stream.clear();
    if (!stream.seekg(static_cast<std::streamoff>(places_[index].begin)) ||
        !stream.read(reinterpret_cast<char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()))) {
      refuse_safetensors(shard.path,
                         fmt::format("ends inside tensor '{}'", tensors_[index].name));
    }
  }

  std::vector<Shard> shards_;
  std::vector<Place> places_;  ///< one a tensor
};

[[noreturn]] void refuse_index(const fs::path& path, const std::string& what) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {}", path.string(), what),
              "fetch the folder again: index and shards must be of one model");
}

/// Which shard each tensor stands in.
std::map<std::string, std::string> read_weight_map(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::file_size(path) > kLongestHeaderBytes) {
    refuse_index(
        path,
        fmt::format("cannot be read, or has more than {} bytes", kLongestHeaderBytes));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  nlohmann::json index;
  try {
    index = parse_unique_json(text);
  } catch (const Error& error) {
    refuse_index(path, error.message());
  }
  if (!index.is_object() || !index.contains("weight_map") ||
      !index.at("weight_map").is_object()) {
    refuse_index(path, "has no weight_map");
  }
  std::map<std::string, std::string> shards;
  for (const auto& [name, shard] : index.at("weight_map").items()) {
    // A name alone: an index must not lead out of its folder.
    const fs::path shard_name(shard.is_string() ? shard.get<std::string>() : "");
    if (shard_name.empty() || shard_name != shard_name.filename() || shard_name == "." ||
        shard_name == "..") {
      refuse_index(path, fmt::format("names no file of the folder for '{}'", name));
    }
    shards.emplace(name, shard_name.string());
  }
  return shards;
}

}  // namespace

std::unique_ptr<WeightFile> open_safetensors_weights(const fs::path& path) {
  auto weights = std::make_unique<SafetensorsWeights>();
  weights->add(path);
  return weights;
}

std::unique_ptr<WeightFile> open_sharded_weights(const fs::path& folder) {
  const fs::path index = folder / kWeightsIndexFile;
  std::map<std::string, std::string> expected = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : expected) {
    shards.insert(shard);
  }
  auto weights = std::make_unique<SafetensorsWeights>();
  std::size_t checked = 0;
  for (const std::string& shard : shards) {
    if (!fs::is_regular_file(folder / shard)) {
      refuse_index(index, fmt::format("names '{}', which is missing", shard));
    }
    weights->add(folder / shard);
    for (; checked < weights->tensors().size(); ++checked) {
      const std::string& name = weights->tensors()[checked].name;
      const auto found = expected.find(name);
      if (found == expected.end() || found->second != shard) {
        refuse_index(index,
                     fmt::format("does not say that '{}' stands in '{}'", name, shard));
      }
      expected.erase(found);
    }
  }
  if (!expected.empty()) {
    refuse_index(index,
                 fmt::format("says that '{}' stands in '{}', where it does not",
                             expected.begin()->first,
                             expected.begin()->second));
  }
  return weights;
}

}  // namespace sizewise::checkpoint
