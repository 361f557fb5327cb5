#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

// What a plugin says of itself in its ELF notes, read without dlopen: nothing of the file
// runs, and every offset and size in it is doubted before it is used.

namespace sizewise::loading {

/// Bytes that can be read at any place inside [0, size).
struct ByteSource {
  uint64_t size = 0;
  /// @throws Error where fewer bytes can be read than asked for
  std::function<std::string(uint64_t offset, std::size_t count)> read;
};

/// The notes with the name "Sizewise". Empty: there is no such note.
struct PluginNotes {
  std::string manifest;   ///< note type 1: the text of plugin.json
  std::string build_tag;  ///< note type 2: see sizewise/build_tag.hpp
};

/// Reads the notes of a shared object for this machine.
/// @throws Error kPlugin: E_NOT_ELF, E_TRUNCATED (bytes needed and found), E_ARCH, or
///   E_METADATA for a note that is repeated or too long
[[nodiscard]] PluginNotes read_plugin_notes(const ByteSource& bytes);

}  // namespace sizewise::loading
