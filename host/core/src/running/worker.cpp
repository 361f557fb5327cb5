#include "running/worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "running/wire.hpp"
#include "tables/json_values.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kHelloId = 1;
constexpr milliseconds kHelloPatience{60'000};
constexpr milliseconds kEndingPatience{2'000};
constexpr milliseconds kSendPatience{30'000};
constexpr milliseconds kTick{100};
constexpr std::size_t kMostLastWords = std::size_t{64} * 1024;
constexpr std::size_t kMostQuotedLines = 5;

/// Waits until the descriptor is ready; false where it is not in time.
bool wait_for(int descriptor, short events, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    pollfd entry{descriptor, events, 0};
    const int count =
        ::poll(&entry, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (count > 0) {
      return true;
    }
    if (count == 0 || errno != EINTR) {
      return false;
    }
  }
}

/// False where the other side is gone or does not read. No SIGPIPE.
bool send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_for(descriptor, POLLOUT, kSendPatience)) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::string request_text(std::int64_t id, std::string_view method, const json& params) {
  try {
    return json{{"id", id}, {"method", method}, {"params", params}}.dump();
  } catch (const json::type_error&) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("the request `{}` holds a path or an option that is not UTF-8",
                    method),
        "give files and folders names in UTF-8");
  }
}

Error error_of(const json& fields) {
  return {error_code_from_string(fields.value("code", "internal")),
          fields.value("message", "the worker gave no message"),
          fields.value("suggestion", "")};
}

}  // namespace

Worker::Worker(const WorkerProgram& program) : process_(program) {
  send("hello", {{"protocol", kProtocolVersion}}, "its start");
}

const json& Worker::greeting() {
  const auto patience = [&] {
    return std::max(milliseconds(1), kHelloPatience - silence());
  };
  while (greeting_.is_null()) {
    std::optional<Reply> reply = receive({});
    if (!reply && silence() >= kHelloPatience) {
      reply = give_up();
    }
    if (reply && reply->error) {
      throw Error(*reply->error);
    }
    if (!reply) {
      wait_for(process_.descriptor(), POLLIN, patience());
    }
  }
  return greeting_;
}

Worker::~Worker() {
  if (!closed_ && !unsent_ && !busy_) {
    constexpr milliseconds kFarewell{500};
    send_all(process_.descriptor(),
             frame_of(json{
                 {"id", ++last_id_}, {"method", "shutdown"}, {"params", json::object()}}
                          .dump()));
    ::shutdown(process_.descriptor(), SHUT_WR);
    static_cast<void>(process_.ending(kFarewell));
  }
}

Reply Worker::ask(std::string_view method,
                  const json& params,
                  std::string_view purpose,
                  const Waiting& waiting) {
  send(method, params, purpose);
  for (;;) {
    std::optional<Reply> reply = receive(waiting.on_event);
    if (reply) {
      return std::move(*reply);
    }
    if (waiting.stop != nullptr && waiting.stop->load()) {
      give_up();
      throw Stopped();
    }
    if (silence() >= waiting.patience) {
      return give_up();
    }
    if (waiting.on_tick) {
      waiting.on_tick();
    }
    const milliseconds left = waiting.patience - silence();
    wait_for(process_.descriptor(), POLLIN, std::clamp(left, milliseconds(1), kTick));
  }
}

json Worker::call(std::string_view method,
                  const json& params,
                  std::string_view purpose,
                  const Waiting& waiting) {
  Reply reply = ask(method, params, purpose, waiting);
  if (reply.error) {
    throw Error(*reply.error);
  }
  return std::move(reply.result);
}

void Worker::send(std::string_view method, const json& params, std::string_view purpose) {
  method_ = method;
  purpose_ = purpose;
  last_frame_ = steady_clock::now();
  const std::uintmax_t log_start = process_.log_size();
  const std::string frame = frame_of(request_text(++last_id_, method, params));
  busy_ = true;
  unsent_ = closed_ || !send_all(process_.descriptor(), frame);
  if (!unsent_) {
    // Otherwise what it printed before it went is what explains it.
    log_start_ = log_start;
  }
}

