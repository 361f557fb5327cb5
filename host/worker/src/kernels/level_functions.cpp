#include "kernels/level_functions.hpp"

namespace sizewise::kernels {

const LevelFunctions& functions_of(ProcessorLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case ProcessorLevel::kAvx2:
      return avx2_functions();
    case ProcessorLevel::kAvxVnni:
      return avx_vnni_functions();
    case ProcessorLevel::kAvx512Vnni:
      return avx512_vnni_functions();
    case ProcessorLevel::kPortable:
      break;
  }
#else
  static_cast<void>(level);
#endif
  return portable_functions();
}

const LevelFunctions& used_functions() {
  static const LevelFunctions* const kUsed = &functions_of(used_level());
  return *kUsed;
}

}  // namespace sizewise::kernels
