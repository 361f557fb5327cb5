#include "running/durable_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "sizewise/error.hpp"

namespace sizewise::running {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".writing-";

std::string advice(int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "make room on that disk, then run this again";
    case EROFS:
    case EACCES:
    case EPERM:
      return "make it yours to use (chmod, chown), or choose another folder";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
      return "a part of that path is a file: choose another folder";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    default:
      return "check that folder and its disk";
  }
}

[[noreturn]] void refuse(std::string_view what, const fs::path& file, int reason) {
  throw Error(ErrorCode::kIo,
              fmt::format("{} {}: {}", file.string(), what, std::strerror(reason)),
              advice(reason));
}

fs::path temporary_path(const fs::path& target) {
  return target.parent_path() /
         fmt::format("{}{}-{}", kTemporary, target.filename().string(), ::getpid());
}

/// A temporary file that goes unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, std::span<const std::string_view> parts)
      : target_(target), path_(temporary_path(target)) {
    const int file =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) {
      refuse("cannot be written", target_, errno);
    }
    const int reason = write_and_sync(file, parts);
    if (::close(file) != 0 || reason != 0) {
      const int fault = reason != 0 ? reason : errno;
      ::unlink(path_.c_str());
      refuse("cannot be written", target_, fault);
    }
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const char* path() const { return path_.c_str(); }

 private:
  /// 0, or the errno of what failed.
  static int write_and_sync(int file, std::span<const std::string_view> parts) {
    for (std::string_view part : parts) {
      while (!part.empty()) {
        const ssize_t count = ::write(file, part.data(), part.size());
        if (count >= 0) {
          part.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
          return errno;
        }
      }
    }
    return ::fsync(file) == 0 ? 0 : errno;
  }

  fs::path target_;
  fs::path path_;
};

void sync_folder(const fs::path& folder) {
  const int opened =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A file system that cannot sync a folder (EINVAL) has nothing to lose by it.
  const bool fine = opened >= 0 && (::fsync(opened) == 0 || errno == EINVAL);
  const int reason = errno;
  if (opened >= 0) {
    ::close(opened);
  }
  if (!fine) {
    refuse("cannot be made durable", folder, reason);
  }
}

/// Gives the file its name unless that is taken; 0 or the errno.
int link_new(const char* from, const char* to) {
  if (::link(from, to) == 0) {
    return 0;
  }
  const bool no_links = errno == EPERM || errno == ENOTSUP || errno == ENOSYS;
  if (no_links && ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
    return 0;
  }
  return errno;
}

}  // namespace

GrowingFile::GrowingFile(fs::path target)
    : target_(std::move(target)),
      path_(temporary_path(target_)),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (file_ < 0) {
    refuse("cannot be written", target_, errno);
  }
}

GrowingFile::~GrowingFile() {
  if (file_ >= 0) {
    ::close(file_);
  }
  ::unlink(path_.c_str());
}

void GrowingFile::append(std::string_view bytes) {
  overwrite(size_, bytes);
  size_ += bytes.size();
}

void GrowingFile::append(const GrowingFile& other, uint64_t offset, uint64_t count) {
  constexpr uint64_t kMostAtOnce = 1ULL << 20U;
  std::string part;
  while (count > 0) {
    part.resize(std::min(count, kMostAtOnce));
    const ssize_t read =
        ::pread(other.file_, part.data(), part.size(), static_cast<off_t>(offset));
    if (read <= 0 && !(read < 0 && errno == EINTR)) {
      refuse("cannot be read", other.target_, read == 0 ? EIO : errno);
    }
    const auto got = static_cast<uint64_t>(std::max<ssize_t>(read, 0));
    append(std::string_view(part).substr(0, got));
    offset += got;
    count -= got;
  }
}

void GrowingFile::overwrite(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<uint64_t>(count);
    } else if (errno != EINTR) {
      refuse("cannot be written", target_, errno);
    }
  }
}

void GrowingFile::commit() {
  if (::fsync(file_) != 0) {
    refuse("cannot be written", target_, errno);
  }
  const int closed = ::close(std::exchange(file_, -1));
  if (closed != 0 || ::rename(path_.c_str(), target_.c_str()) != 0) {
    refuse("cannot be written", target_, errno);
  }
  sync_folder(target_.parent_path());
}

Commit commit_new(const fs::path& file, std::string_view text) {
  {
    const TemporaryFile temporary(file, {&text, 1});
    const int reason = link_new(temporary.path(), file.c_str());
    if (reason == EEXIST) {
      return Commit::kThere;
    }
    if (reason != 0) {
      refuse("cannot be written", file, reason);
    }
  }
  sync_folder(file.parent_path());
  return Commit::kWritten;
}

void replace_file(const fs::path& file, std::string_view text) {
  replace_file(file, {&text, 1});
}

void replace_file(const fs::path& file, std::span<const std::string_view> parts) {
  {
    const TemporaryFile temporary(file, parts);
    if (::rename(temporary.path(), file.c_str()) != 0) {
      refuse("cannot be written", file, errno);
    }
  }
  sync_folder(file.parent_path());
}

std::string read_file(const fs::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) {
    refuse("cannot be read", file, errno);
  }
  std::string text;
  std::array<char, 16384> part{};
  ssize_t count = 0;
  do {
    count = ::read(opened, part.data(), part.size());
    if (count > 0) {
      text.append(part.data(), static_cast<std::size_t>(count));
    }
  } while (count > 0 || (count < 0 && errno == EINTR));
  const int reason = errno;
  ::close(opened);
  if (count < 0) {
    refuse("cannot be read", file, reason);
  }
  return text;
}

void make_folder(const fs::path& folder) {
  std::error_code fault;
  fs::create_directories(folder, fault);
  if (fault) {
    refuse("cannot be made", folder, fault.value());
  }
}

void remove_leftovers(const fs::path& folder) {
  std::error_code fault;
  for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    if (entry->path().filename().string().starts_with(kTemporary)) {
      std::error_code ignored;
      fs::remove(entry->path(), ignored);
    }
  }
}

}  // namespace sizewise::running
