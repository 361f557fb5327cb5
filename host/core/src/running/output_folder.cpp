#include "running/output_folder.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "sizewise/error.hpp"

#include "running/durable_file.hpp"

namespace sizewise::running {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> missing_folders(fs::path folder) {
  std::vector<fs::path> missing;
  std::error_code ignored;
  while (!folder.empty() && !fs::exists(fs::symlink_status(folder, ignored))) {
    missing.push_back(folder);
    folder = folder.parent_path();
  }
  return missing;
}

int opened(const fs::path& folder) {
  make_folder(folder);
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/// The files of a result that a folder holds already are not this program's to remove.
void leave_out_present(std::vector<std::string>& files, const fs::path& folder) {
  std::erase_if(files, [&](const std::string& file) {
    std::error_code ignored;
    return fs::exists(folder / file, ignored);
  });
}

}  // namespace

OutputFolder::OutputFolder(fs::path folder, std::vector<std::string> files)
    : folder_(std::move(folder)),
      files_(std::move(files)),
      made_(missing_folders(folder_)),
      lock_(opened(folder_)) {
  if (lock_ < 0 || ::access(folder_.c_str(), W_OK) != 0) {
    const int reason = errno;
    close();
    throw Error(
        ErrorCode::kIo,
        fmt::format("{} cannot be written: {}", folder_.string(), std::strerror(reason)),
        "choose a folder that you may write, with --output");
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    made_.clear();  // the other's, which it may not have written to yet
    close();
    throw Error(ErrorCode::kIo,
                fmt::format("another program writes into {}", folder_.string()),
                "wait until it has ended, or name another folder with --output");
  }
  leave_out_present(files_, folder_);
}

OutputFolder::~OutputFolder() {
  take_away();
  close();
}

void OutputFolder::take_away() const {
  remove_leftovers(folder_);
  if (!files_.empty() && ::access((folder_ / files_.back()).c_str(), F_OK) != 0) {
    for (const std::string& file : files_) {
      ::unlink((folder_ / file).c_str());
    }
  }
}

void OutputFolder::close() {
  for (const fs::path& folder : made_) {
    ::rmdir(folder.c_str());  // which spares a folder that holds something
  }
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

}  // namespace sizewise::running
