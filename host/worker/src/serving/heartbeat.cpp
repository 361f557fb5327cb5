#include "serving/heartbeat.hpp"

#include <nlohmann/json.hpp>

namespace sizewise::serving {

void Heartbeat::beat() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ >= std::chrono::seconds(1)) {
    last_ = now;
    send_event_({{"event", "alive"}});
  }
}

}  // namespace sizewise::serving
