#include "planning/processors.hpp"

#include <algorithm>
#include <fstream>

#include <sched.h>
#include <unistd.h>

namespace sizewise::planning {

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0
             ? std::max(1, CPU_COUNT(&cores))
             : 1;
}

double usable_memory_bytes() {
  double least = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                 static_cast<double>(::sysconf(_SC_PAGESIZE));
  for (const char* limit :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    double bytes = 0;
    // "max" where there is no limit, and then no number is read.
    if (std::ifstream(limit) >> bytes && bytes > 0) {
      least = std::min(least, bytes);
    }
  }
  return least;
}

Parameters largest_trainable_model() {
  constexpr double kBytesPerParameter = 16;
  return Parameters(usable_memory_bytes() / 2 / kBytesPerParameter);
}

Slots choose_slots(int jobs, int threads, const std::string& device, int cores) {
  const bool on_cpu = device == "cpu";
  Slots slots;
  slots.threads = threads > 0 ? threads : 1;
  if (jobs > 0) {
    slots.jobs = jobs;
  } else {
    slots.jobs = on_cpu ? std::max(1, cores / slots.threads) : 1;
  }
  return slots;
}

}  // namespace sizewise::planning
