#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loading/build_tag_check.hpp"
#include "loading/elf_file.hpp"
#include "loading/plugin_catalog.hpp"
#include "loading/refusal.hpp"

namespace sizewise::loading {
namespace {

/// A descriptor of the system, closed at the end.
class OpenFile {
 public:
  /// Does not wait where the path is a FIFO without a writer.
  explicit OpenFile(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) {
      refuse("E_OPEN",
             fmt::format("it cannot be opened: {}", std::strerror(errno)),
             "check the path, and that you may read the file");
    }
  }
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[nodiscard]] struct stat status() const {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) {
      refuse("E_OPEN", fmt::format("it cannot be examined: {}", std::strerror(errno)));
    }
    return status;
  }

  [[nodiscard]] std::string read(uint64_t offset, std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::pread(descriptor_,
                                  bytes.data() + done,
                                  count - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        refuse("E_OPEN", fmt::format("it cannot be read: {}", std::strerror(errno)));
      }
      if (got == 0) {
        refuse("E_TRUNCATED",
               fmt::format("it ended at byte {} while it was read", offset + done),
               "wait until the file is written");
      }
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }

 private:
  int descriptor_;
};

bool is_world_writable(const struct stat& status) {
  return (status.st_mode & static_cast<unsigned>(S_IWOTH)) != 0;
}

/// Anyone who may write the folder can put code of their own in the plugin's place.
void check_folder(const std::filesystem::path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) == 0 && is_world_writable(status)) {
    refuse("E_WRITABLE",
           fmt::format("every user may write its folder {}", folder.string()),
           fmt::format("run `chmod o-w '{}'`", folder.string()));
  }
}

/// The file at a canonical path, checked from the outside in.
PluginFile inspect_canonical(const std::filesystem::path& path) {
  check_folder(path.parent_path());
  const OpenFile file(path);
  const struct stat status = file.status();
  if (!S_ISREG(status.st_mode)) {
    refuse(
        "E_NOT_REGULAR",
        S_ISDIR(status.st_mode) ? "it is a folder, not a file" : "it is no regular file",
        "name the .so file of a plugin");
  }
  if (is_world_writable(status)) {
    refuse("E_WRITABLE",
           "every user may write it",
           fmt::format("run `chmod o-w '{}'`", path.string()));
  }
  const PluginNotes notes = read_plugin_notes(
      {static_cast<uint64_t>(status.st_size), [&](uint64_t offset, std::size_t count) {
         return file.read(offset, count);
       }});
  if (notes.manifest.empty() || notes.build_tag.empty()) {
    refuse("E_NO_METADATA",
           fmt::format("it holds no {} of Sizewise",
                       notes.manifest.empty() ? "manifest" : "build tag"),
           "it may be another library; build plugins with sizewise_add_plugin()");
  }
  check_build_tag(notes.build_tag);
  try {
    return {path, parse_manifest(notes.manifest), notes.build_tag};
  } catch (const Error& error) {
    refuse("E_METADATA", error.message(), error.suggestion());
  }
}

}  // namespace

PluginFile inspect_plugin(const std::filesystem::path& path) {
  try {
    std::error_code fault;
    const std::filesystem::path canonical = std::filesystem::canonical(path, fault);
    if (fault) {
      refuse("E_OPEN", fmt::format("it cannot be opened: {}", fault.message()));
    }
    return inspect_canonical(canonical);
  } catch (const Error& error) {
    const RefusedFile refused = refused_file(path, error);
    refuse(refused.code,
           fmt::format("{}: {}", path.string(), refused.message),
           refused.suggestion);
  }
}

}  // namespace sizewise::loading
