#include "running/run_directory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "sizewise/error.hpp"

#include "planning/experiment_json.hpp"

namespace sizewise::running {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kExperiment = "experiment.json";
constexpr const char* kPlan = "plan.json";
constexpr const char* kLock = "lock";
constexpr const char* kResults = "results";
constexpr const char* kMetrics = "metrics";

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

/// "recipe.seed is 1, the run's is 0"; empty where both are equal.
std::string first_difference(const json& now,
                             const json& before,
                             const std::string& path) {
  if (now == before) {
    return {};
  }
  if (!now.is_object() || !before.is_object()) {
    return fmt::format("{} is {}, the run's is {}", path, now.dump(), before.dump());
  }
  for (const auto& item : now.items()) {
    const json other = before.value(item.key(), json());
    std::string found = first_difference(item.value(), other, join(path, item.key()));
    if (!found.empty()) {
      return found;
    }
  }
  for (const auto& item : before.items()) {
    if (!now.contains(item.key())) {
      return fmt::format(
          "{} is absent, the run's is {}", join(path, item.key()), item.value().dump());
    }
  }
  return {};
}

fs::path whole_path(const fs::path& folder) {
  std::error_code fault;
  const fs::path whole = fs::weakly_canonical(folder, fault);
  if (fault) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} cannot be reached: {}", folder.string(), fault.message()),
                "name another folder with --run-dir");
  }
  return whole;
}

std::string lock_owner(int lock) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(lock, text.data(), text.size() - 1, 0);
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count))
                   : "unknown";
}

}  // namespace

bool RunDirectory::exists(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kExperiment, ignored);
}

void RunDirectory::check_free(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) {
    return;
  }
  if (!fs::is_directory(folder, ignored)) {
    throw Error(ErrorCode::kInput,
                fmt::format("the run directory {} is a file", folder.string()),
                "name another folder with --run-dir");
  }
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name != kLock && name != kResults && name != kMetrics && name != kPlan &&
        name.front() != '.') {
      throw Error(ErrorCode::kInput,
                  fmt::format("the folder {} holds no run of Sizewise ({} is absent) and "
                              "is not empty: it has '{}'",
                              folder.string(),
                              kExperiment,
                              name),
                  "name an empty or new folder with --run-dir");
    }
  }
}

RunDirectory RunDirectory::open(const fs::path& folder) {
  RunDirectory directory = read(folder);
  directory.lock();
  remove_leftovers(directory.folder_);
  remove_leftovers(directory.folder_ / kResults);
  make_folder(directory.folder_ / kResults);
  make_folder(directory.folder_ / kMetrics);
  return directory;
}

RunDirectory RunDirectory::create(const fs::path& folder,
                                  const Experiment& experiment,
                                  const planning::Plan& plan) {
  if (!exists(folder)) {
    check_free(folder);
  }
  make_folder(folder);
  RunDirectory directory(whole_path(folder));
  directory.lock();
  // Only now is what the folder holds sure to stay.
  if (exists(folder)) {
    throw Error(ErrorCode::kIo,
                fmt::format("another program began a run in {} meanwhile",
                            directory.folder_.string()),
                "say the same again to continue that run, or name another folder with "
                "--run-dir");
  }
  check_free(folder);
  make_folder(directory.folder_ / kResults);
  make_folder(directory.folder_ / kMetrics);
  directory.experiment_ = experiment;
  planning::Plan whole = plan;
  whole.experiment = planning::experiment_hash(experiment);
  // experiment.json makes the folder a run, so it comes last.
  directory.save_plan(whole);
  commit_new(directory.folder_ / kExperiment, experiment.to_json() + "\n");
  return directory;
}

RunDirectory RunDirectory::read(const fs::path& folder) {
  std::error_code ignored;
  if (!exists(folder)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} is no run directory: {}",
                            folder.string(),
                            fs::is_directory(folder, ignored)
                                ? fmt::format("it has no {}", kExperiment)
                            : fs::exists(folder, ignored) ? "it is a file"
                                                          : "there is no such folder"),
                "begin a run with `sizewise find-optimal ... --run-dir DIR`");
  }
  RunDirectory directory(whole_path(folder));
  directory.load_experiment();
  return directory;
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : folder_(std::move(other.folder_)),
      experiment_(std::move(other.experiment_)),
      lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) {
    ::close(lock_);  // which unlocks
  }
}

