#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sizewise::running {

/// The version of docs/worker-protocol.md that this program speaks.
inline constexpr int kProtocolVersion = 1;

/// The longest frame that is read or written, in bytes.
inline constexpr std::size_t kLargestFrameBytes = std::size_t{64} << 20U;

/// Bytes of a frame's length, which comes before it.
inline constexpr std::size_t kFrameHeaderBytes = 4;

/// A payload with its length before it.
[[nodiscard]] std::string frame_of(std::string_view payload);
/// The length that a frame's first kFrameHeaderBytes announce.
[[nodiscard]] std::size_t frame_length(std::string_view header);

/// Reads one frame: a 4-byte little-endian length, then that many bytes. Blocks. Nothing
/// where the other side closed the descriptor between frames.
/// @throws Error kIo where the stream breaks inside a frame, the length is above
///   kLargestFrameBytes, or the system refuses to read
[[nodiscard]] std::optional<std::string> read_frame(int descriptor);

/// Writes one frame, whole. The caller ignores SIGPIPE.
/// @throws Error kIo where the other side is gone or the frame is too long
void write_frame(int descriptor, std::string_view payload);

}  // namespace sizewise::running
