#pragma once

#include <chrono>

#include "serving/worker.hpp"

namespace sizewise::serving {

/// Tells the host, at most once a second, that a long request is still being worked on.
class Heartbeat {
 public:
  /// The sink must live as long as this.
  explicit Heartbeat(const EventSink& send_event) : send_event_(send_event) {}

  void beat();

 private:
  const EventSink& send_event_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace sizewise::serving
