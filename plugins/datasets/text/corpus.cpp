#include "corpus.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include <fnmatch.h>

#include "sizewise/error.hpp"

namespace sizewise::datasets {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
  return path.filename().native().starts_with('.');
}

/// Paths from the folder of all files in it that are not hidden, in no certain order.
std::vector<std::string> all_files(const fs::path& folder) {
  std::vector<std::string> files;
  try {
    for (auto entry = fs::recursive_directory_iterator(folder);
         entry != fs::recursive_directory_iterator();
         ++entry) {
      if (is_hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file()) {
        files.push_back(entry->path().lexically_relative(folder).generic_string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo,
                "text: cannot read the folder " + error.path1().string() + ": " +
                    error.code().message(),
                "check that you may read it");
  }
  return files;
}

void append_file(const fs::path& file, std::string& bytes) {
  std::error_code fault;
  const auto size = fs::file_size(file, fault);
  std::ifstream stream(file, std::ios::binary);
  if (fault || !stream) {
    throw Error(ErrorCode::kIo,
                "text: cannot open " + file.string(),
                "check that it exists and that you may read it");
  }
  const std::size_t before = bytes.size();
  bytes.resize(before + size);
  stream.read(bytes.data() + before, static_cast<std::streamsize>(size));
  if (stream.bad() || stream.gcount() != static_cast<std::streamsize>(size)) {
    throw Error(ErrorCode::kIo,
                "text: read " + std::to_string(stream.gcount()) + " of " +
                    std::to_string(size) + " bytes of " + file.string(),
                "check the disk, and that nothing else is writing to the file");
  }
}

}  // namespace

bool matches(std::string_view patterns, const std::string& relative_path) {
  const std::string name = fs::path(relative_path).filename().string();
  while (true) {
    const std::size_t comma = patterns.find(',');
    const std::string pattern(patterns.substr(0, comma));
    const std::string& subject =
        pattern.find('/') == std::string::npos ? name : relative_path;
    if (fnmatch(pattern.c_str(), subject.c_str(), 0) == 0) {
      return true;
    }
    if (comma == std::string_view::npos) {
      return false;
    }
    patterns.remove_prefix(comma + 1);
  }
}

std::vector<fs::path> matching_files(const fs::path& folder, std::string_view patterns) {
  std::vector<std::string> names = all_files(folder);
  const std::size_t total = names.size();
  const std::string example = names.empty() ? "" : ", such as " + names.front();
  std::erase_if(names, [&](const std::string& name) {
    return !matches(patterns, name);
  });
  if (names.empty()) {
    throw Error(ErrorCode::kInput,
                "text: no file in " + folder.string() + " matches '" +
                    std::string(patterns) + "'; it has " + std::to_string(total) +
                    " files" + example,
                "set the option pattern to a glob that matches some, such as *.txt");
  }
  std::sort(names.begin(), names.end());
  std::vector<fs::path> files;
  files.reserve(names.size());
  for (const std::string& name : names) {
    files.push_back(folder / name);
  }
  return files;
}

std::string read_corpus(const fs::path& path, std::string_view patterns) {
  std::error_code fault;
  const fs::file_status status = fs::status(path, fault);
  if (!fs::is_regular_file(status) && !fs::is_directory(status)) {
    throw Error(ErrorCode::kInput,
                "text: " + path.string() +
                    (fs::exists(status) ? " is neither a file nor a folder"
                                        : " does not exist, or may not be read"),
                "set the option path to a text file or to a folder of them");
  }
  std::string bytes;
  if (fs::is_regular_file(status)) {
    append_file(path, bytes);
  } else {
    for (const fs::path& file : matching_files(path, patterns)) {
      append_file(file, bytes);
    }
  }
  if (bytes.empty()) {
    throw Error(ErrorCode::kInput,
                "text: " + path.string() + " holds no bytes",
                "set the option path to a file or folder with text in it");
  }
  return bytes;
}

}  // namespace sizewise::datasets
