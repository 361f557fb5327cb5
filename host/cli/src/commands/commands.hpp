#pragma once

#include "command_line.hpp"
#include "console.hpp"

// One function a subcommand, each in a file of its name. It declares its flags with
// CommandLine, parses, calls the library, prints; it returns the exit code: 0 done, 1 it
// ran and the answer is "no". What went wrong it throws as sizewise::Error.
//
// A new command: its file here and in CMakeLists.txt, its declaration below, its row in
// program.cpp, each in alphabetical order.

namespace sizewise::cli {

int evaluate(const Arguments& arguments, Console& console);
int find_optimal(const Arguments& arguments, Console& console);
int fit(const Arguments& arguments, Console& console);
int plan(const Arguments& arguments, Console& console);
int plugin(const Arguments& arguments, Console& console);
int predict(const Arguments& arguments, Console& console);
int quantize(const Arguments& arguments, Console& console);
int report(const Arguments& arguments, Console& console);
int run(const Arguments& arguments, Console& console);
int train(const Arguments& arguments, Console& console);

}  // namespace sizewise::cli
