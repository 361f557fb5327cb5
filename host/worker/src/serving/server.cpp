#include "serving/server.hpp"

#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "running/wire.hpp"
#include "serving/worker.hpp"
#include "tables/json_values.hpp"
#include "training/guarded.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

/// Texts of plugins may hold bytes that are no UTF-8.
std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The answer to one request, an error included.
json answer_request(Worker& worker, const json& request, const EventSink& send_event) {
  try {
    return {{"result",
             worker.answer(request.at("method").get<std::string>(),
                           request.value("params", json::object()),
                           send_event)}};
  } catch (const json::exception& error) {
    return {{"error",
             tables::error_to_json(Error(
                 ErrorCode::kConfiguration,
                 fmt::format("the request is not as the protocol says: {}", error.what()),
                 "see docs/worker-protocol.md"))}};
  } catch (...) {
    return {{"error", tables::error_to_json(training::error_in_flight())}};
  }
}

json parse_request(const std::string& text, std::string_view source) {
  json request = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object() || !request.contains("method") ||
      !request.at("method").is_string()) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            R"({} is no request: needed is a JSON object with "method" and "params")",
            source),
        "see docs/worker-protocol.md");
  }
  return request;
}

}  // namespace

void serve(int read_descriptor, int write_descriptor) {
  Worker worker;
  while (const std::optional<std::string> frame = running::read_frame(read_descriptor)) {
    const json request = parse_request(*frame, "a frame");
    const json id = request.value("id", json());
    const EventSink send_event = [&](const json& event) {
      json frame_of_event = event;
      frame_of_event["id"] = id;
      running::write_frame(write_descriptor, to_text(frame_of_event));
    };
    json answer = answer_request(worker, request, send_event);
    answer["id"] = id;
    // What plugins printed belongs to this request, not to the next one.
    std::fflush(nullptr);
    running::write_frame(write_descriptor, to_text(answer));
    if (request.at("method") == "shutdown") {
      return;
    }
  }
}

std::string answer_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorCode::kInput, fmt::format("{}: cannot be read", path.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json request = parse_request(text, path.string());
  Worker worker;
  const json result = worker.answer(request.at("method").get<std::string>(),
                                    request.value("params", json::object()),
                                    [](const json& event) {
                                      const std::string line = to_text(event) + "\n";
                                      std::fwrite(line.data(), 1, line.size(), stderr);
                                    });
  return result.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace sizewise::serving
