#include "kernels/processor_level.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "kernels/level_functions.hpp"
#include "kernels/self_test.hpp"

namespace sizewise::kernels {
namespace {

bool executes(ProcessorLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case ProcessorLevel::kPortable:
      return true;
    case ProcessorLevel::kAvx2:
      return __builtin_cpu_supports("avx2") != 0;
    case ProcessorLevel::kAvxVnni:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avxvnni");
    case ProcessorLevel::kAvx512Vnni:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
  }
#endif
  return level == ProcessorLevel::kPortable;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return text;
}

constexpr ProcessorLevel kUncapped = ProcessorLevel::kAvx512Vnni;

ProcessorLevel cap_of_onednn(const std::string& value) {
  const std::string isa = lower_case(value);
  if (isa == "sse41" || isa == "avx") {
    return ProcessorLevel::kPortable;
  }
  if (isa == "avx2" || isa == "avx512_core") {
    return ProcessorLevel::kAvx2;
  }
  return isa.starts_with("avx2_vnni") ? ProcessorLevel::kAvxVnni : kUncapped;
}

ProcessorLevel cap_of_aten(const std::string& value) {
  const std::string capability = lower_case(value);
  if (capability == "default") {
    return ProcessorLevel::kPortable;
  }
  return capability == "avx2" ? ProcessorLevel::kAvx2 : kUncapped;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string_view name_of(ProcessorLevel level) noexcept {
  switch (level) {
    case ProcessorLevel::kPortable:
      return "portable";
    case ProcessorLevel::kAvx2:
      return "avx2";
    case ProcessorLevel::kAvxVnni:
      return "avx_vnni";
    case ProcessorLevel::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "unknown";
}

std::vector<ProcessorLevel> runnable_levels() {
  std::vector<ProcessorLevel> levels;
  for (const ProcessorLevel level : kProcessorLevels) {
    if (executes(level)) {
      levels.push_back(level);
    }
  }
  return levels;
}

LevelChoice choose_level(const std::vector<ProcessorLevel>& runnable,
                         const LevelCaps& caps,
                         const std::function<std::string(ProcessorLevel)>& fault_of) {
  const ProcessorLevel onednn = cap_of_onednn(caps.onednn);
  const ProcessorLevel aten = cap_of_aten(caps.aten);
  std::string reason;
  const auto add = [&reason](const std::string& why) {
    reason += (reason.empty() ? "" : "; ") + why;
  };
  for (auto level = runnable.rbegin(); level != runnable.rend(); ++level) {
    if (*level > onednn || *level > aten) {
      const std::string why = *level > onednn ? "ONEDNN_MAX_CPU_ISA=" + caps.onednn
                                              : "ATEN_CPU_CAPABILITY=" + caps.aten;
      add(std::string(name_of(*level)) + " is capped by " + why);
      continue;
    }
    const std::string fault = fault_of(*level);
    if (fault.empty()) {
      add("exact in the self-test");
      return {*level, reason};
    }
    add(std::string(name_of(*level)) + " is not exact: " + fault);
  }
  add("no other level is left");
  return {ProcessorLevel::kPortable, reason};
}

const LevelChoice& level_choice() {
  static const LevelChoice kChoice =
      choose_level(runnable_levels(),
                   {variable("ONEDNN_MAX_CPU_ISA"), variable("ATEN_CPU_CAPABILITY")},
                   [](ProcessorLevel level) {
                     return fault_of(functions_of(level));
                   });
  return kChoice;
}

ProcessorLevel used_level() {
  return level_choice().level;
}

}  // namespace sizewise::kernels
