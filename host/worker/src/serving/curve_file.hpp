#pragma once

#include <filesystem>
#include <fstream>

#include "training/trial.hpp"

namespace sizewise::serving {

/// The learning curve of a trial as JSON lines: a line for each point, then one with the
/// validation loss.
class CurveFile {
 public:
  /// Begins the file anew. @throws Error kIo where it cannot be written
  explicit CurveFile(std::filesystem::path path);

  /// @throws Error kIo where the line cannot be written
  void add(const training::CurvePoint& point);
  void finish(const training::TrialResult& result);

 private:
  void check() const;

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace sizewise::serving
