#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace sizewise {

/// What kind of fault an Error reports. The names that scripts see are those of
/// to_string().
enum class ErrorCode {
  kConfiguration,  ///< an option, a flag or a combination of them is not allowed
  kInput,          ///< a file or a value that the user gave cannot be used
  kPlugin,         ///< a plugin cannot be loaded or breaks its contract
  kTraining,       ///< a trial could not be trained
  kFit,            ///< a fit could not be computed
  kQuantization,   ///< a model could not be quantized
  kValidation,     ///< a check that the user asked for failed
  kIo,             ///< the system refused to read, write or start something
  kInternal,       ///< a fault of Sizewise itself
};

/// The lower-case name of a code, such as "configuration". [any thread]
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// The code of a name that to_string() gave; kInternal for any other. [any thread]
[[nodiscard]] ErrorCode error_code_from_string(std::string_view name) noexcept;

/// The one exception that Sizewise throws.
///
/// The message says what happened, the value received, the values allowed, and which
/// plugin, trial or file; the suggestion says what to do next (it may be empty).
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string suggestion = {});
  ~Error() override;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& suggestion() const noexcept { return suggestion_; }

  /// The message alone; valid as long as the Error.
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string suggestion_;
};

}  // namespace sizewise
