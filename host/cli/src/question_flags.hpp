#pragma once

#include "command_line.hpp"
#include "fitting/question.hpp"

// What may be asked of a law, shared by `fit` and `predict`.

namespace sizewise::cli {

/// --budget, --target-loss, --params, --tokens, --unique-tokens and --inference-tokens.
CommandLine& add_question_flags(CommandLine& line);

/// A size or an amount of data beside a budget or a loss is a limit of the answer; alone
/// it asks for the budget of which it is the best use.
/// @throws Error kConfiguration where a number is not positive, or nothing is left to
/// choose or to serve
[[nodiscard]] fitting::Asked asked_from(const CommandLine& line);

}  // namespace sizewise::cli
