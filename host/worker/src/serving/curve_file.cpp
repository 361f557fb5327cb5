#include "serving/curve_file.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "tables/json_values.hpp"

namespace sizewise::serving {

CurveFile::CurveFile(std::filesystem::path path) : path_(std::move(path)), file_(path_) {
  check();
}

void CurveFile::add(const training::CurvePoint& point) {
  file_ << nlohmann::json{{"step", point.step},
                          {"tokens", point.tokens},
                          {"loss", tables::number_or_null(point.loss)},
                          {"learning_rate", point.learning_rate},
                          {"seconds", point.seconds}}
        << '\n'
        << std::flush;
  check();
}

void CurveFile::finish(const training::TrialResult& result) {
  file_ << nlohmann::json{{"step", result.steps},
                          {"tokens", result.tokens},
                          {"validation_loss", tables::number_or_null(result.loss)},
                          {"seconds", result.seconds}}
        << '\n'
        << std::flush;
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
