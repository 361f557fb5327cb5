#include "tables/text_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sizewise/error.hpp"

namespace sizewise::tables {
namespace {

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::filesystem::path& path, int fault) {
  throw Error(
      ErrorCode::kIo,
      fmt::format(
          "the table '{}' cannot be read: {}", path.string(), std::strerror(fault)),
      "check that the file is there and may be read");
}

}  // namespace

TextFile::TextFile(const std::filesystem::path& path) {
  const Descriptor file(path);
  struct stat facts{};
  if (file.number() < 0 || ::fstat(file.number(), &facts) != 0) {
    refuse(path, errno);
  }
  if (S_ISDIR(facts.st_mode)) {
    throw Error(ErrorCode::kIo,
                fmt::format("'{}' is a folder, not a table", path.string()),
                "give a CSV file or a file of JSON lines");
  }
  // Files of the kernel's own say that they are empty and are not.
  const bool is_mapped = S_ISREG(facts.st_mode) && facts.st_size > 0 &&
                         map(file.number(), static_cast<std::size_t>(facts.st_size));
  if (!is_mapped && !read(file.number())) {
    refuse(path, errno);
  }
}

TextFile::~TextFile() {
  if (mapped_ != nullptr) {
    ::munmap(mapped_, size_);
  }
}

std::string_view TextFile::text() const {
  return mapped_ == nullptr ? std::string_view(read_)
                            : std::string_view(static_cast<const char*>(mapped_), size_);
}

bool TextFile::map(int file, std::size_t size) {
  void* const place = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (place == MAP_FAILED) {
    return false;
  }
  ::madvise(place, size, MADV_SEQUENTIAL);
  mapped_ = place;
  size_ = size;
  return true;
}

bool TextFile::read(int file) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  while (true) {
    const std::size_t begin = read_.size();
    read_.resize(begin + kPiece);
    const ssize_t count = ::read(file, read_.data() + begin, kPiece);
    read_.resize(begin + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == 0) {
      return true;
    }
    if (count < 0 && errno != EINTR) {
      return false;
    }
  }
}

}  // namespace sizewise::tables
