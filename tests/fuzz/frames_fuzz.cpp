#include <cstdio>
#include <optional>
#include <string>

#include <sizewise/error.hpp>
#include <unistd.h>

#include "fuzz.hpp"
#include "running/wire.hpp"

namespace {

/// Bytes behind a descriptor, closed at the end.
class Stream {
 public:
  explicit Stream(std::string_view bytes) : file_(std::tmpfile()) {
    sizewise::fuzzing::require(file_ != nullptr, "there is room for a temporary file");
    std::fwrite(bytes.data(), 1, bytes.size(), file_);
    rewind();
  }
  ~Stream() { std::fclose(file_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void rewind() {
    std::fflush(file_);
    ::lseek(descriptor(), 0, SEEK_SET);
  }
  [[nodiscard]] int descriptor() const { return ::fileno(file_); }

 private:
  std::FILE* file_;
};

}  // namespace

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  Stream stream(input);
  std::size_t read = 0;
  while (const auto frame = running::read_frame(stream.descriptor())) {
    read += frame->size() + 4;
    require(read <= input.size(), "frames are no longer than the stream");
    Stream copy("");
    running::write_frame(copy.descriptor(), *frame);
    copy.rewind();
    require(running::read_frame(copy.descriptor()) == frame, "a frame reads back");
  }
  require(read == input.size(), "a stream that ends between frames was read whole");
}
