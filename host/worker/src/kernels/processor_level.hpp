#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Which instructions the integer products use: what the processor has, what the
// environment allows, and above all what a self-test at start finds exact.

namespace sizewise::kernels {

/// Kinds of processor, the slowest first.
enum class ProcessorLevel {
  kPortable,    ///< plain C++
  kAvx2,        ///< 256 bits, products of 16 bits
  kAvxVnni,     ///< 256 bits, products of 4 bytes summed in 32 bits
  kAvx512Vnni,  ///< the same in 512 bits
};

inline constexpr std::array kProcessorLevels{ProcessorLevel::kPortable,
                                             ProcessorLevel::kAvx2,
                                             ProcessorLevel::kAvxVnni,
                                             ProcessorLevel::kAvx512Vnni};

/// "portable", "avx2", "avx_vnni" or "avx512_vnni". [any thread]
[[nodiscard]] std::string_view name_of(ProcessorLevel level) noexcept;

/// Levels that this build holds and this processor executes, the slowest first, whatever
/// the environment says; kPortable is always among them. [any thread]
[[nodiscard]] std::vector<ProcessorLevel> runnable_levels();

/// A level, and why it was taken, such as "capped by ONEDNN_MAX_CPU_ISA=AVX2".
struct LevelChoice {
  ProcessorLevel level = ProcessorLevel::kPortable;
  std::string reason;
};

/// What caps the level; empty text where the environment says nothing.
struct LevelCaps {
  /// ONEDNN_MAX_CPU_ISA. AVX512_CORE stands for kAvx2: it has no exact sums of bytes.
  std::string onednn;
  /// ATEN_CPU_CAPABILITY: default stands for kPortable, avx2 for kAvx2.
  std::string aten;
};

/// The fastest of some levels that the caps allow and in which `fault_of` finds no fault
/// (it returns empty text, or what is not exact). kPortable where none is left.
[[nodiscard]] LevelChoice choose_level(
    const std::vector<ProcessorLevel>& runnable,
    const LevelCaps& caps,
    const std::function<std::string(ProcessorLevel)>& fault_of);

/// The level that this process uses: decided at the first call, by the environment of
/// that moment and by the self-test. [any thread]
[[nodiscard]] const LevelChoice& level_choice();

/// level_choice().level.
[[nodiscard]] ProcessorLevel used_level();

}  // namespace sizewise::kernels
