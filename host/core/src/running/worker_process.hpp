#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace sizewise::running {

/// How to start a worker program.
struct WorkerProgram {
  std::filesystem::path program;  ///< empty: find_worker_program()
  std::filesystem::path log;  ///< its stdout and stderr, appended; empty: kept in memory
  std::filesystem::path working_folder;  ///< empty: this process's
};

/// The worker program: `given` where not empty, else SIZEWISE_WORKER, else
/// `sizewise-worker` beside the running program, else in ../bin of the folder of the
/// library Sizewise::host.
/// @throws Error kInput where there is none, naming the places looked at
[[nodiscard]] std::filesystem::path find_worker_program(
    const std::filesystem::path& given);

/// A child process in a process group of its own, with one socket to it that it sees as
/// descriptors 3 (to read) and 4 (to write). It dies with the thread that started it, and
/// its whole group is killed when this object goes. [one thread]
class WorkerProcess {
 public:
  /// @throws Error kIo where it cannot be started, kInput where there is no such program
  explicit WorkerProcess(const WorkerProgram& program);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// How it ended ("died by signal 11 (SIGSEGV)", "exited with status 3"); waits at most
  /// `patience`. Nothing where it still runs. What is left of its group is killed.
  [[nodiscard]] std::optional<std::string> ending(std::chrono::milliseconds patience);

  /// Kills the whole process group and waits for the process.
  void kill();

  /// Bytes in the log now.
  [[nodiscard]] std::uintmax_t log_size() const;
  /// The log from byte `from` on: its last `most` bytes at most.
  [[nodiscard]] std::string log_since(std::uintmax_t from, std::size_t most) const;
  /// Where the log has grown past `most` bytes, keeps its last `kept` bytes alone, so
  /// that a plugin that prints without end does not fill the disk. Whether it did so.
  /// @throws Error kIo where the disk refuses
  [[nodiscard]] bool limit_log(std::uintmax_t most, std::size_t kept) const;

 private:
  void reap(int options);

  int log_ = -1;
  int descriptor_ = -1;
  pid_t pid_ = -1;
  bool running_ = false;
  int status_ = 0;
};

}  // namespace sizewise::running
