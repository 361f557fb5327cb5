#include "sizewise/plugin.hpp"

#include <algorithm>
#include <new>

#include "sizewise/sweep.hpp"

namespace sizewise {

SweepHost::~SweepHost() = default;
Sweep::~Sweep() = default;

namespace detail {
namespace {

template <std::size_t Size>
void copy_text(char (&to)[Size], std::string_view from) noexcept {
  std::size_t length = std::min(from.size(), Size - 1);
  // A cut inside a UTF-8 sequence would leave half a letter.
  while (length < from.size() && length > 0 &&
         (static_cast<unsigned char>(from[length]) & 0xC0U) == 0x80U) {
    --length;
  }
  std::copy_n(from.begin(), length, to);
  to[length] = '\0';
}

}  // namespace

void fill_error_record(sizewise_error_record* record,
                       ErrorCode code,
                       std::string_view message,
                       std::string_view suggestion) noexcept {
  if (record == nullptr || record->struct_size < sizeof(sizewise_error_record)) {
    return;
  }
  record->code = static_cast<uint32_t>(code);
  copy_text(record->message, message);
  copy_text(record->suggestion, suggestion);
}

void fill_error_record_from_current_exception(sizewise_error_record* record) noexcept {
  try {
    throw;
  } catch (const Error& error) {
    fill_error_record(record, error.code(), error.message(), error.suggestion());
  } catch (const std::bad_alloc&) {
    fill_error_record(record,
                      ErrorCode::kPlugin,
                      "out of memory",
                      "free some, or give it less: a smaller size, fewer rows");
  } catch (const std::exception& error) {
    fill_error_record(record, ErrorCode::kPlugin, error.what(), {});
  } catch (...) {
    fill_error_record(
        record, ErrorCode::kPlugin, "threw something that is no std::exception", {});
  }
}

}  // namespace detail
}  // namespace sizewise
