#include "checkpoint/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <zip.h>

#include "sizewise/error.hpp"

namespace sizewise::checkpoint {
namespace {

/// Deflate makes at most this many bytes of one, and torch.save() writes none at all.
constexpr uint64_t kMostPerCompressedByte = 1032;

}  // namespace

void ZipArchive::Closer::operator()(struct zip* archive) const {
  zip_discard(archive);
}

void ZipArchive::Closer::operator()(struct zip_file* file) const {
  zip_fclose(file);
}

void ZipArchive::refuse(const std::string& what) const {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {}", path_.string(), what),
              "write or fetch the file again, with Python's torch.save()");
}

ZipArchive::ZipArchive(const std::filesystem::path& path) : path_(path) {
  int fault = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &fault));
  if (!archive_) {
    zip_error_t error;
    zip_error_init_with_code(&error, fault);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (fault == ZIP_ER_OPEN || fault == ZIP_ER_NOENT || fault == ZIP_ER_READ) {
      throw Error(ErrorCode::kIo,
                  fmt::format("{}: cannot be read: {}", path.string(), reason),
                  "check the path and that you may read the file");
    }
    refuse(fmt::format("is no whole zip archive: {}", reason));
  }
  const uint64_t file_bytes = std::filesystem::file_size(path);
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    add_entry(static_cast<uint64_t>(i), file_bytes);
  }
}

void ZipArchive::add_entry(uint64_t index, uint64_t file_bytes) {
  zip_stat_t facts;
  zip_stat_init(&facts);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                   ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  // The name as its bytes are: torch writes UTF-8, and no name is looked up otherwise.
  if (zip_stat_index(archive_.get(), index, ZIP_FL_ENC_RAW, &facts) != 0 ||
      (facts.valid & kNeeded) != kNeeded) {
    refuse(fmt::format("its entry {} cannot be read", index));
  }
  if (facts.encryption_method != ZIP_EM_NONE) {
    refuse(fmt::format("its entry {} is encrypted", index));
  }
  const bool stored = facts.comp_method == ZIP_CM_STORE;
  const bool fits = facts.comp_size <= file_bytes &&
                    (stored ? facts.size == facts.comp_size
                            : facts.size / kMostPerCompressedByte <= facts.comp_size);
  if (!fits) {
    refuse(fmt::format("its entry {} says that {} bytes became {}, in a file of {}",
                       index,
                       facts.size,
                       facts.comp_size,
                       file_bytes));
  }
  if (!entries_.try_emplace(facts.name, ZipEntry{index, facts.size, stored}).second) {
    refuse(fmt::format("its entry {} has the name of another", index));
  }
}

void ZipArchive::open(const ZipEntry& entry) {
  // What is stored is read as it is: torch.save() can be told to write no checksums,
  // which libzip would check.
  const zip_flags_t flags = entry.stored ? ZIP_FL_COMPRESSED : 0;
  open_.reset(zip_fopen_index(archive_.get(), entry.index, flags));
  if (!open_) {
    refuse(fmt::format(
        "its entry {} cannot be read: {}", entry.index, zip_strerror(archive_.get())));
  }
  open_index_ = entry.index;
  position_ = 0;
}

void ZipArchive::read_on(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const zip_int64_t count = zip_fread(open_.get(), bytes.data(), bytes.size());
    if (count <= 0) {
      const std::string reason = zip_file_strerror(open_.get());
      const uint64_t index = open_index_;
      open_.reset();
      refuse(fmt::format("its entry {} cannot be read to its end: {}",
                         index,
                         count == 0 ? "it is cut short" : reason));
    }
    position_ += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void ZipArchive::read(const ZipEntry& entry,
                      uint64_t offset,
                      std::span<std::byte> bytes) {
  if (offset > entry.bytes || bytes.size() > entry.bytes - offset) {
    refuse(fmt::format("its entry {} has {} bytes; from {} on {} are needed",
                       entry.index,
                       entry.bytes,
                       offset,
                       bytes.size()));
  }
  const bool reopen =
      !open_ || open_index_ != entry.index || (!entry.stored && offset < position_);
  if (reopen) {
    open(entry);
  }
  if (offset != position_ && entry.stored) {
    if (zip_fseek(open_.get(), static_cast<zip_int64_t>(offset), SEEK_SET) != 0) {
      refuse(fmt::format(
          "its entry {} cannot be read from byte {} on", entry.index, offset));
    }
    position_ = offset;
  }
  std::array<std::byte, 4096> passed{};
  while (position_ < offset) {
    read_on(
        std::span(passed).first(std::min<uint64_t>(passed.size(), offset - position_)));
  }
  read_on(bytes);
}

std::string ZipArchive::read_text(const ZipEntry& entry, uint64_t most) {
  if (entry.bytes > most) {
    refuse(fmt::format("its entry {} has {} bytes; at most {} are read",
                       entry.index,
                       entry.bytes,
                       most));
  }
  std::string text(entry.bytes, '\0');
  read(entry, 0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace sizewise::checkpoint
