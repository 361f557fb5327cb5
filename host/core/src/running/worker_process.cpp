#include "running/worker_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sizewise/error.hpp"

namespace sizewise::running {
namespace {

namespace fs = std::filesystem;

constexpr int kWorkerReads = 3;
constexpr int kWorkerWrites = 4;
/// Descriptors of ours are moved here, so that putting one on 3 or 4 covers none.
constexpr int kLeastDescriptor = 10;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }
  void close() { ::close(release()); }

 private:
  int value_;
};

[[noreturn]] void refuse_start(const fs::path& program, int reason) {
  throw Error(
      reason == ENOENT || reason == EACCES || reason == ENOEXEC ? ErrorCode::kInput
                                                                : ErrorCode::kIo,
      fmt::format(
          "the worker {} cannot be started: {}", program.string(), std::strerror(reason)),
      "name a worker with --worker FILE or SIZEWISE_WORKER, or install Sizewise again");
}

/// Takes a descriptor out of the way of the worker's own ones.
Descriptor moved_up(int descriptor, const fs::path& program) {
  if (descriptor < 0) {
    refuse_start(program, errno);
  }
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kLeastDescriptor);
  const int reason = errno;
  ::close(descriptor);
  if (moved < 0) {
    refuse_start(program, reason);
  }
  return Descriptor(moved);
}

/// Two descriptors that belong together.
struct Ends {
  Descriptor first;
  Descriptor second;
};

Ends make_socket(const fs::path& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    refuse_start(program, errno);
  }
  return {moved_up(ends[0], program), moved_up(ends[1], program)};
}

Ends make_pipe(const fs::path& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    refuse_start(program, errno);
  }
  return {moved_up(ends[0], program), moved_up(ends[1], program)};
}

/// The errno of an exec that failed; 0 once the worker's program runs.
int exec_fault(const Descriptor& report) {
  int reason = 0;
  ssize_t count = 0;
  do {
    count = ::read(report.get(), &reason, sizeof reason);
  } while (count < 0 && errno == EINTR);
  return count == sizeof reason ? reason : 0;
}

/// What the child needs, made before fork(): after it only async-signal-safe calls are
/// allowed.
struct ChildPlan {
  const char* program = nullptr;
  char* const* arguments = nullptr;
  const char* working_folder = nullptr;  ///< null: stay
  int channel = -1;
  int log = -1;
  int silence = -1;  ///< /dev/null
  int report = -1;   ///< errno of a failed exec goes here
  pid_t parent = -1;
};

void prepare_child(const ChildPlan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) {
    ::_exit(127);  // the host died before the line above could ask for a signal
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) {
    ::signal(number, SIG_DFL);
  }
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  prepare_child(plan);
  const bool ready =
      ::dup2(plan.silence, STDIN_FILENO) >= 0 && ::dup2(plan.log, STDOUT_FILENO) >= 0 &&
      ::dup2(plan.log, STDERR_FILENO) >= 0 && ::dup2(plan.channel, kWorkerReads) >= 0 &&
      ::dup2(plan.channel, kWorkerWrites) >= 0 &&
      (plan.working_folder == nullptr || ::chdir(plan.working_folder) == 0);
  if (ready) {
    ::execv(plan.program, plan.arguments);
  }
  const int reason = errno;
  const ssize_t told = ::write(plan.report, &reason, sizeof reason);
  ::_exit(told == sizeof reason ? 126 : 127);
}

std::string signal_text(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number)
                         : fmt::format("signal {} (SIG{})", number, name);
}

/// Appended to by the child and read here.
int open_log(const fs::path& log) {
  const int opened =
      log.empty() ? ::memfd_create("worker log", MFD_CLOEXEC)
                  : ::open(log.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (opened < 0 || ::fcntl(opened, F_SETFL, O_APPEND) != 0) {
    throw Error(ErrorCode::kIo,
                fmt::format("the worker's log {} cannot be written: {}",
                            log.string(),
                            std::strerror(errno)),
                "check that the folder exists, is yours, and has room");
  }
  return opened;
}

fs::path library_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&find_worker_program), &info) == 0) {
    return {};
  }
  std::error_code ignored;
  return fs::canonical(info.dli_fname, ignored).parent_path();
}

}  // namespace

