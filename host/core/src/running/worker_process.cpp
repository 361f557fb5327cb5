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
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

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

int moved_up(int descriptor) {
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kLeastDescriptor);
  ::close(descriptor);
  return moved;
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
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    refuse_start(file, errno);
  }
  Descriptor ours(moved_up(ends[0]));
  const Descriptor theirs(moved_up(ends[1]));
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) {
    refuse_start(file, errno);
  }
  const Descriptor report_read(moved_up(report[0]));
  Descriptor report_write(moved_up(report[1]));
  const Descriptor silence(moved_up(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  Descriptor log(moved_up(open_log(program.log)));
  if (ours.get() < 0 || theirs.get() < 0 || report_read.get() < 0 ||
      report_write.get() < 0 || silence.get() < 0 || log.get() < 0) {
    refuse_start(file, errno);
  }
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
      theirs.get(),
      log.get(),
      silence.get(),
      report_write.get(),
      ::getpid()};
  pid_ = ::fork();
  if (pid_ == 0) {
    run_child(plan);
  }
  if (pid_ < 0) {
    refuse_start(file, errno);
  }
  running_ = true;
  ::setpgid(pid_, pid_);  // also here: whichever of the two comes first
  ::close(report_write.release());
  int reason = 0;
  ssize_t count = 0;
  do {
    count = ::read(report_read.get(), &reason, sizeof reason);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof reason) {
    reap(0);
    refuse_start(file, reason);
  }
  descriptor_ = ours.release();
  log_ = log.release();
}

WorkerProcess::~WorkerProcess() {
  kill();
  ::close(descriptor_);
  ::close(log_);
}

void WorkerProcess::reap(int options) {
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status_, options);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    running_ = false;
  }
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

void WorkerProcess::limit_log(std::uintmax_t most) const {
  if (log_size() > most && ::ftruncate(log_, 0) != 0) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("the worker's log cannot be emptied: {}", std::strerror(errno)));
  }
}

}  // namespace sizewise::running
