#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "checkpoint/gather.hpp"
#include "checkpoint/pickle_machine.hpp"
#include "checkpoint/state_dict.hpp"
#include "checkpoint/weight_readers.hpp"
#include "checkpoint/zip_archive.hpp"

// The archive of torch.save(): NAME/data.pkl, NAME/version, NAME/byteorder and a storage
// an entry, NAME/data/KEY.
// Source: PyTorch, torch/serialization.py, _save(); caffe2/serialize/inline_container.h.

namespace sizewise::checkpoint {
namespace {

constexpr std::string_view kPickle = "/data.pkl";
constexpr uint64_t kLongestNoteBytes = 64;  ///< of version and byteorder
constexpr int kNewestVersion = 10;

class StateDictWeights final : public WeightFile {
 public:
  explicit StateDictWeights(const std::filesystem::path& path)
      : WeightFile(WeightFormat::kStateDict), file_(path.string()), archive_(path) {
    file_bytes_ = std::filesystem::file_size(path);
    find_root();
    check_notes();
    const std::string pickle =
        archive_.read_text(*entry("data.pkl"), kLongestPickleBytes);
    StateDict dict = read_state_dict(pickle, file_);
    skipped_ = std::move(dict.skipped);
    for (StateDictTensor& tensor : dict.tensors) {
      add(std::move(tensor));
    }
  }

 private:
  struct Place {
    ZipEntry entry;
    StridedElements elements;
  };

  [[noreturn]] void refuse(const std::string& what,
                           const char* suggestion = kSaveTensorsAlone) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", file_, what), suggestion);
  }

  /// An entry below the root; nullptr where there is none.
  [[nodiscard]] const ZipEntry* entry(const std::string& name) const {
    const auto found = archive_.entries().find(root_ + "/" + name);
    return found == archive_.entries().end() ? nullptr : &found->second;
  }

  void find_root() {
    std::size_t count = 0;
    for (const auto& [name, facts] : archive_.entries()) {
      if (name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size()) {
        root_ = name.substr(0, name.size() - kPickle.size());
        ++count;
      }
    }
    if (count != 1) {
      refuse(
          fmt::format("is a zip archive with {} entries NAME/data.pkl; a file of "
                      "torch.save() has one",
                      count));
    }
    // torch.load() tells them apart by the same entry.
    if (entry("constants.pkl") != nullptr) {
      refuse("is a TorchScript archive",
             "save its tensors alone, in Python: "
             "torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE)");
    }
  }

  /// A short text of the archive, without the end of its line.
  std::string note(const std::string& name) {
    const ZipEntry* found = entry(name);
    std::string text =
        found == nullptr ? "" : archive_.read_text(*found, kLongestNoteBytes);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
      text.pop_back();
    }
    return text;
  }

  void check_notes() {
    const std::string order = note("byteorder");  // torch before 2.1 wrote none
    if (entry("byteorder") != nullptr && order != "little") {
      refuse("was written with another byte order than little-endian",
             "save it again on a little-endian machine");
    }
    const std::string text = note("version");
    int version = 0;
    const auto [end, fault] =
        std::from_chars(text.data(), text.data() + text.size(), version);
    if (fault != std::errc() || end != text.data() + text.size() || version < 1 ||
        version > kNewestVersion) {
      refuse(fmt::format("has no version of the format from 1 to {}", kNewestVersion));
    }
  }

  void add(StateDictTensor tensor) {
    const ZipEntry* found = entry("data/" + tensor.storage);
    if (found == nullptr || found->bytes != tensor.storage_bytes) {
      refuse(fmt::format(
                 "'{}' needs a storage of {} bytes, and the archive {}",
                 tensor.name,
                 tensor.storage_bytes,
                 found == nullptr ? "has none" : fmt::format("has {}", found->bytes)),
             "write or fetch the file again, with Python's torch.save()");
    }
    uint64_t bytes = element_bytes(tensor.type);
    for (const int64_t size : tensor.shape) {
      bytes *= static_cast<uint64_t>(size);  // fits: no tensor is larger than its storage
    }
    note_tie(tensor);
    places_.push_back({*found,
                       {tensor.shape,
                        std::move(tensor.strides),
                        tensor.first,
                        element_bytes(tensor.type)}});
    tensors_.push_back(
        {std::move(tensor.name), tensor.type, std::move(tensor.shape), bytes});
  }

  /// Which elements of which storage a tensor is.
  using Elements = std::tuple<std::string,
                              WeightType,
                              uint64_t,
                              std::vector<int64_t>,
                              std::vector<int64_t>>;

  void note_tie(const StateDictTensor& tensor) {
    const auto [first, is_new] = first_names_.try_emplace(
        Elements{tensor.storage, tensor.type, tensor.first, tensor.shape, tensor.strides},
        tensor.name);
    // Tensors without elements may lie anywhere.
    const bool is_empty =
        std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
    if (!is_new && !is_empty) {
      tied_.emplace(tensor.name, first->second);
    }
  }

  void fill(std::size_t index, std::span<std::byte> bytes) override {
    const Place& place = places_[index];
    gather(
        place.elements,
        !place.entry.stored,
        [&](uint64_t offset, std::span<std::byte> part) {
          archive_.read(place.entry, offset, part);
        },
        bytes);
  }

  std::string file_;
  ZipArchive archive_;
  std::string root_;
  std::vector<Place> places_;  ///< one a tensor
  std::map<Elements, std::string> first_names_;
};

}  // namespace

std::unique_ptr<WeightFile> open_state_dict_weights(const std::filesystem::path& path) {
  return std::make_unique<StateDictWeights>(path);
}

}  // namespace sizewise::checkpoint
