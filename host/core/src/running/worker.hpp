#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "running/worker_process.hpp"

namespace sizewise::running {

/// How many workers are given one request before it counts as failed.
constexpr int kMostAttempts = 2;

/// How a request ended.
enum class ReplyKind {
  kResult,    ///< the worker answered
  kRefusal,   ///< the worker answered with an error
  kDied,      ///< the worker's process ended first
  kTimedOut,  ///< no frame came for as long as allowed; the worker was killed
  kGarbled,   ///< what came is not the protocol; the worker was killed
};

/// The end of one request.
struct Reply {
  ReplyKind kind = ReplyKind::kResult;
  nlohmann::json result;
  std::optional<Error> error;  ///< for every kind but kResult

  /// Whether the worker can take another request.
  [[nodiscard]] bool worker_lives() const {
    return kind == ReplyKind::kResult || kind == ReplyKind::kRefusal;
  }
};

/// The longest silence allowed of a worker.
inline constexpr std::chrono::minutes kPatience{10};

/// What RunSettings::stop makes of a wait for a worker. Nothing went wrong.
class Stopped : public Error {
 public:
  Stopped() : Error(ErrorCode::kTraining, "it was told to stop") {}
};

/// Takes an event of the request under way.
using EventHandler = std::function<void(const nlohmann::json&)>;

/// How an answer is waited for.
struct Waiting {
  EventHandler on_event = {};
  std::function<void()> on_tick = {};              ///< about ten times a second
  std::chrono::milliseconds patience = kPatience;  ///< the longest silence allowed
  const std::atomic<bool>* stop = nullptr;         ///< borrowed; may be null
};

/// A worker program and the conversation with it: docs/worker-protocol.md. Requests go
/// one at a time. A worker that has died or was killed stays so; start another. [one
/// thread]
class Worker {
 public:
  /// Starts the program and sends `hello` without waiting for the answer, so that many
  /// workers start side by side. A worker that ends at once or speaks another version
  /// shows in the first request.
  /// @throws Error kInput or kIo where it cannot be started
  explicit Worker(const WorkerProgram& program);
  /// Asks the worker to shut down, waits briefly, then kills its process group.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The answer to `hello`; waits for it. [while no request is under way]
  /// @throws Error kPlugin where the worker speaks another version or ends (quoting its
  /// log)
  const nlohmann::json& greeting();

  /// Sends a request and waits for its end. `purpose` is for messages ("the check of size
  /// 64").
  /// @throws Stopped where `stop` becomes true; the worker is killed then
  Reply ask(std::string_view method,
            const nlohmann::json& params,
            std::string_view purpose,
            const Waiting& waiting = {});

  /// As ask(), for the answer alone.
  /// @throws the worker's own Error where it refuses; kPlugin where it dies, falls silent
  ///   for longer than allowed, or breaks the protocol; Stopped
  nlohmann::json call(std::string_view method,
                      const nlohmann::json& params,
                      std::string_view purpose = {},
                      const Waiting& waiting = {});

  /// Sends a request and returns; poll descriptor() for reading, then call receive().
  /// A worker that is gone shows in receive().
  /// @throws Error kInput where a text in `params` is not UTF-8
  void send(std::string_view method,
            const nlohmann::json& params,
            std::string_view purpose);
  [[nodiscard]] bool busy() const { return busy_; }
  /// Whether it is known to have ended: start another.
  [[nodiscard]] bool gone() const { return closed_; }
  [[nodiscard]] int descriptor() const { return process_.descriptor(); }
  /// Reads what has come, without waiting: events go to `on_event`; the end of the
  /// request, if it has come, is returned.
  std::optional<Reply> receive(const EventHandler& on_event);
  /// Time since the last frame of the request under way.
  [[nodiscard]] std::chrono::milliseconds silence() const;
  /// Kills a worker that was silent for too long, and says so.
  Reply give_up();
  /// Kills the worker's process group at once.
  void kill() { process_.kill(); }
  /// Keeps the end of its log alone where that has grown past `most` bytes.
  /// @throws Error kIo where the disk refuses
  void limit_log(std::uintmax_t most);

  [[nodiscard]] WorkerProcess& process() { return process_; }
  /// What the worker and its plugins printed since the request under way (or the last
  /// one) was sent: its last 64 KiB at most.
  [[nodiscard]] std::string request_log() const;

 private:
  void read_available();
  std::optional<std::string> take_frame();
  std::optional<Reply> take_reply(const EventHandler& on_event);
  std::optional<Reply> take_answer(const nlohmann::json& frame,
                                   const EventHandler& on_event);
  std::optional<Reply> take_greeting(const nlohmann::json& frame);
  Reply died();
  Reply garbled(std::string_view what);
  [[nodiscard]] std::string quoted_log() const;
  [[nodiscard]] std::string request_name() const;

  WorkerProcess process_;
  nlohmann::json greeting_;
  std::string buffer_;
  std::int64_t last_id_ = 0;
  bool busy_ = false;
  bool closed_ = false;  ///< nothing more can be read
  bool unsent_ = false;  ///< it did not take the request, so no answer will come
  std::string method_;
  std::string purpose_;
  std::uintmax_t log_start_ = 0;
  std::chrono::steady_clock::time_point last_frame_;
};

}  // namespace sizewise::running
