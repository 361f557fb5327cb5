#include "running/worker_pool.hpp"

#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using planning::Trial;
using ::testing::HasSubstr;

class WorkerPoolTest : public ::testing::Test {
 protected:
  PoolSettings settings(const json& script, int jobs = 2) {
    json whole = script;
    whole["count"] = (folder_.path() / "count").string();
    PoolSettings made;
    made.program.program = sizewise::testing::script_worker(folder_, whole);
    made.jobs = jobs;
    return made;
  }

  PoolListener listener() {
    return {[this](const Trial& trial, TrialResult result, const std::string& log) {
              finished_[trial.id] = std::move(result);
              logs_[trial.id] = log;
            },
            [this](const Trial&, const json&) {
              ++events_;
            },
            [this](const std::string& text) {
              warnings_.push_back(text);
            },
            [this] {
              ++ticks_;
            },
            [](const Trial&) {
              return std::string();
            }};
  }

  static std::vector<Trial> trials(std::size_t number) {
    std::vector<Trial> made(number);
    for (std::size_t i = 0; i < number; ++i) {
      made[i].id = "trial" + std::to_string(i);
      made[i].size = static_cast<int64_t>(8 * (i + 1));
      made[i].tokens = 800;
      made[i].flops_per_unit = static_cast<double>(i + 1);
    }
    return made;
  }

  sizewise::testing::TemporaryFolder folder_;
  std::map<std::string, TrialResult> finished_;
  std::map<std::string, std::string> logs_;
  std::vector<std::string> warnings_;
  int events_ = 0;
  int ticks_ = 0;
};

TEST_F(WorkerPoolTest, TrainsEveryTrialOnce) {
  WorkerPool pool(settings(json::object(), 3));
  EXPECT_TRUE(pool.run(json::object(), trials(10), listener()));
  EXPECT_EQ(finished_.size(), 10U);
  EXPECT_EQ(events_, 10);
  EXPECT_GT(ticks_, 0);
  EXPECT_THAT(logs_["trial3"], HasSubstr("trained size 32"));
  EXPECT_THAT(logs_["trial3"], ::testing::Not(HasSubstr("size 40")));
}

TEST_F(WorkerPoolTest, HandsOutTheLargestFirst) {
  WorkerPool pool(settings(json::object(), 1));
  pool.run(json::object(), trials(3), listener());
  EXPECT_EQ(sizewise::testing::read_text(folder_.path() / "count"),
            "24 800\n16 800\n8 800\n");
}

TEST_F(WorkerPoolTest, WorksSideBySide) {
  const auto seconds = [&](int jobs) {
    WorkerPool pool(settings({{"seconds", 0.2}}, jobs));
    pool.run(json::object(), trials(8), listener());  // starts the workers
    const auto start = std::chrono::steady_clock::now();
    pool.run(json::object(), trials(8), listener());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
        .count();
  };
  EXPECT_LT(seconds(8), 0.7 * seconds(1));
}

TEST_F(WorkerPoolTest, TriesATrialWhoseWorkerDiedOnceMore) {
  WorkerPool pool(settings({{"faults",
                             {{{"method", "train"},
                               {"kind", "segv"},
                               {"size", 16},
                               {"times", 1},
                               {"mark", (folder_.path() / "mark").string()}}}}}));
  EXPECT_TRUE(pool.run(json::object(), trials(4), listener()));
  EXPECT_EQ(finished_["trial1"].status, "done");
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("is tried once more"));
  EXPECT_THAT(warnings_[0], HasSubstr("SIGSEGV"));
}

TEST_F(WorkerPoolTest, FailsATrialWhoseWorkerDiesTwiceAndGoesOn) {
  for (const char* kind : {"segv", "exit0", "garbage", "wrong_id"}) {
    finished_.clear();
    WorkerPool pool(
        settings({{"faults", {{{"method", "train"}, {"kind", kind}, {"size", 16}}}}}));
    EXPECT_TRUE(pool.run(json::object(), trials(4), listener()));
    EXPECT_EQ(finished_["trial1"].status, "failed") << kind;
    EXPECT_FALSE(finished_["trial1"].reason.empty());
    EXPECT_EQ(finished_["trial0"].status, "done");
    EXPECT_EQ(finished_["trial3"].status, "done");
  }
}

TEST_F(WorkerPoolTest, FailsARefusedTrialAtOnce) {
  WorkerPool pool(settings(
      {{"faults", {{{"method", "train"}, {"kind", "error"}, {"size", 16}}}}}, 1));
  EXPECT_TRUE(pool.run(json::object(), trials(3), listener()));
  EXPECT_EQ(finished_["trial1"].status, "failed");
  EXPECT_EQ(finished_["trial1"].reason, "refused by the script");
}

TEST_F(WorkerPoolTest, StopsWhereAWorkerCannotWrite) {
  WorkerPool pool(settings(
      {{"faults",
        {{{"method", "train"}, {"kind", "error"}, {"code", "io"}, {"size", 16}}}}},
      1));
  EXPECT_THROW(pool.run(json::object(), trials(3), listener()), Error);
}

TEST_F(WorkerPoolTest, KillsAWorkerThatHangs) {
  PoolSettings hanging =
      settings({{"faults", {{{"method", "train"}, {"kind", "hang"}, {"size", 16}}}}});
  hanging.patience = std::chrono::milliseconds(2500);  // a worker starts in that
  WorkerPool pool(hanging);
  EXPECT_TRUE(pool.run(json::object(), trials(3), listener()));
  EXPECT_EQ(finished_["trial1"].status, "failed");
  EXPECT_THAT(finished_["trial1"].reason, HasSubstr("said nothing"));
  EXPECT_EQ(finished_["trial2"].status, "done");
}

TEST_F(WorkerPoolTest, StopsSoonWhenTold) {
  std::atomic<bool> stop{false};
  PoolSettings slow = settings({{"seconds", 60}});
  slow.stop = &stop;
  WorkerPool pool(slow);
  std::thread finger([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(pool.run(json::object(), trials(3), listener()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_TRUE(finished_.empty());
  finger.join();
}

TEST_F(WorkerPoolTest, KeepsItsWorkersBetweenRounds) {
  WorkerPool pool(settings(json::object(), 1));
  const pid_t before = pool.idle_worker().process().pid();
  pool.run(json::object(), trials(2), listener());
  pool.run(json::object(), trials(2), listener());
  EXPECT_EQ(pool.idle_worker().process().pid(), before);
}

}  // namespace
}  // namespace sizewise::running
