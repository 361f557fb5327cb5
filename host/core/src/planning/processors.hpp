#pragma once

#include <string>

#include "sizewise/units.hpp"

namespace sizewise::planning {

/// Workers at a time, and threads of each.
struct Slots {
  int jobs = 1;
  int threads = 1;
};

/// Cores that this process may use.
[[nodiscard]] int usable_cores();

/// Bytes of memory that this process may use: the machine's, or its control group's where
/// that has less.
[[nodiscard]] double usable_memory_bytes();

/// The largest model that this machine can train a step of: 16 bytes a parameter (weight,
/// gradient, two moments) in half of its memory.
[[nodiscard]] Parameters largest_trainable_model();

/// A sweep of small models uses a CPU best as one-thread workers, one a core (1.3 to 1.4
/// times the steps a second of one worker with all threads); a GPU takes one worker.
/// @param jobs, threads as the user gave them; 0: not given
[[nodiscard]] Slots choose_slots(int jobs,
                                 int threads,
                                 const std::string& device,
                                 int cores);

}  // namespace sizewise::planning
