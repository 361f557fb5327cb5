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
    const auto full = static_cast<std::size_t>(std::lround(share * kBarCells));
    line = "[" + std::string(full, '#') + std::string(kBarCells - full, '.') + "] ";
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

void ProgressDisplay::show(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (console_.quiet() || now < next_) {
    return;
  }
  if (bar_) {
    next_ = now + kBarPause;
    drawn_ = true;
    fmt::print(stream_, "\r\x1b[K{}", line_of(progress, true));
    std::fflush(stream_);
  } else {
    next_ = now + kLinePause;
    console_.say(line_of(progress, false));
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
