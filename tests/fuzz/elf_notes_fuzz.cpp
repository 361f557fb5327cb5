#include <string>

#include "fuzz.hpp"
#include "loading/elf_file.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const loading::ByteSource bytes{
      .size = input.size(), .read = [input](uint64_t offset, std::size_t count) {
        require(offset <= input.size() && count <= input.size() - offset,
                "only bytes inside the file are read");
        return std::string(input.substr(offset, count));
      }};
  const loading::PluginNotes notes = loading::read_plugin_notes(bytes);
  require(notes.manifest.size() <= input.size(), "a note is no longer than its file");
}
