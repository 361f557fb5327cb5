#include "running/run_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sizewise/error.hpp"

#include "scripted.hpp"

namespace sizewise::running {
namespace {

using sizewise::testing::read_text;
using sizewise::testing::TemporaryFolder;
using sizewise::testing::write_text;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RunDirectoryTest : public ::testing::Test {
 protected:
  RunDirectoryTest() { experiment_.model.plugin = "gpt"; }

  template <class Call>
  static Error fault_of(Call&& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "nothing was thrown"};
  }

  TemporaryFolder folder_;
  std::filesystem::path run_ = folder_.path() / "run";
  Experiment experiment_;
  planning::Plan plan_;
};

TEST_F(RunDirectoryTest, HoldsWhatItWasMadeWith) {
  static_cast<void>(RunDirectory::create(run_, experiment_, plan_));
  const RunDirectory again = RunDirectory::open(run_);
  EXPECT_EQ(again.experiment().to_json(), experiment_.to_json());
  EXPECT_NO_THROW(static_cast<void>(again.plan()));
}

TEST_F(RunDirectoryTest, NoticesAnEditedExperiment) {
  static_cast<void>(RunDirectory::create(run_, experiment_, plan_));
  Experiment edited = experiment_;
  edited.recipe.seed = 7;
  write_text(run_ / "experiment.json", edited.to_json());
  const RunDirectory again = RunDirectory::open(run_);
  const Error error = fault_of([&] {
    static_cast<void>(again.plan());
  });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("experiment.json"), HasSubstr("changed")));
  EXPECT_THAT(error.suggestion(), HasSubstr("--run-dir"));
}

TEST_F(RunDirectoryTest, OnlyOneOfTwoThatBeginAtOnceDoes) {
  const RunDirectory first = RunDirectory::create(run_, experiment_, plan_);
  EXPECT_THAT(fault_of([&] {
                static_cast<void>(RunDirectory::create(run_, experiment_, plan_));
              }).message(),
              HasSubstr("works in"));
}

TEST_F(RunDirectoryTest, BeginsNoSecondRunWhereOneEnded) {
  static_cast<void>(RunDirectory::create(run_, experiment_, plan_));
  const std::string before = read_text(run_ / "plan.json");
  plan_.threads = 7;
  const Error error = fault_of([&] {
    static_cast<void>(RunDirectory::create(run_, experiment_, plan_));
  });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_EQ(read_text(run_ / "plan.json"), before);
}

TEST_F(RunDirectoryTest, SaysWhereAnOutcomeCannotBeRemoved) {
  const RunDirectory directory = RunDirectory::create(run_, experiment_, plan_);
  EXPECT_NO_THROW(directory.remove_outcome());
  std::filesystem::create_directories(run_ / "outcome.json" / "in the way");
  EXPECT_EQ(fault_of([&] {
              directory.remove_outcome();
            }).code(),
            ErrorCode::kIo);
}

TEST_F(RunDirectoryTest, AResultThatIsThereStays) {
  const RunDirectory directory = RunDirectory::create(run_, experiment_, plan_);
  TrialResult result;
  result.trial = "abc";
  result.status = "done";
  result.loss = 2;
  EXPECT_EQ(directory.commit(result), Commit::kWritten);
  result.loss = 1;
  EXPECT_EQ(directory.commit(result), Commit::kThere);
  planning::Trial trial;
  trial.id = "abc";
  std::vector<std::string> warnings;
  EXPECT_EQ(directory.results({trial}, warnings).at("abc").loss, 2);
}

}  // namespace
}  // namespace sizewise::running
