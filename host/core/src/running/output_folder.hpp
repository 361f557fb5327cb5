#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sizewise::running {

/// The folder that a program writes its result into: made before anything is spent. Where
/// the result did not become whole, what was written of it is taken away again, and the
/// folders that were made for it; whatever else lies there stays. No other program writes
/// into it meanwhile.
class OutputFolder {
 public:
  /// @param files the names of the result's files, in the order in which they are
  /// written: the last one says that the result is whole
  /// @throws Error kIo where the folder cannot be made or written, or another program
  /// holds it
  OutputFolder(std::filesystem::path folder, std::vector<std::string> files);
  ~OutputFolder();

  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  void take_away() const;
  void close();

  std::filesystem::path folder_;
  std::vector<std::string> files_;
  std::vector<std::filesystem::path>
      made_;  ///< folders that were not there; inmost first
  int lock_;
};

}  // namespace sizewise::running
