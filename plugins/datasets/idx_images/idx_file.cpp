#include "idx_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include <zlib.h>

#include "sizewise/error.hpp"

namespace sizewise::datasets {
namespace {

constexpr uint32_t kUnsignedByte = 0x08;
constexpr int64_t kLargestBytes = int64_t{1} << 40U;
constexpr std::size_t kChunkBytes = std::size_t{1} << 20U;

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

/// A file that is decompressed as it is read, where it is compressed at all.
class Input {
 public:
  explicit Input(const std::filesystem::path& file) : name_(file.string()) {
    errno = 0;
    stream_.reset(gzopen(name_.c_str(), "rb"));
    if (stream_ == nullptr) {
      throw Error(errno == ENOENT ? ErrorCode::kInput : ErrorCode::kIo,
                  "idx_images: cannot open " + name_ + ": " + std::strerror(errno),
                  "give the path of an IDX file that you may read");
    }
  }

  /// Up to `wanted` bytes; fewer only where the file ends.
  std::size_t read(uint8_t* bytes, std::size_t wanted) {
    std::size_t done = 0;
    while (done < wanted) {
      const auto part = static_cast<unsigned>(std::min(wanted - done, kChunkBytes));
      const int got = gzread(stream_.get(), bytes + done, part);
      if (got <= 0) {
        refuse_fault();
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const {
    throw Error(ErrorCode::kInput,
                "idx_images: " + name_ + ": expected " + expected + ", found " + found,
                "give a whole IDX file; a broken download must be fetched again");
  }

 private:
  /// Throws what zlib found wrong, such as an end before the checksum; nothing at a clean
  /// end.
  void refuse_fault() const {
    int code = Z_OK;
    const std::string text = gzerror(stream_.get(), &code);
    if (code == Z_OK) {
      return;
    }
    if (code == Z_ERRNO) {
      throw Error(ErrorCode::kIo,
                  "idx_images: cannot read " + name_ + ": " + std::strerror(errno),
                  "check that it is a file that you may read");
    }
    refuse("gzip data that can be decompressed",
           "damaged or truncated ones (" + text + ")");
  }

  std::string name_;
  std::unique_ptr<gzFile_s, CloseGz> stream_;
};

uint32_t big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24U | uint32_t{bytes[1]} << 16U |
         uint32_t{bytes[2]} << 8U | uint32_t{bytes[3]};
}

std::string hexadecimal(uint32_t value) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", value);
  return text.data();
}

std::vector<int64_t> read_shape(Input& input, std::size_t dimensions) {
  std::vector<uint8_t> header(4 + 4 * dimensions);
  const std::size_t got = input.read(header.data(), header.size());
  const uint32_t wanted = kUnsignedByte << 8U | static_cast<uint32_t>(dimensions);
  if (got >= 4 && big_endian(header.data()) != wanted) {
    input.refuse("the magic number " + hexadecimal(wanted) + " (unsigned bytes, " +
                     std::to_string(dimensions) + " dimensions)",
                 hexadecimal(big_endian(header.data())));
  }
  if (got < header.size()) {
    input.refuse("a header of " + std::to_string(header.size()) + " bytes",
                 "a file of " + std::to_string(got));
  }
  std::vector<int64_t> shape;
  int64_t bytes = 1;
  for (std::size_t axis = 0; axis < dimensions; ++axis) {
    shape.push_back(big_endian(&header[4 + 4 * axis]));
    // Each factor is below 2^32, so one product below 2^40 times one factor fits.
    bytes = std::min(bytes, kLargestBytes / std::max<int64_t>(shape.back(), 1) + 1) *
            shape.back();
  }
  if (bytes < 1 || bytes > kLargestBytes) {
    std::string text;
    for (const int64_t length : shape) {
      text += (text.empty() ? "" : " x ") + std::to_string(length);
    }
    input.refuse("dimensions of 1 to 2^40 bytes together", text);
  }
  return shape;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& file, std::size_t dimensions) {
  Input input(file);
  IdxArray array{.shape = read_shape(input, dimensions), .bytes = {}};
  std::size_t expected = 1;
  for (const int64_t length : array.shape) {
    expected *= static_cast<std::size_t>(length);
  }
  // Memory grows with what is really there: a forged header costs nothing.
  std::size_t got = 0;
  do {
    array.bytes.resize(std::min(expected, std::max(kChunkBytes, 2 * got)));
    got += input.read(array.bytes.data() + got, array.bytes.size() - got);
  } while (got == array.bytes.size() && got < expected);
  uint8_t extra = 0;
  const bool longer = got == expected && input.read(&extra, 1) != 0;
  if (got < expected || longer) {
    input.refuse(
        std::to_string(expected) + " bytes after the header, as its dimensions say",
        longer ? "more" : std::to_string(got));
  }
  return array;
}

}  // namespace sizewise::datasets
