#include "running/worker_pool.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

namespace sizewise::running {
namespace {

using nlohmann::json;
using planning::Trial;

constexpr int kTickMilliseconds = 100;
/// A worker's log is emptied beyond this, so that a plugin that prints without end costs
/// no memory.
constexpr std::uintmax_t kMostLogBytes = std::uintmax_t{16} << 20U;

}  // namespace

bool WorkerPool::stopped() const {
  return settings_.stop != nullptr && settings_.stop->load();
}

Worker& WorkerPool::idle_worker() {
  if (slots_.empty()) {
    slots_.resize(1);
  }
  Slot& slot = slots_.front();
  if (slot.worker == nullptr || slot.worker->gone()) {
    slot.worker = std::make_unique<Worker>(settings_.program);
  }
  return *slot.worker;
}

bool WorkerPool::run(const json& setting,
                     std::vector<Trial> trials,
                     const PoolListener& listener) {
  std::stable_sort(
      trials.begin(), trials.end(), [](const Trial& left, const Trial& right) {
        return left.flops() > right.flops();
      });
  waiting_.clear();
  for (Trial& trial : trials) {
    waiting_.push_back({std::move(trial), 0});
  }
  slots_.resize(
      std::max(slots_.size(),
               std::min(static_cast<std::size_t>(settings_.jobs), waiting_.size())));
  const auto at_work = [&] {
    return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
      return slot.task.has_value();
    });
  };
  while (!waiting_.empty() || at_work()) {
    for (Slot& slot : slots_) {
      if (!slot.task && !waiting_.empty()) {
        hand_out(slot, setting, listener);
      }
    }
    wait();
    if (stopped()) {
      kill_all();
      return false;
    }
    for (Slot& slot : slots_) {
      if (slot.task) {
        listen(slot, listener);
      }
    }
    listener.tick();
  }
  return true;
}

void WorkerPool::hand_out(Slot& slot, const json& setting, const PoolListener& listener) {
  if (slot.worker == nullptr || slot.worker->gone()) {
    slot.worker = std::make_unique<Worker>(settings_.program);
  }
  slot.task = std::move(waiting_.front());
  waiting_.pop_front();
  ++slot.task->attempts;
  const Trial& trial = slot.task->trial;
  json params = setting;
  params["size"] = trial.size;
  params["tokens"] = trial.tokens;
  params["output"] = nullptr;
  params["metrics"] = listener.metrics_file(trial);
  slot.worker->send(
      "train", params, fmt::format("trial {} (size {})", trial.id, trial.size));
}

void WorkerPool::listen(Slot& slot, const PoolListener& listener) {
  std::optional<Reply> reply = slot.worker->receive([&](const json& event) {
    listener.progress(slot.task->trial, event);
  });
  if (!reply && slot.worker->silence() > settings_.patience) {
    reply = slot.worker->give_up();
  }
  if (reply) {
    conclude(slot, std::move(*reply), listener);
  }
  slot.worker->limit_log(kMostLogBytes);
}

void WorkerPool::conclude(Slot& slot, Reply reply, const PoolListener& listener) {
  Task task = std::move(*slot.task);
  slot.task.reset();
  const std::string log = slot.worker->request_log();
  std::optional<Error> fault = reply.error;
  if (!fault) {
    try {
      listener.finished(task.trial, result_from_answer(task.trial, reply.result), log);
      return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kPlugin) {
        throw;
      }
      fault = error;
    }
  }
  if (fault->code() == ErrorCode::kIo) {
    throw Error(*fault);
  }
  const bool again = !reply.worker_lives() && task.attempts < kMostAttempts;
  listener.warning(fmt::format("trial {} (size {}) {}: {}",
                               task.trial.id,
                               task.trial.size,
                               again ? "is tried once more" : "failed",
                               fault->message()));
  if (again) {
    waiting_.push_front(std::move(task));
  } else {
    listener.finished(task.trial, failed_result(task.trial, fault->message()), log);
  }
}

void WorkerPool::wait() {
  std::vector<pollfd> entries;
  for (const Slot& slot : slots_) {
    if (slot.task) {
      entries.push_back({slot.worker->descriptor(), POLLIN, 0});
    }
  }
  ::poll(entries.data(), entries.size(), kTickMilliseconds);
}

void WorkerPool::kill_all() {
  slots_.clear();
  waiting_.clear();
}

}  // namespace sizewise::running