fs::path find_worker_program(const fs::path& given) {
  const char* from_environment = std::getenv("SIZEWISE_WORKER");
  std::vector<fs::path> places;
  if (!given.empty()) {
    places = {given};
  } else if (from_environment != nullptr && *from_environment != '\0') {
    places = {from_environment};
  } else {
    std::error_code ignored;
    const fs::path self = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    places = {self / "sizewise-worker",
              self.parent_path() / "bin" / "sizewise-worker",
              library_folder().parent_path() / "bin" / "sizewise-worker"};
  }
  for (const fs::path& place : places) {
    std::error_code ignored;
    if (fs::is_regular_file(place, ignored)) {
      return fs::absolute(place);
    }
  }
  std::string tried;
  for (const fs::path& place : places) {
    tried += (tried.empty() ? "" : ", ") + place.string();
  }
  throw Error(
      ErrorCode::kInput,
      fmt::format("there is no worker program; looked at {}", tried),
      "name one with --worker FILE or SIZEWISE_WORKER, or install Sizewise again");
}

WorkerProcess::WorkerProcess(const WorkerProgram& program) {
  const fs::path file = find_worker_program(program.program);
  Ends channel = make_socket(file);
  Ends report = make_pipe(file);
  const Descriptor silence = moved_up(::open("/dev/null", O_RDONLY | O_CLOEXEC), file);
  Descriptor log = moved_up(open_log(program.log), file);
  std::vector<std::string> words = {file.string(),
                                    "--read-fd",
                                    std::to_string(kWorkerReads),
                                    "--write-fd",
                                    std::to_string(kWorkerWrites)};
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const ChildPlan plan{
      words.front().c_str(),
      arguments.data(),
      program.working_folder.empty() ? nullptr : program.working_folder.c_str(),
      channel.second.get(),
      log.get(),
      silence.get(),
      report.second.get(),
      ::getpid()};
  // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): needs what stands above.
  pid_ = ::fork();
  if (pid_ == 0) {
    run_child(plan);
  }
  if (pid_ < 0) {
    refuse_start(file, errno);
  }
  running_ = true;
  ::setpgid(pid_, pid_);  // also here: whichever of the two comes first
  report.second.close();
  if (const int reason = exec_fault(report.first); reason != 0) {
    reap(0);
    refuse_start(file, reason);
  }
  descriptor_ = channel.first.release();
  log_ = log.release();
}

WorkerProcess::~WorkerProcess() {
  kill();
  ::close(descriptor_);
  ::close(log_);
}

void WorkerProcess::reap(int options) {
  siginfo_t facts{};
  int result = 0;
  do {
    result =
        ::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED | WNOWAIT | options);
  } while (result < 0 && errno == EINTR);
  if (result == 0 && facts.si_pid == 0) {
    return;  // it still runs
  }
  // Before the process is waited for, since until then no other process and no other
  // group can have its number.
  ::kill(-pid_, SIGKILL);
  do {
    result = ::waitpid(pid_, &status_, 0);
  } while (result < 0 && errno == EINTR);
  running_ = false;
}

std::optional<std::string> WorkerProcess::ending(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{2};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (running_) {
    reap(WNOHANG);
    if (!running_) {
      break;
    }
    if (std::chrono::steady_clock::now() >= until) {
      return std::nullopt;
    }
    std::this_thread::sleep_for(kPause);
  }
  return WIFSIGNALED(status_)
             ? "died by " + signal_text(WTERMSIG(status_))
             : fmt::format("exited with status {}", WEXITSTATUS(status_));
}

void WorkerProcess::kill() {
  if (pid_ <= 0) {
    return;
  }
  if (running_) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    reap(0);
  }
}

std::uintmax_t WorkerProcess::log_size() const {
  struct stat facts{};
  return ::fstat(log_, &facts) == 0 ? static_cast<std::uintmax_t>(facts.st_size) : 0;
}

std::string WorkerProcess::log_since(std::uintmax_t from, std::size_t most) const {
  const std::uintmax_t size = log_size();
  if (size <= from) {
    return {};
  }
  const std::uintmax_t length = std::min<std::uintmax_t>(size - from, most);
  std::string text(length, '\0');
  const ssize_t count =
      ::pread(log_, text.data(), text.size(), static_cast<off_t>(size - length));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

bool WorkerProcess::limit_log(std::uintmax_t most, std::size_t kept) const {
  if (log_size() <= most) {
    return false;
  }
  const std::string end = log_since(0, kept);
  if (::ftruncate(log_, 0) != 0 ||
      ::write(log_, end.data(), end.size()) != static_cast<ssize_t>(end.size())) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("the worker's log cannot be cut short: {}", std::strerror(errno)),
        "make room on the disk that holds it");
  }
  return true;
}

}  // namespace sizewise::running
