#include "progress_display.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Progress half_way() {
  Progress progress;
  progress.trials_planned = 4;
  progress.trials_finished = 2;
  progress.flops_planned = 100;
  progress.flops_finished = 50;
  progress.units_per_second = 1000;
  progress.loss = 2.5;
  progress.seconds_left = 61;
  return progress;
}

TEST(ProgressLine, SaysHowFarHowWellAndHowFast) {
  Progress progress = half_way();
  progress.unit = "example";
  EXPECT_EQ(ProgressDisplay::line_of(progress, false),
            " 50 %  2/4 trials  loss 2.500  1000 examples/s  1 min 1 s left");
  EXPECT_THAT(ProgressDisplay::line_of(progress, true), HasSubstr("[######......]"));
}

TEST(ProgressLine, IsNotAtTheEndWhileATrialMeasuresItsLoss) {
  Progress progress = half_way();
  progress.flops_finished = progress.flops_planned;
  progress.trials_finished = 3;
  progress.seconds_left = 0;
  progress.validating = true;
  EXPECT_THAT(ProgressDisplay::line_of(progress, false),
              AllOf(HasSubstr(" 99 %"), HasSubstr("validating"), Not(HasSubstr("left"))));
  progress.trials_finished = 4;
  progress.validating = false;
  EXPECT_THAT(ProgressDisplay::line_of(progress, false), HasSubstr("100 %"));
}

TEST(ProgressLine, SaysTheStageOfAQuantizationAndHowFarItIs) {
  const StageProgress progress{"calibrate", 8, 32};
  EXPECT_EQ(ProgressDisplay::line_of(progress, false), "calibrate  8/32");
  EXPECT_EQ(ProgressDisplay::line_of(progress, true), "[###.........] calibrate  8/32");
  EXPECT_EQ(ProgressDisplay::line_of({"probe", 0, 0}, true), "[............] probe  0/0");
  const StageProgress bytes{"quantize", 512'000'000, 1'024'000'000};
  EXPECT_EQ(ProgressDisplay::line_of(bytes, false), "quantize  50 %");
}

TEST(ProgressLine, FitsATerminal) {
  Progress progress = half_way();
  progress.trials_planned = progress.trials_finished = 123456789;
  progress.unit = std::string(60, 'u');
  EXPECT_LE(ProgressDisplay::line_of(progress, true).size(), 79U);
}

}  // namespace
}  // namespace sizewise::cli
