#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "sizewise/host.hpp"

#include "console.hpp"

namespace sizewise::cli {

/// Shows progress on standard error: on a terminal a bar that is redrawn, otherwise a
/// line every few seconds; under --quiet nothing.
class ProgressDisplay {
 public:
  /// @param stream where to write; @param console is borrowed and says how
  ProgressDisplay(Console& console, std::FILE* stream);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const Progress& progress);
  void show(const TrialState& trial);
  void show(const StageProgress& progress);
  /// Takes the bar away, so that a line can be written.
  void clear();

  /// One line of at most 79 columns: trials, share, loss, speed, time left.
  [[nodiscard]] static std::string line_of(const Progress& progress, bool with_bar);
  /// The same of a quantization: the stage and how far it is.
  [[nodiscard]] static std::string line_of(const StageProgress& progress, bool with_bar);

 private:
  /// Whether it is time to show something again.
  [[nodiscard]] bool is_due() const;
  void draw(const std::string& line);

  Console& console_;
  std::FILE* stream_;
  bool bar_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace sizewise::cli
