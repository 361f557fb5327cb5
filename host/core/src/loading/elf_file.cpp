#include "loading/elf_file.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include <elf.h>
#include <fmt/format.h>

#include "loading/refusal.hpp"

namespace sizewise::loading {
namespace {

#if defined(__x86_64__)
constexpr unsigned kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kHostMachine = EM_AARCH64;
#endif

constexpr std::string_view kNoteName{"Sizewise\0", 9};
constexpr uint32_t kManifestType = 1;
constexpr uint32_t kBuildTagType = 2;
/// Far above any manifest; keeps a forged size from asking for all the memory.
constexpr uint64_t kMostNoteBytes = uint64_t{4} << 20U;

/// A plain C structure out of bytes that hold at least as many. Copied, because the bytes
/// are not aligned.
template <class T>
T copied(std::string_view bytes, std::size_t offset = 0) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86_64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return fmt::format("machine {}", machine);
  }
}

/// The first bytes of a file that is no ELF, fit for a message.
std::string beginning(std::string_view bytes) {
  std::string text(bytes.substr(0, 12));
  std::replace_if(
      text.begin(),
      text.end(),
      [](char letter) {
        return letter < ' ' || letter > '~';
      },
      '.');
  return text;
}

/// @throws Error E_TRUNCATED where [offset, offset + count) leaves the file
void check_inside(const ByteSource& bytes,
                  uint64_t offset,
                  uint64_t count,
                  std::string_view what) {
  if (offset <= bytes.size && count <= bytes.size - offset) {
    return;
  }
  const uint64_t needed = offset + count < offset ? UINT64_MAX : offset + count;
  refuse("E_TRUNCATED",
         fmt::format("its {} needs {} bytes, the file has {}", what, needed, bytes.size),
         "the copy was cut short, or the file is damaged: build or copy it again");
}

Elf64_Ehdr read_header(const ByteSource& bytes) {
  const std::string start =
      bytes.read(0, std::min<std::size_t>(bytes.size, sizeof(Elf64_Ehdr)));
  if (start.size() < SELFMAG || std::memcmp(start.data(), ELFMAG, SELFMAG) != 0) {
    refuse("E_NOT_ELF",
           start.empty() ? std::string("it is empty")
                         : fmt::format("it is no ELF shared object: it begins with '{}'",
                                       beginning(start)),
           "build the plugin with sizewise_add_plugin()");
  }
  check_inside(bytes, 0, sizeof(Elf64_Ehdr), "header");
  const auto header = copied<Elf64_Ehdr>(start);
  // The class and the byte order come first: they say how the rest is to be read.
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    refuse("E_ARCH",
           fmt::format("it is built for a {}-bit {}-endian machine, this one is {}",
                       header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32,
                       header.e_ident[EI_DATA] == ELFDATA2LSB ? "little" : "big",
                       machine_name(kHostMachine)),
           "build the plugin on this machine");
  }
  if (header.e_machine != kHostMachine) {
    refuse("E_ARCH",
           fmt::format("it is built for {}, this machine is {}",
                       machine_name(header.e_machine),
                       machine_name(kHostMachine)),
           "build the plugin on this machine");
  }
  if (header.e_type != ET_DYN) {
    refuse("E_NOT_ELF",
           fmt::format(
               "it is no shared object (ELF type {}, not {})", header.e_type, ET_DYN),
           "build the plugin with sizewise_add_plugin()");
  }
  return header;
}

std::vector<Elf64_Phdr> read_segments(const ByteSource& bytes, const Elf64_Ehdr& header) {
  if (header.e_phnum == 0 || header.e_phentsize != sizeof(Elf64_Phdr)) {
    refuse("E_NOT_ELF",
           fmt::format("it has {} program headers of {} bytes; a shared object has some, "
                       "of {} bytes",
                       header.e_phnum,
                       header.e_phentsize,
                       sizeof(Elf64_Phdr)),
           "build the plugin with sizewise_add_plugin()");
  }
  const uint64_t table = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  check_inside(bytes, header.e_phoff, table, "table of program headers");
  // Loading needs no section headers, but they stand last in a file: where they are cut
  // off, so may be anything else.
  check_inside(bytes,
               header.e_shoff,
               uint64_t{header.e_shnum} * header.e_shentsize,
               "table of sections");
  const std::string text = bytes.read(header.e_phoff, table);
  std::vector<Elf64_Phdr> segments;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    segments.push_back(copied<Elf64_Phdr>(text, i * sizeof(Elf64_Phdr)));
    const Elf64_Phdr& segment = segments.back();
    if (segment.p_filesz > 0) {
      check_inside(
          bytes, segment.p_offset, segment.p_filesz, fmt::format("segment {}", i));
    }
  }
  return segments;
}

void keep(std::string& to, std::string_view description, std::string_view what) {
  if (!to.empty()) {
    refuse("E_METADATA",
           fmt::format("it holds more than one {}", what),
           "link one plugin into one shared object");
  }
  to = description.substr(0, description.find('\0'));
}

/// Reads the notes of one segment; stops at the first that does not fit in it.
void read_segment_notes(std::string_view segment, uint64_t alignment, PluginNotes& to) {
  // Offsets inside a segment stay far below 2^33 (two sizes of 32 bits), so that 64 bits
  // never overflow.
  const uint64_t step = alignment == 8 ? 8 : 4;
  const auto padded = [step](uint64_t size) {
    return (size + step - 1) / step * step;
  };
  uint64_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= segment.size()) {
    const auto note = copied<Elf64_Nhdr>(segment, at);
    const uint64_t name = at + sizeof note;
    const uint64_t description = name + padded(note.n_namesz);
    if (description + note.n_descsz > segment.size()) {
      return;
    }
    if (segment.substr(name, note.n_namesz) == kNoteName) {
      const std::string_view text = segment.substr(description, note.n_descsz);
      if (note.n_type == kManifestType) {
        keep(to.manifest, text, "manifest");
      } else if (note.n_type == kBuildTagType) {
        keep(to.build_tag, text, "build tag");
      }
    }
    at = description + padded(note.n_descsz);
  }
}

}  // namespace

PluginNotes read_plugin_notes(const ByteSource& bytes) {
  const Elf64_Ehdr header = read_header(bytes);
  PluginNotes notes;
  for (const Elf64_Phdr& segment : read_segments(bytes, header)) {
    if (segment.p_type != PT_NOTE || segment.p_filesz == 0) {
      continue;
    }
    if (segment.p_filesz > kMostNoteBytes) {
      refuse("E_METADATA",
             fmt::format("its notes are {} bytes long; at most {} are read",
                         segment.p_filesz,
                         kMostNoteBytes),
             "build the plugin with sizewise_add_plugin()");
    }
    read_segment_notes(
        bytes.read(segment.p_offset, segment.p_filesz), segment.p_align, notes);
  }
  return notes;
}

}  // namespace sizewise::loading
