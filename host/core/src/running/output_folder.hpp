#pragma once

#include <filesystem>
#include <string>

namespace sizewise::running {

/// The folder that a program writes its result into: made before anything is spent, and
/// taken away again where the result did not become whole. No other program writes into it
/// meanwhile.
class OutputFolder {
 public:
  /// @param last_file the name of the file that is written last, and so says that the
  /// result is whole
  /// @throws Error kIo where the folder cannot be made or written, or another program
  /// holds it
  OutputFolder(std::filesystem::path folder, std::string last_file);
  ~OutputFolder();

  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  void close();
  void take_away();

  std::filesystem::path folder_;
  std::string last_file_;
  bool was_there_;
  int lock_;
};

}  // namespace sizewise::running
