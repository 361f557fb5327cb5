#include "running/wire.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "sizewise/error.hpp"

namespace sizewise::running {
namespace {

/// How many bytes came before the end of the stream; at most `size`.
std::size_t read_up_to(int descriptor, char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(descriptor, to + done, size - done);
    if (count == 0) {
      break;
    }
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw Error(ErrorCode::kIo,
                  fmt::format("reading a frame failed: {}", std::strerror(errno)));
    }
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void write_all(int descriptor, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::write(descriptor, from, size);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw Error(ErrorCode::kIo,
                  fmt::format("writing a frame failed: {}", std::strerror(errno)));
    }
    from += count;
    size -= static_cast<std::size_t>(count);
  }
}

}  // namespace

std::string frame_of(std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + kFrameHeaderBytes);
  for (unsigned i = 0; i < kFrameHeaderBytes; ++i) {
    frame += static_cast<char>((payload.size() >> (8U * i)) & 0xFFU);
  }
  return frame.append(payload);
}

std::size_t frame_length(std::string_view header) {
  std::size_t length = 0;
  for (std::size_t i = kFrameHeaderBytes; i-- > 0;) {
    length = (length << 8U) | static_cast<unsigned char>(header[i]);
  }
  return length;
}

std::optional<std::string> read_frame(int descriptor) {
  std::array<char, kFrameHeaderBytes> header{};
  const std::size_t got = read_up_to(descriptor, header.data(), header.size());
  if (got == 0) {
    return std::nullopt;
  }
  if (got < header.size()) {
    throw Error(ErrorCode::kIo, "the stream ended inside the length of a frame");
  }
  const std::size_t length = frame_length({header.data(), header.size()});
  if (length > kLargestFrameBytes) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("a frame of {} bytes was announced; the longest allowed is {}",
                    length,
                    kLargestFrameBytes));
  }
  std::string payload(length, '\0');
  const std::size_t body = read_up_to(descriptor, payload.data(), length);
  if (body < length) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("the stream ended after {} of a frame's {} bytes", body, length));
  }
  return payload;
}

void write_frame(int descriptor, std::string_view payload) {
  if (payload.size() > kLargestFrameBytes) {
    throw Error(ErrorCode::kIo,
                fmt::format("a frame of {} bytes is too long; the longest allowed is {}",
                            payload.size(),
                            kLargestFrameBytes));
  }
  // One write for both parts, so that a frame is not torn between two.
  const std::string frame = frame_of(payload);
  write_all(descriptor, frame.data(), frame.size());
}

}  // namespace sizewise::running