void Worker::read_available() {
  std::array<char, 65536> part{};
  // Bounded, so that a worker that writes without end cannot hold the host here.
  for (int reads = 0; reads < 64 && !closed_; ++reads) {
    const ssize_t count =
        ::recv(process_.descriptor(), part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0) {
      buffer_.append(part.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      closed_ = true;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

std::optional<std::string> Worker::take_frame() {
  if (buffer_.size() < kFrameHeaderBytes) {
    return std::nullopt;
  }
  const std::size_t length = frame_length(buffer_);
  if (buffer_.size() < kFrameHeaderBytes + length) {
    return std::nullopt;
  }
  std::string payload = buffer_.substr(kFrameHeaderBytes, length);
  buffer_.erase(0, kFrameHeaderBytes + length);
  return payload;
}

std::optional<Reply> Worker::receive(const EventHandler& on_event) {
  read_available();
  try {
    std::optional<Reply> reply = take_reply(on_event);
    if (reply || !(closed_ || unsent_)) {
      return reply;
    }
    return died();
  } catch (const json::exception& fault) {
    return garbled(fmt::format("a frame that is no JSON of the protocol: {}",
                               tables::json_fault(fault)));
  }
}

std::optional<Reply> Worker::take_reply(const EventHandler& on_event) {
  while (!buffer_.empty()) {
    if (buffer_.size() >= kFrameHeaderBytes &&
        frame_length(buffer_) > kLargestFrameBytes) {
      return garbled(
          fmt::format("a frame of {} bytes was announced; the longest allowed "
                      "is {}",
                      frame_length(buffer_),
                      kLargestFrameBytes));
    }
    const std::optional<std::string> payload = take_frame();
    if (!payload) {
      return std::nullopt;
    }
    const json frame = json::parse(*payload);
    last_frame_ = steady_clock::now();
    std::optional<Reply> reply =
        greeting_.is_null() ? take_greeting(frame) : take_answer(frame, on_event);
    if (reply) {
      return reply;
    }
  }
  return std::nullopt;
}

std::optional<Reply> Worker::take_answer(const json& frame,
                                         const EventHandler& on_event) {
  if (!frame.is_object() || frame.value("id", json()) != last_id_) {
    return garbled(fmt::format("a frame that answers no request: {:.200}", frame.dump()));
  }
  if (frame.contains("result")) {
    busy_ = false;
    return Reply{ReplyKind::kResult, frame.at("result"), std::nullopt};
  }
  if (frame.contains("error")) {
    busy_ = false;
    return Reply{ReplyKind::kRefusal, {}, error_of(frame.at("error"))};
  }
  if (!frame.contains("event")) {
    return garbled(fmt::format("neither result, error nor event: {:.200}", frame.dump()));
  }
  if (on_event) {
    on_event(frame);
  }
  return std::nullopt;
}

std::optional<Reply> Worker::take_greeting(const json& frame) {
  if (!frame.is_object() || frame.value("id", json()) != kHelloId) {
    return garbled(fmt::format("a frame that answers no request: {:.200}", frame.dump()));
  }
  if (frame.contains("error")) {
    return garbled(error_of(frame.at("error")).message());
  }
  greeting_ = frame.at("result");
  const json version = greeting_.value("protocol", json());
  if (version != kProtocolVersion) {
    return garbled(fmt::format("it speaks protocol {}; this program speaks {}",
                               version.dump(),
                               kProtocolVersion));
  }
  if (last_id_ == kHelloId) {
    busy_ = false;
    return Reply{ReplyKind::kResult, greeting_, std::nullopt};
  }
  return std::nullopt;
}

milliseconds Worker::silence() const {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - last_frame_);
}

Reply Worker::give_up() {
  process_.kill();
  busy_ = false;
  closed_ = true;
  return {ReplyKind::kTimedOut,
          {},
          Error(ErrorCode::kPlugin,
                fmt::format(
                    "the worker said nothing for {} s during {} and was killed{}",
                    std::chrono::duration_cast<std::chrono::seconds>(silence()).count(),
                    request_name(),
                    quoted_log()),
                "look for an endless loop or a lock in the plugin")};
}

Reply Worker::died() {
  std::optional<std::string> ending = process_.ending(kEndingPatience);
  if (!ending) {
    process_.kill();
    ending = "closed its connection";
  }
  busy_ = false;
  closed_ = true;
  if (request_log().empty()) {
    log_start_ = 0;  // what it printed before may say why
  }
  return {
      ReplyKind::kDied,
      {},
      Error(
          ErrorCode::kPlugin,
          fmt::format("the worker {} during {}{}", *ending, request_name(), quoted_log()),
          ending->find("SIGKILL") != std::string::npos
              ? "something else killed it, as the system does where memory runs out: try "
                "a smaller model or batch, or fewer workers at a time (--jobs)"
              : "run the request by hand under a debugger: sizewise-worker --request "
                "FILE "
                "(docs/worker-protocol.md)")};
}

Reply Worker::garbled(std::string_view what) {
  process_.kill();
  busy_ = false;
  closed_ = true;
  return {ReplyKind::kGarbled,
          {},
          Error(ErrorCode::kPlugin,
                fmt::format("the worker broke the protocol during {}: {}{}",
                            request_name(),
                            what,
                            quoted_log()),
                "use the worker that was installed with this program")};
}

void Worker::limit_log(std::uintmax_t most) {
  if (process_.limit_log(most, kMostLastWords)) {
    log_start_ = 0;
  }
}

std::string Worker::request_log() const {
  return process_.log_since(log_start_, kMostLastWords);
}

std::string Worker::request_name() const {
  return purpose_.empty() ? fmt::format("`{}`", method_)
                          : fmt::format("`{}` of {}", method_, purpose_);
}

std::string Worker::quoted_log() const {
  std::string text = request_log();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  std::size_t start = text.size();
  for (std::size_t lines = 0; lines < kMostQuotedLines && start != 0; ++lines) {
    const std::size_t newline = text.rfind('\n', start - 1);
    start = newline == std::string::npos ? 0 : newline;
  }
  text.erase(0, start);
  return text.empty() ? std::string()
                      : fmt::format("; its log ends: {}",
                                    text.front() == '\n' ? text.substr(1) : text);
}

}  // namespace sizewise::running
