#include "serving/curve_file.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "serving/fields.hpp"

namespace sizewise::serving {

CurveFile::CurveFile(std::filesystem::path path) : path_(std::move(path)), file_(path_) {
  check();
}

void CurveFile::add(const training::CurvePoint& point) {
  file_ << nlohmann::json{{"step", point.step},
                          {"tokens", point.tokens},
                          {"loss", finite_or_null(point.loss)},
                          {"learning_rate", point.learning_rate},
                          {"seconds", point.seconds}}
        << std::endl;
  check();
}

void CurveFile::finish(const training::TrialResult& result) {
  file_ << nlohmann::json{{"step", result.steps},
                          {"tokens", result.tokens},
                          {"validation_loss", finite_or_null(result.loss)},
                          {"seconds", result.seconds}}
        << std::endl;
  check();
}

void CurveFile::check() const {
  if (!file_) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)),
        "check that its folder exists, may be written to and is not full");
  }
}

}  // namespace sizewise::serving
