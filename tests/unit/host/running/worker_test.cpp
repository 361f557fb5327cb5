#include "running/worker.hpp"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "scripted.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerProgram program(const json& script) {
    return {sizewise::testing::script_worker(folder_, script), log(), {}};
  }
  [[nodiscard]] std::filesystem::path log() const { return folder_.path() / "log"; }

  static Error fault_of(Worker& worker,
                        const std::string& method,
                        std::chrono::milliseconds patience = kPatience) {
    try {
      worker.call(
          method, {{"size", 8}, {"tokens", 80}}, "trial abc", {.patience = patience});
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "nothing was thrown"};
  }

  static json train_fault(const std::string& kind) {
    return {{"faults", {{{"method", "train"}, {"kind", kind}}}}};
  }

  sizewise::testing::TemporaryFolder folder_;
};

TEST_F(WorkerTest, AnswersAndSendsEvents) {
  Worker worker(program({{"seconds", 0.02}}));
  int events = 0;
  const json result = worker.call("train",
                                  {{"size", 8}, {"tokens", 80}},
                                  "trial abc",
                                  {.on_event = [&](const json& event) {
                                    EXPECT_EQ(event.at("event"), "progress");
                                    ++events;
                                  }});
  EXPECT_EQ(result.at("status"), "done");
  EXPECT_EQ(events, 4);
  EXPECT_THAT(worker.request_log(), HasSubstr("trained size 8 on 80"));
}

TEST_F(WorkerTest, PassesOnTheWorkersError) {
  json script = train_fault("error");
  script["faults"][0]["code"] = "training";
  Worker worker(program(script));
  const Error error = fault_of(worker, "train");
  EXPECT_EQ(error.code(), ErrorCode::kTraining);
  EXPECT_EQ(error.message(), "refused by the script");
  EXPECT_EQ(worker.call("describe", {{"sizes", {8}}}).at("sizes").size(), 1U);
}

TEST_F(WorkerTest, NamesTheSignalTheMethodTheTrialAndTheLog) {
  Worker worker(program(train_fault("segv")));
  EXPECT_THAT(fault_of(worker, "train").message(),
              AllOf(HasSubstr("signal 11 (SIGSEGV)"),
                    HasSubstr("`train` of trial abc"),
                    HasSubstr("its log ends: about to segv")));
  EXPECT_THAT(fault_of(worker, "train").message(), HasSubstr("SIGSEGV"))
      << "a dead worker stays dead";
}

TEST_F(WorkerTest, NoticesAnExitWithoutAnAnswer) {
  Worker worker(program(train_fault("exit0")));
  EXPECT_THAT(fault_of(worker, "train").message(), HasSubstr("exited with status 0"));
}

TEST_F(WorkerTest, KillsAWorkerThatIsSilentForTooLong) {
  Worker worker(program(train_fault("hang")));
  const Error error = fault_of(worker, "train", std::chrono::milliseconds(200));
  EXPECT_THAT(error.message(), HasSubstr("said nothing for"));
  EXPECT_NE(::kill(worker.process().pid(), 0), 0) << "the process is gone";
}

TEST_F(WorkerTest, RefusesWhatIsNotTheProtocol) {
  for (const char* kind : {"garbage", "huge_frame", "wrong_id"}) {
    Worker worker(program(train_fault(kind)));
    EXPECT_THAT(fault_of(worker, "train").message(), HasSubstr("broke the protocol"))
        << kind;
  }
}

TEST_F(WorkerTest, SurvivesAFloodOnStandardOutput) {
  Worker worker(program(
      {{"faults", {{{"method", "train"}, {"kind", "flood"}, {"mebibytes", 20}}}}}));
  EXPECT_EQ(worker.call("train", {{"size", 8}, {"tokens", 80}}).at("status"), "done");
  EXPECT_GE(worker.process().log_size(), 20U << 20U);
  EXPECT_LE(worker.request_log().size(), 64U * 1024U);
  worker.limit_log(1U << 20U);
  EXPECT_LE(worker.process().log_size(), 64U * 1024U);
  EXPECT_THAT(worker.request_log(), HasSubstr("trained size 8 on 80"))
      << "the end of the log outlives its shortening";
}

TEST_F(WorkerTest, RefusesAnotherProtocol) {
  EXPECT_THROW(
      {
        try {
          Worker worker(program({{"protocol", 9}}));
          worker.greeting();
        } catch (const Error& error) {
          EXPECT_THAT(
              error.message(),
              AllOf(HasSubstr("speaks protocol 9"), HasSubstr("program speaks 1")));
          throw;
        }
      },
      Error);
}

