#pragma once

// Which width of packets this machine runs fastest. A kernel is an always-inlined
// template over the width; each of three plain functions instantiates it for one kind of
// machine.

#if defined(__x86_64__)
#define SIZEWISE_TARGET_4 [[gnu::target("avx2,fma")]]
#define SIZEWISE_TARGET_8 [[gnu::target("avx512f,avx512dq,avx512vl,fma")]]
#else
#define SIZEWISE_TARGET_4
#define SIZEWISE_TARGET_8
#endif

namespace sizewise::fits {

/// Doubles that one register of this machine holds: 2, 4 or 8.
inline int machine_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return 8;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return 4;
  }
#endif
  return 2;
}

/// Of one kernel for 2, 4 and 8 lanes the one that this machine runs.
template <class Function>
Function* fastest(Function* two, Function* four, Function* eight) {
  const int lanes = machine_lanes();
  return lanes == 8 ? eight : lanes == 4 ? four : two;
}

}  // namespace sizewise::fits
