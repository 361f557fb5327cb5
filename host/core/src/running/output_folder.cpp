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

int opened(const std::filesystem::path& folder) {
  make_folder(folder);
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path folder, std::string last_file)
    : folder_(std::move(folder)),
      last_file_(std::move(last_file)),
      was_there_(::access(folder_.c_str(), F_OK) == 0),
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
    was_there_ = true;  // the other's, which it may not have written to yet
    close();
    throw Error(ErrorCode::kIo,
                fmt::format("another program writes into {}", folder_.string()),
                "wait until it has ended, or name another folder with --output");
  }
}

OutputFolder::~OutputFolder() {
  remove_leftovers(folder_);
  close();
}

void OutputFolder::take_away() {
  std::error_code ignored;
  if (!std::filesystem::exists(folder_ / last_file_, ignored)) {
    std::filesystem::remove_all(folder_, ignored);
  }
}

void OutputFolder::close() {
  if (!was_there_) {
    take_away();
  }
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

}  // namespace sizewise::running