void RunDirectory::lock() {
  const fs::path file = folder_ / kLock;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} cannot be written: {}", file.string(), strerror(errno)),
                "make the folder yours to write (chmod, chown), or choose another");
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    throw Error(
        ErrorCode::kIo,
        errno == EWOULDBLOCK
            ? fmt::format("another program (process {}) works in {}",
                          lock_owner(lock_),
                          folder_.string())
            : fmt::format("{} cannot be locked: {}", file.string(), strerror(errno)),
        "wait until it has ended, or work in another folder");
  }
  const std::string owner = std::to_string(::getpid());
  // For messages alone: what counts is the lock itself.
  if (::ftruncate(lock_, 0) == 0) {
    static_cast<void>(::pwrite(lock_, owner.data(), owner.size(), 0) < 0);
  }
}

void RunDirectory::load_experiment() {
  const fs::path file = folder_ / kExperiment;
  const std::string text = read_file(file);
  try {
    experiment_ = Experiment::from_json(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: {}", file.string(), error.message()),
                "restore the file, or begin a new run directory");
  }
}

void RunDirectory::check_same(const Experiment& experiment) const {
  const std::string difference =
      first_difference(planning::experiment_to_json(experiment),
                       planning::experiment_to_json(experiment_),
                       "");
  if (!difference.empty()) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("{} belongs to another experiment: {}", folder_.string(), difference),
        "name another folder with --run-dir, or continue that run with "
        "`sizewise run DIR`");
  }
}

planning::Plan RunDirectory::plan() const {
  const fs::path file = folder_ / kPlan;
  planning::Plan plan = planning::plan_from_text(read_file(file), file.string());
  if (plan.experiment != planning::experiment_hash(experiment_)) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{} was changed since the run began (its hash differs)",
                    (folder_ / kExperiment).string()),
        "restore the file; for another experiment, name another folder with --run-dir");
  }
  return plan;
}

void RunDirectory::save_plan(const planning::Plan& plan) const {
  replace_file(folder_ / kPlan, planning::plan_to_text(plan));
}

fs::path RunDirectory::result_file(std::string_view trial) const {
  return folder_ / kResults / fmt::format("{}.json", trial);
}

std::map<std::string, TrialResult> RunDirectory::results(
    const std::vector<planning::Trial>& trials,
    std::vector<std::string>& warnings) const {
  std::map<std::string, TrialResult> found;
  for (const planning::Trial& trial : trials) {
    const fs::path file = result_file(trial.id);
    if (found.contains(trial.id) || ::access(file.c_str(), F_OK) != 0) {
      continue;
    }
    try {
      found.emplace(trial.id, result_from_text(read_file(file), trial.id));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInput) {
        throw;
      }
      if (lock_ >= 0) {
        set_aside(trial.id, "damaged");
      }
      warnings.push_back(fmt::format("{}: {}; {}",
                                     file.string(),
                                     error.message(),
                                     lock_ >= 0 ? "it was set aside and the trial is "
                                                  "trained again"
                                                : "it is left out"));
    }
  }
  return found;
}

Commit RunDirectory::commit(const TrialResult& result) const {
  return commit_new(result_file(result.trial), result_to_text(result));
}

void RunDirectory::set_aside(std::string_view trial, std::string_view why) const {
  const fs::path from = result_file(trial);
  fs::path to;
  int number = 1;
  do {
    to = folder_ / kResults / fmt::format("{}.{}-{}", trial, why, number++);
  } while (::access(to.c_str(), F_OK) == 0);
  std::error_code fault;
  fs::rename(from, to, fault);
  if (fault) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} cannot be set aside: {}", from.string(), fault.message()),
                "choose a folder that you may write");
  }
}

void RunDirectory::save_runs(std::string_view csv) const {
  replace_file(runs_file(), csv);
}

void RunDirectory::save_law(std::string_view text) const {
  replace_file(law_file(), text);
}

void RunDirectory::save_outcome(std::string_view text) const {
  replace_file(outcome_file(), text);
}

void RunDirectory::remove_outcome() const {
  std::error_code fault;
  fs::remove(outcome_file(), fault);  // most often there is none, and that is no fault
  if (fault) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("{} cannot be removed: {}", outcome_file().string(), fault.message()),
        "choose a folder that you may write");
  }
}

void RunDirectory::save_log(std::string_view trial, std::string_view text) const {
  if (!text.empty()) {
    make_folder(folder_ / "logs");
    replace_file(folder_ / "logs" / fmt::format("{}.log", trial), text);
  }
}

fs::path RunDirectory::metrics_file(std::string_view trial) const {
  return folder_ / kMetrics / fmt::format("{}.jsonl", trial);
}

}  // namespace sizewise::running
