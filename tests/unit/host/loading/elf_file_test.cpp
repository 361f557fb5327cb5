#include "loading/elf_file.hpp"

#include <cstring>
#include <random>
#include <string>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"

namespace sizewise::loading {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Reads like a file, and fails where the reader asks for a byte outside.
ByteSource source_of(const std::string& bytes) {
  return {bytes.size(), [&bytes](uint64_t offset, std::size_t count) {
            EXPECT_LE(offset, bytes.size());
            EXPECT_LE(count, bytes.size() - offset);
            return bytes.substr(offset, count);
          }};
}

std::string refusal(const std::string& bytes) {
  return error_of([&] {
           (void)read_plugin_notes(source_of(bytes));
         })
      .message();
}

std::string good_bytes() {
  return bytes_of(test_plugin("good_fit"));
}

template <class T>
void overwrite(std::string& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// Where the first program header of that type stands in the file.
std::size_t segment_offset(const std::string& bytes, uint32_t type) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const std::size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    if (segment.p_type == type) {
      return at;
    }
  }
  ADD_FAILURE() << "no segment of type " << type;
  return 0;
}

TEST(ElfFile, ReadsManifestAndBuildTag) {
  const std::string bytes = good_bytes();
  const PluginNotes notes = read_plugin_notes(source_of(bytes));
  EXPECT_THAT(notes.manifest, HasSubstr("\"id\": \"good_fit\""));
  EXPECT_EQ(notes.manifest.back(), '\n');
  EXPECT_THAT(notes.build_tag, StartsWith("arch="));
}

TEST(ElfFile, HasNoNotesWhereTheNameIsAnother) {
  const std::string bytes = patched(good_bytes(),
                                    std::string("Sizewise\0\0\0\0{", 13),
                                    std::string("Sidewise\0\0\0\0{", 13));
  EXPECT_EQ(read_plugin_notes(source_of(bytes)).manifest, "");
}

TEST(ElfFile, RefusesWhatIsNoElf) {
  EXPECT_THAT(refusal(""), StartsWith("E_NOT_ELF: it is empty"));
  EXPECT_THAT(refusal("#include <x>\n\x1b[31m"),
              HasSubstr("it begins with '#include <x>'"));
  EXPECT_THAT(refusal("\x1b[31m red"), HasSubstr("it begins with '.[31m red'"));
}

TEST(ElfFile, RefusesAnotherMachine) {
  std::string bytes = good_bytes();
  overwrite(bytes, offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_S390});
  EXPECT_THAT(refusal(bytes),
              StartsWith("E_ARCH: it is built for s390, this machine is"));
  bytes = good_bytes();
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(refusal(bytes),
              StartsWith("E_ARCH: it is built for a 32-bit little-endian"));
  bytes = good_bytes();
  bytes[EI_DATA] = ELFDATA2MSB;
  EXPECT_THAT(refusal(bytes), HasSubstr("64-bit big-endian"));
}

TEST(ElfFile, RefusesWhatIsNoSharedObject) {
  std::string bytes = good_bytes();
  overwrite(bytes, offsetof(Elf64_Ehdr, e_type), uint16_t{ET_REL});
  EXPECT_THAT(refusal(bytes),
              StartsWith("E_NOT_ELF: it is no shared object (ELF type 1"));
  bytes = good_bytes();
  overwrite(bytes, offsetof(Elf64_Ehdr, e_phnum), uint16_t{0});
  EXPECT_THAT(refusal(bytes), StartsWith("E_NOT_ELF: it has 0 program headers"));
}

TEST(ElfFile, RefusesForgedOffsetsAndSizes) {
  constexpr uint64_t kHuge = 0xFFFFFFFFFFFFFFF0ULL;
  std::string bytes = good_bytes();
  overwrite(bytes, offsetof(Elf64_Ehdr, e_phoff), kHuge);
  EXPECT_THAT(refusal(bytes), StartsWith("E_TRUNCATED: its table of program headers"));
  bytes = good_bytes();
  overwrite(bytes, offsetof(Elf64_Ehdr, e_shoff), kHuge);
  EXPECT_THAT(refusal(bytes), StartsWith("E_TRUNCATED: its table of sections"));
  bytes = good_bytes();
  overwrite(
      bytes, segment_offset(bytes, PT_LOAD) + offsetof(Elf64_Phdr, p_filesz), kHuge);
  EXPECT_THAT(refusal(bytes), StartsWith("E_TRUNCATED: its segment 0 needs"));
  bytes = good_bytes();
  overwrite(
      bytes, segment_offset(bytes, PT_NOTE) + offsetof(Elf64_Phdr, p_offset), kHuge);
  EXPECT_THAT(refusal(bytes), StartsWith("E_TRUNCATED"));
}

TEST(ElfFile, RefusesANoteSegmentTooLongToBeOurs) {
  std::string bytes = good_bytes();
  const std::size_t at = segment_offset(bytes, PT_NOTE);
  bytes.resize(bytes.size() + (std::size_t{5} << 20U));
  overwrite(bytes, at + offsetof(Elf64_Phdr, p_offset), uint64_t{0});
  overwrite(bytes, at + offsetof(Elf64_Phdr, p_filesz), uint64_t{bytes.size()});
  EXPECT_THAT(refusal(bytes), StartsWith("E_METADATA: its notes are"));
}

TEST(ElfFile, StopsAtANoteWhoseSizesLeaveItsSegment) {
  std::string bytes = good_bytes();
  const std::size_t name = bytes.find(std::string("Sizewise\0\0\0\0{", 13));
  ASSERT_NE(name, std::string::npos);
  overwrite(bytes, name - 8, uint32_t{0xFFFFFFFF});
  EXPECT_EQ(read_plugin_notes(source_of(bytes)).manifest, "");
  overwrite(bytes, name - 12, uint32_t{0xFFFFFFFF});
  EXPECT_EQ(read_plugin_notes(source_of(bytes)).manifest, "");
}

TEST(ElfFile, RefusesTwoManifests) {
  std::string bytes = good_bytes();
  const std::size_t tag = bytes.find(std::string("Sizewise\0\0\0\0arch=", 17));
  ASSERT_NE(tag, std::string::npos);
  overwrite(bytes, tag - 4, uint32_t{1});
  EXPECT_THAT(refusal(bytes), StartsWith("E_METADATA: it holds more than one manifest"));
}

TEST(ElfFile, RefusesEveryTruncation) {
  const std::string bytes = good_bytes();
  for (std::size_t size = 0; size < bytes.size(); size += size < 1024 ? 1 : 997) {
    EXPECT_THAT(refusal(bytes.substr(0, size)), StartsWith("E_")) << size;
  }
  EXPECT_THAT(refusal(bytes.substr(0, bytes.size() - 1)), StartsWith("E_TRUNCATED"));
}

TEST(ElfFile, NeverReadsOutsideWhateverTheHeadersSay) {
  const std::string good = good_bytes();
  std::mt19937_64 random(20260101);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good.substr(0, 4096);
    for (int flip = 0; flip < 4; ++flip) {
      bytes[random() % 1024] = static_cast<char>(random());
    }
    try {
      (void)read_plugin_notes(source_of(bytes));
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), StartsWith("E_"));
    }
  }
}

}  // namespace
}  // namespace sizewise::loading