TEST_F(WorkerTest, GreetsOnce) {
  Worker worker(program(json::object()));
  EXPECT_EQ(worker.greeting().at("version"), "scripted");
  EXPECT_EQ(worker.call("dataset", {}).at("fingerprint"), "scripted");
  EXPECT_EQ(worker.greeting().at("version"), "scripted");
}

TEST_F(WorkerTest, KeepsTheLogInMemoryWhereNoFileIsNamed) {
  WorkerProgram in_memory = program(json::object());
  in_memory.log.clear();
  Worker worker(in_memory);
  worker.call("train", {{"size", 8}, {"tokens", 80}});
  EXPECT_THAT(worker.request_log(), HasSubstr("trained size 8 on 80"));
}

TEST_F(WorkerTest, SaysWhereItLookedForAProgram) {
  try {
    const Worker worker({folder_.path() / "nothing", log(), {}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr((folder_.path() / "nothing").string()));
  }
}

TEST_F(WorkerTest, RefusesAFileThatIsNoProgram) {
  sizewise::testing::write_text(folder_.path() / "text", "hello");
  EXPECT_THROW(Worker({folder_.path() / "text", log(), {}}), Error);
}

TEST_F(WorkerTest, LeavesNoProcessBehind) {
  pid_t pid = 0;
  {
    Worker worker(program(train_fault("hang")));
    worker.send("train", {{"size", 8}}, "trial abc");
    pid = worker.process().pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(WorkerTest, ToldToStopItWaitsNoLonger) {
  Worker worker(program(train_fault("hang")));
  std::atomic<bool> stop{false};
  std::thread finger([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(
      worker.call("train", {{"size", 8}, {"tokens", 80}}, "trial abc", {.stop = &stop}),
      Stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_TRUE(worker.gone());
  EXPECT_NE(::kill(worker.process().pid(), 0), 0) << "the process is gone";
  finger.join();
}

TEST_F(WorkerTest, TicksWhileItWaits) {
  json script = train_fault("slow");
  script["faults"][0]["seconds"] = 0.5;
  Worker worker(program(script));
  int ticks = 0;
  worker.call("train", {{"size", 8}, {"tokens", 80}}, "trial abc", {.on_tick = [&] {
                ++ticks;
              }});
  EXPECT_GE(ticks, 3);
}

TEST_F(WorkerTest, WhatADeadWorkerStartedDiesToo) {
  Worker worker(program(train_fault("orphan")));
  const std::string message = fault_of(worker, "train").message();
  const std::size_t place = message.find("orphan ");
  ASSERT_NE(place, std::string::npos) << message;
  const int orphan = std::stoi(message.substr(place + 7));
  // Whoever inherits it reaps it a moment later: what counts is that it does not run on.
  const std::string stat = "/proc/" + std::to_string(orphan) + "/stat";
  for (int i = 0;
       i < 100 && sizewise::testing::read_text(stat).find(") S") != std::string::npos;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(sizewise::testing::read_text(stat).find(") S"), std::string::npos);
}

TEST_F(WorkerTest, QuotesTheLastWordsOfAWorkerThatDidNotHearTheRequest) {
  Worker worker(program({{"faults", {{{"method", "hello"}, {"kind", "segv"}}}}}));
  while (worker.process().ending(std::chrono::seconds(5)) == std::nullopt) {
  }
  EXPECT_THAT(fault_of(worker, "train").message(),
              AllOf(HasSubstr("SIGSEGV"), HasSubstr("its log ends: about to segv")));
}

TEST_F(WorkerTest, ReadsTheAnswerOfAWorkerThatIsGoneByNow) {
  json script = {{"faults", {{{"method", "hello"}, {"kind", "answer"}}}}};
  script["faults"][0]["result"] = {{"protocol", 9}};
  script["faults"].push_back({{"method", "train"}, {"kind", "exit0"}});
  Worker worker(program(script));
  worker.send("train", {{"size", 8}}, "trial abc");
  while (worker.process().ending(std::chrono::seconds(5)) == std::nullopt) {
  }
  EXPECT_THAT(fault_of(worker, "train").message(), HasSubstr("speaks protocol 9"));
}

TEST_F(WorkerTest, RefusesARequestThatIsNotUtf8) {
  Worker worker(program(json::object()));
  try {
    worker.call("train", {{"path", "caf\xe9"}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("not UTF-8"));
  }
  EXPECT_EQ(worker.call("dataset", {}).at("fingerprint"), "scripted");
}

TEST_F(WorkerTest, SendingToADeadWorkerRaisesNoSignal) {
  Worker worker(program(json::object()));
  worker.kill();
  EXPECT_THAT(fault_of(worker, "train").message(), HasSubstr("died by signal 9"));
}

}  // namespace
}  // namespace sizewise::running
