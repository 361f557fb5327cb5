#include "kernels/processor_level.hpp"

#include <gmock/gmock.h>

namespace sizewise::kernels {
namespace {

using ::testing::HasSubstr;

const std::vector<ProcessorLevel> kAll(kProcessorLevels.begin(), kProcessorLevels.end());

std::string no_fault(ProcessorLevel) {
  return "";
}

LevelChoice capped(const std::string& onednn, const std::string& aten) {
  return choose_level(kAll, {onednn, aten}, no_fault);
}

TEST(ProcessorLevel, IsTheFastestThatIsExact) {
  const LevelChoice choice = capped("", "");
  EXPECT_EQ(choice.level, ProcessorLevel::kAvx512Vnni);
  EXPECT_EQ(choice.reason, "exact in the self-test");
}

TEST(ProcessorLevel, IsNotOneWithAFault) {
  const LevelChoice choice = choose_level(kAll, {}, [](ProcessorLevel level) {
    return level > ProcessorLevel::kAvx2 ? "int8 sums" : "";
  });
  EXPECT_EQ(choice.level, ProcessorLevel::kAvx2);
  EXPECT_EQ(
      choice.reason,
      "avx512_vnni is not exact: int8 sums; avx_vnni is not exact: int8 sums; exact "
      "in the self-test");
}

TEST(ProcessorLevel, IsPortableWhereNothingIsLeft) {
  const auto all_bad = [](ProcessorLevel) {
    return std::string("sums");
  };
  const LevelChoice choice = choose_level(kAll, {}, all_bad);
  EXPECT_EQ(choice.level, ProcessorLevel::kPortable);
  EXPECT_THAT(choice.reason, HasSubstr("portable is not exact: sums; no other level"));
}

TEST(ProcessorLevel, IsCappedByOnednn) {
  const std::pair<const char*, ProcessorLevel> expected[] = {
      {"SSE41", ProcessorLevel::kPortable},
      {"AVX", ProcessorLevel::kPortable},
      {"AVX2", ProcessorLevel::kAvx2},
      {"avx2", ProcessorLevel::kAvx2},
      {"AVX2_VNNI", ProcessorLevel::kAvxVnni},
      {"AVX2_VNNI_2", ProcessorLevel::kAvxVnni},
      {"AVX512_CORE", ProcessorLevel::kAvx2},
      {"AVX512_CORE_VNNI", ProcessorLevel::kAvx512Vnni},
      {"AVX512_CORE_AMX", ProcessorLevel::kAvx512Vnni},
      {"DEFAULT", ProcessorLevel::kAvx512Vnni},
  };
  for (const auto& [isa, level] : expected) {
    EXPECT_EQ(capped(isa, "").level, level) << isa;
  }
  EXPECT_THAT(capped("AVX2", "").reason,
              HasSubstr("avx512_vnni is capped by ONEDNN_MAX_CPU_ISA=AVX2"));
}

TEST(ProcessorLevel, IsCappedByAten) {
  EXPECT_EQ(capped("", "default").level, ProcessorLevel::kPortable);
  EXPECT_EQ(capped("", "avx2").level, ProcessorLevel::kAvx2);
  EXPECT_EQ(capped("", "avx512").level, ProcessorLevel::kAvx512Vnni);
  EXPECT_EQ(capped("AVX2_VNNI", "avx2").level, ProcessorLevel::kAvx2);
  EXPECT_THAT(capped("", "default").reason,
              HasSubstr("avx2 is capped by ATEN_CPU_CAPABILITY=default"));
}

TEST(ProcessorLevel, OfThisProcessIsRunnable) {
  const std::vector<ProcessorLevel> runnable = runnable_levels();
  EXPECT_EQ(runnable.front(), ProcessorLevel::kPortable);
  EXPECT_THAT(runnable, ::testing::Contains(used_level()));
  EXPECT_THAT(level_choice().reason, HasSubstr("exact in the self-test"));
  RecordProperty("level", std::string(name_of(used_level())));
}

}  // namespace
}  // namespace sizewise::kernels
