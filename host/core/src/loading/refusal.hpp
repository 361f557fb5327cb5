#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sizewise/error.hpp"

#include "loading/plugin_catalog.hpp"

// A plugin that is refused has a code for scripts beside its sentence for people. It
// travels as an Error whose message begins with the code: "E_NOT_ELF: ...".

namespace sizewise::loading {

/// @throws Error kPlugin, always
[[noreturn]] void refuse(std::string_view code,
                         std::string_view message,
                         std::string suggestion = {});

/// The error of a refusal as a record; code "E_OPEN" where its message begins with none.
[[nodiscard]] RefusedFile refused_file(const std::filesystem::path& path,
                                       const Error& error);

}  // namespace sizewise::loading
