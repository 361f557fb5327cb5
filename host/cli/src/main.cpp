#include <cstdio>

#include "program.hpp"

int main(int count, char** arguments) {
  return sizewise::cli::run_program(
      sizewise::cli::Arguments(arguments + 1, arguments + count), stdout, stderr);
}
