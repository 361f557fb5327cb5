#pragma once

#include <string_view>

#include "command_line.hpp"
#include "fitting/question.hpp"

// What may be asked of a law, shared by `fit` and `predict`.

namespace sizewise::cli {

/// --budget, --target-loss, --params, --tokens, --unique-tokens and --inference-tokens.
CommandLine& add_question_flags(CommandLine& line);

/// The number of one of these flags that takes a single one, and is given.
/// @throws Error kConfiguration where it is not above 0
[[nodiscard]] double positive_flag(const CommandLine& line, std::string_view flag);

/// A size or an amount of data beside a budget or a loss is a limit of the answer; alone
/// it asks for the budget of which it is the best use.
/// @throws Error kConfiguration where a number is not positive, nothing is left to
/// choose or to serve, or a size is given for what is served
[[nodiscard]] fitting::Asked asked_from(const CommandLine& line);

}  // namespace sizewise::cli
