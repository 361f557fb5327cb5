#include "planning/processors.hpp"

#include <gtest/gtest.h>

namespace sizewise::planning {
namespace {

TEST(Processors, GiveASweepOneThreadAWorker) {
  const Slots slots = choose_slots(0, 0, "cpu", 8);
  EXPECT_EQ(slots.jobs, 8);
  EXPECT_EQ(slots.threads, 1);
}

TEST(Processors, FillTheCoresWithWiderWorkers) {
  EXPECT_EQ(choose_slots(0, 4, "cpu", 8).jobs, 2);
  EXPECT_EQ(choose_slots(0, 16, "cpu", 8).jobs, 1);
}

TEST(Processors, DoAsTheyAreTold) {
  const Slots slots = choose_slots(3, 2, "cpu", 8);
  EXPECT_EQ(slots.jobs, 3);
  EXPECT_EQ(slots.threads, 2);
}

TEST(Processors, TheNumberOfJobsNeverChangesTheThreads) {
  // Threads are part of what determines a trial, jobs are not.
  EXPECT_EQ(choose_slots(1, 0, "cpu", 8).threads, choose_slots(8, 0, "cpu", 8).threads);
}

TEST(Processors, GiveAGpuOneWorker) {
  EXPECT_EQ(choose_slots(0, 0, "cuda", 8).jobs, 1);
  EXPECT_EQ(choose_slots(2, 0, "cuda:1", 8).jobs, 2);
}

TEST(Processors, ThereIsAtLeastOneCore) {
  EXPECT_GE(usable_cores(), 1);
}

}  // namespace
}  // namespace sizewise::planning
