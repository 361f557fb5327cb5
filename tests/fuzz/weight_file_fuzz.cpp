#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "checkpoint/weight_file.hpp"
#include "fuzz.hpp"

namespace {

/// A file in memory, closed at the end.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzzed", 0)) {
    sizewise::fuzzing::require(
        descriptor_ >= 0 && ::write(descriptor_, bytes.data(), bytes.size()) ==
                                static_cast<ssize_t>(bytes.size()),
        "there is room for a file in memory");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::string path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

}  // namespace

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  // Compressed storages may be larger than the file; a few of them are enough.
  constexpr uint64_t kMostBytes = 1ULL << 20U;
  const MemoryFile file(input);
  const auto weights = checkpoint::open_weight_file(file.path());
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < weights->tensors().size() && i < 64; ++i) {
    const checkpoint::WeightTensor& tensor = weights->tensors()[i];
    require(tensor.bytes <= input.size() * 1040, "a tensor's bytes come from the file");
    if (tensor.bytes <= kMostBytes) {
      bytes.resize(tensor.bytes);
      weights->read(i, bytes);
    }
  }
}
