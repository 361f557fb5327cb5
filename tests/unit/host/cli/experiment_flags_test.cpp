#include "experiment_flags.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "files.hpp"

namespace sizewise::cli {
namespace {

using loading::error_of;
using loading::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExperimentFlagsTest : public loading::ScratchFolder {
 protected:
  ExperimentFlagsTest() : line_("sizewise plan [flags]", "A test.") {
    add_experiment_flags(line_);
    copy_plugin("good_fit", "good_fit.so");
    copy_plugin("plain_c", "plain_c.so");
    catalog_ = loading::PluginCatalog::scan({{folder()}});
  }

  Experiment experiment(const Arguments& arguments) {
    Console console(out_.file(), err_.file());
    EXPECT_TRUE(line_.parse(arguments, console));
    return experiment_from(line_, catalog_);
  }

  std::string config(const std::string& text) {
    write_bytes(folder() / "config.json", text);
    return (folder() / "config.json").string();
  }

  CommandLine line_;
  loading::PluginCatalog catalog_;
  CapturedStream out_;
  CapturedStream err_;
};

TEST_F(ExperimentFlagsTest, TakeTheDefaultsWhereNothingIsSaid) {
  const Experiment made = experiment({});
  EXPECT_EQ(made.to_json(), Experiment{}.to_json());
}

TEST_F(ExperimentFlagsTest, PutTheCommandLineBeforeTheFile) {
  const std::string file = config(R"({
    "fit": {"plugin": "good_fit", "options": {"coefficient": 4.0, "fault": "error"}},
    "budgets": [1e9], "bootstrap": 10,
    "recipe": {"learning_rate": 0.5, "batch_size": 8}})");
  const Experiment made = experiment({"--config",
                                      file,
                                      "--fit-option",
                                      "coefficient=8",
                                      "--learning-rate",
                                      "1e-2",
                                      "--seed",
                                      "3"});
  EXPECT_EQ(made.fit.options.get<double>("coefficient"), 8.0);
  EXPECT_EQ(made.fit.options.get<std::string>("fault"), "error");
  EXPECT_EQ(made.recipe.learning_rate, 1e-2);
  EXPECT_EQ(made.recipe.batch_size, 8);
  EXPECT_EQ(made.recipe.seed, 3U);
  EXPECT_EQ(made.bootstrap, 10);
  EXPECT_THAT(made.budgets, ElementsAre(Flops(1e9)));
}

TEST_F(ExperimentFlagsTest, DropTheFilesOptionsWithItsPlugin) {
  const std::string file =
      config(R"({"fit": {"plugin": "good_fit", "options": {"coefficient": 4.0}}})");
  const Experiment made = experiment({"--config", file, "--fit", "plain_c"});
  EXPECT_EQ(made.fit.plugin, "plain_c");
  EXPECT_FALSE(made.fit.options.has("coefficient"));
}

TEST_F(ExperimentFlagsTest, ReadBudgets) {
  const Experiment made = experiment(
      {"--budgets", "1e9:1e11:3", "--target-budget", "1e12", "--target-budget", "1e13"});
  EXPECT_EQ(made.budgets.size(), 3U);
  EXPECT_THAT(made.target_budgets, ElementsAre(Flops(1e12), Flops(1e13)));
}

TEST_F(ExperimentFlagsTest, RefuseAnUnknownOptionOfAPlugin) {
  const Error error = error_of([&] {
    (void)experiment({"--fit", "good_fit", "--fit-option", "coeficient=2"});
  });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(
      error.message(),
      "unknown option 'coeficient' of plugin 'good_fit'; did you mean 'coefficient' "
      "(number, at least 0, default 2.5)?");
}

TEST_F(ExperimentFlagsTest, RefuseAnOptionThatIsNoPairOrHasNoPlugin) {
  EXPECT_EQ(error_of([&] {
              (void)experiment({"--fit", "good_fit", "--fit-option", "coefficient"});
            }).message(),
            "--fit-option is 'coefficient'; allowed: KEY=VALUE");
  CommandLine line("sizewise x", "x");
  line.plugin(PluginKind::kModel);
  Console console(out_.file(), err_.file());
  ASSERT_TRUE(line.parse({"--model-option", "a=b"}, console));
  EXPECT_EQ(error_of([&] {
              (void)choice_from(line, PluginKind::kModel, catalog_);
            }).message(),
            "--model-option is given, but no model");
}

TEST_F(ExperimentFlagsTest, RefuseABadRecipe) {
  EXPECT_THAT(error_of([&] {
                (void)experiment({"--optimizer", "adam"});
              }).message(),
              HasSubstr("--optimizer is \"adam\"; allowed: adamw, sgd"));
}

TEST_F(ExperimentFlagsTest, NameTheFlagOfABadRecipeNotItsField) {
  const Error error = error_of([&] {
    (void)experiment({"--learning-rate", "-1"});
  });
  EXPECT_THAT(error.message(), HasSubstr("--learning-rate is -1"));
  EXPECT_NE(error.suggestion(), "");
}

TEST_F(ExperimentFlagsTest, NameTheFlagsOfABatchThatCannotBeSplit) {
  EXPECT_THAT(error_of([&] {
                (void)experiment({"--accumulate", "8", "--batch-size", "4"});
              }).message(),
              HasSubstr("--accumulate is 8, more than --batch-size 4"));
}

TEST_F(ExperimentFlagsTest, RefuseAnOptionThatIsSetTwice) {
  const Error error = error_of([&] {
    (void)experiment({"--fit",
                      "good_fit",
                      "--fit-option",
                      "coefficient=2",
                      "--fit-option",
                      "coefficient=3"});
  });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_THAT(error.message(), HasSubstr("--fit-option sets 'coefficient' twice"));
}

TEST_F(ExperimentFlagsTest, SayWhatIsWrongWithAFileInPlainWords) {
  const Error error = error_of([&] {
    (void)experiment({"--config", config("{\"budgets\": [1e9")});
  });
  EXPECT_THAT(error.message(), HasSubstr("line 1, column"));
  EXPECT_THAT(error.message(), ::testing::Not(HasSubstr("json.exception")));
}

TEST_F(ExperimentFlagsTest, NameTheConfigFileThatIsWrong) {
  const std::string file = config("{\"modle\": \"mlp\"}");
  const Error wrong = error_of([&] {
    (void)experiment({"--config", file});
  });
  EXPECT_THAT(wrong.message(), HasSubstr(file));
  EXPECT_THAT(wrong.suggestion(), HasSubstr("did you mean 'model'?"));
  CommandLine line("sizewise x", "x");
  add_experiment_flags(line);
  Console console(out_.file(), err_.file());
  ASSERT_TRUE(line.parse({"--config", (folder() / "none.json").string()}, console));
  EXPECT_EQ(error_of([&] {
              (void)experiment_from(line, catalog_);
            }).code(),
            ErrorCode::kIo);
}

TEST_F(ExperimentFlagsTest, ResolveAChoiceToACompletePlugin) {
  Console console(out_.file(), err_.file());
  const ChosenPlugin chosen =
      resolve_choice({"good_fit", Options::from_json(R"({"coefficient": 1})")},
                     PluginKind::kFit,
                     catalog_,
                     console);
  EXPECT_EQ(chosen.options.get<double>("coefficient"), 1.0);
  EXPECT_EQ(chosen.options.get<std::string>("fault"), "none");
  EXPECT_EQ(error_of([&] {
              (void)resolve_choice({}, PluginKind::kModel, catalog_, console);
            }).message(),
            "no model is chosen");
}

}  // namespace
}  // namespace sizewise::cli
