#include "progress_display.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reporting/terminal_report.hpp"

namespace sizewise::cli {
namespace {

constexpr std::chrono::milliseconds kBarPause{100};
constexpr std::chrono::seconds kLinePause{5};
constexpr int kBarCells = 12;
constexpr std::size_t kWidth = 79;

std::string bar_of(double share) {
  const auto full = static_cast<std::size_t>(std::lround(share * kBarCells));
  return "[" + std::string(full, '#') + std::string(kBarCells - full, '.') + "] ";
}

}  // namespace

ProgressDisplay::ProgressDisplay(Console& console, std::FILE* stream)
    : console_(console),
      stream_(stream),
      bar_(console.shows_progress_bar()),
      next_(std::chrono::steady_clock::now() +
            (bar_ ? std::chrono::milliseconds(0) : std::chrono::milliseconds(1000))) {}

ProgressDisplay::~ProgressDisplay() {
  clear();
}

std::string ProgressDisplay::line_of(const Progress& progress, bool with_bar) {
  // What is not finished is not at 100 %, however little is left.
  constexpr double kAlmost = 0.99;
  const double most = progress.trials_finished < progress.trials_planned ? kAlmost : 1.0;
  const double share =
      progress.flops_planned > 0
          ? std::clamp(progress.flops_finished / progress.flops_planned, 0.0, most)
          : 0;
  std::string line;
  if (with_bar) {
    line = bar_of(share);
  }
  line += fmt::format("{:3.0f} %  {}/{} trials",
                      100 * share,
                      progress.trials_finished,
                      progress.trials_planned);
  if (std::isfinite(progress.loss)) {
    line += fmt::format("  loss {:.3f}", progress.loss);
  }
  if (progress.units_per_second > 0) {
    line += fmt::format(
        "  {} {}s/s", reporting::short_count(progress.units_per_second), progress.unit);
  }
  if (progress.validating) {
    line += "  validating";
  } else if (std::isfinite(progress.seconds_left)) {
    line += fmt::format("  {} left", reporting::short_time(progress.seconds_left));
  }
  return line.substr(0, kWidth);
}

std::string ProgressDisplay::line_of(const StageProgress& progress, bool with_bar) {
  const double share = progress.total > 0
                           ? std::clamp(static_cast<double>(progress.done) /
                                            static_cast<double>(progress.total),
                                        0.0,
                                        1.0)
                           : 0;
  // Batches and layers are counted; bytes of a file are not worth reading.
  constexpr int64_t kMostCounted = 1'000'000;
  const std::string where = progress.total > kMostCounted
                                ? fmt::format("{:.0f} %", 100 * share)
                                : fmt::format("{}/{}", progress.done, progress.total);
  return fmt::format("{}{}  {}", with_bar ? bar_of(share) : "", progress.stage, where)
      .substr(0, kWidth);
}

bool ProgressDisplay::is_due() const {
  return !console_.quiet() && std::chrono::steady_clock::now() >= next_;
}

void ProgressDisplay::draw(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (bar_) {
    next_ = now + kBarPause;
    drawn_ = true;
    fmt::print(stream_, "\r\x1b[K{}", line);
    std::fflush(stream_);
  } else {
    next_ = now + kLinePause;
    console_.say(line);
  }
}

void ProgressDisplay::show(const Progress& progress) {
  if (is_due()) {
    draw(line_of(progress, bar_));
  }
}

void ProgressDisplay::show(const StageProgress& progress) {
  if (is_due()) {
    draw(line_of(progress, bar_));
  }
}

void ProgressDisplay::show(const TrialState& trial) {
  if (console_.quiet() || !bar_) {
    return;
  }
  clear();
  console_.say(fmt::format("size {:>6}  {:>8} parameters  {:>8} units  {}  {}",
                           trial.size,
                           reporting::short_count(trial.params.value()),
                           reporting::short_count(trial.tokens.value()),
                           std::isfinite(trial.loss)
                               ? fmt::format("loss {:.4f}", trial.loss)
                               : std::string("no loss"),
                           trial.status));
}

void ProgressDisplay::clear() {
  if (drawn_) {
    fmt::print(stream_, "\r\x1b[K");
    std::fflush(stream_);
    drawn_ = false;
  }
}

}  // namespace sizewise::cli
