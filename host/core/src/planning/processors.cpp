#include "planning/processors.hpp"

#include <algorithm>

#include <sched.h>

namespace sizewise::planning {

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0
             ? std::max(1, CPU_COUNT(&cores))
             : 1;
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
