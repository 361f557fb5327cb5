#pragma once

#include "quantizing/coverage_rows.hpp"

/// Makes a module that lives in a library of its own, and is as a plugin's: the library
/// is loaded with RTLD_LOCAL, and nobody links it.
extern "C" void make_local_subject(sizewise::quantizing::test::Subject* subject);
