#include "checkpoint/durable_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "sizewise/error.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, int fault) {
  throw Error(
      ErrorCode::kIo,
      fmt::format("{}: cannot be written: {}", path.string(), std::strerror(fault)),
      "check that its folder may be written to and that the disk is not full");
}

/// A file that is removed unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target)
      : target_(target),
        path_(fmt::format("{}.{}.tmp", target.string(), ::getpid())),
        descriptor_(
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) {
      refuse(target_, errno);
    }
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    if (!kept_) {
      ::unlink(path_.c_str());
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) {
        refuse(target_, errno);
      }
      bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
  }

  void take_its_name() {
    const bool flushed = ::fsync(descriptor_) == 0;
    const int fault = errno;
    const bool closed = ::close(descriptor_) == 0;
    descriptor_ = -1;
    if (!flushed || !closed) {
      refuse(target_, flushed ? errno : fault);
    }
    if (::rename(path_.c_str(), target_.c_str()) != 0) {
      refuse(target_, errno);
    }
    kept_ = true;
  }

 private:
  fs::path target_;
  fs::path path_;
  int descriptor_;
  bool kept_ = false;
};

void flush_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    refuse(folder, errno);
  }
  // Some file systems cannot flush a folder, and then there is nothing to be done.
  static_cast<void>(::fsync(descriptor));
  ::close(descriptor);
}

}  // namespace

void write_durably(const fs::path& path, const std::vector<std::string_view>& parts) {
  TemporaryFile file(path);
  for (const std::string_view part : parts) {
    file.write(part);
  }
  file.take_its_name();
  flush_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

}  // namespace sizewise::checkpoint
