#include "loading/plugin_instance.hpp"

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/fit.hpp"

#include "files.hpp"

namespace sizewise::loading {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

PluginFile plugin(const std::string& id) {
  return inspect_plugin(test_plugin(id));
}

std::shared_ptr<Fit> good_fit(const std::string& options) {
  const PluginFile file = plugin("good_fit");
  return instantiate<Fit>(file,
                          file.manifest.options.resolve(Options::from_json(options)));
}

Error refusal_of(const std::string& id) {
  const Error error = error_of([&] {
    (void)instantiate<Fit>(plugin(id), {});
  });
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  return error;
}

TEST(PluginInstance, DoesWhatThePluginDoes) {
  RunTable runs;
  runs.add_numbers("params", {1, 2, 3});
  const FitResult result = good_fit(R"({"coefficient": 7.25})")->fit({runs, {}, nullptr});
  EXPECT_EQ(result.law.value("k"), 7.25);
  EXPECT_EQ(result.objective, 3.0);
}

TEST(PluginInstance, StaysMappedWhenItIsGone) {
  good_fit("{}").reset();
  EXPECT_THAT(bytes_of("/proc/self/maps"), HasSubstr("good_fit.so"));
}

TEST(PluginInstance, GivesThePluginsOwnErrorItsNameAndKeepsItsCode) {
  const Error error = error_of([] {
    (void)good_fit(R"({"fault": "create"})");
  });
  EXPECT_EQ(error.code(), ErrorCode::kFit);
  EXPECT_EQ(error.message(), "plugin 'good_fit': cannot be made today");
  EXPECT_EQ(error.suggestion(), "ask it for another fault");
}

TEST(PluginInstance, NamesWhatIsMissing) {
  EXPECT_THAT(refusal_of("no_entry").message(),
              AllOf(StartsWith("E_NO_ENTRY"), HasSubstr("sizewise_plugin_v1")));
  EXPECT_THAT(refusal_of("missing_symbol").message(),
              AllOf(StartsWith("E_DLOPEN"), HasSubstr("absent::answer_of(long)")));
  EXPECT_THAT(refusal_of("missing_library").message(),
              AllOf(StartsWith("E_DLOPEN"), HasSubstr("needs libabsent_library.so")));
}

TEST(PluginInstance, ChecksEachFieldOfTheDescriptor) {
  const auto message = [](const std::string& id) {
    return refusal_of(id).message();
  };
  EXPECT_THAT(message("null_descriptor"),
              AllOf(StartsWith("E_DESCRIPTOR"), HasSubstr("address"), HasSubstr("null")));
  EXPECT_THAT(message("wrong_magic"), HasSubstr("is 0x1234; allowed: 0x31575a53"));
  EXPECT_THAT(message("small_struct"), HasSubstr("is 16 bytes; allowed: at least"));
  EXPECT_THAT(message("other_major"), HasSubstr("is 2.0; allowed: 1.0 to 1.0"));
  EXPECT_THAT(message("newer_minor"), HasSubstr("is 1.7; allowed: 1.0 to 1.0"));
  EXPECT_THAT(message("other_kind"), HasSubstr("is sweep (4); allowed: fit"));
  EXPECT_THAT(message("no_destroy"), HasSubstr("destroy"));
}

TEST(PluginInstance, RefusesACreateThatBreaksItsContract) {
  EXPECT_THAT(refusal_of("throwing_create").message(),
              AllOf(StartsWith("E_THROW"), HasSubstr("let out by hand")));
  EXPECT_THAT(refusal_of("no_instance").message(), StartsWith("E_CREATE"));
  EXPECT_THAT(refusal_of("silent_refusal").message(), HasSubstr("gave no reason"));
}

TEST(PluginInstance, RefusesAnInterfaceThatThePluginLacks) {
  EXPECT_THAT(refusal_of("plain_c").message(),
              AllOf(StartsWith("E_DESCRIPTOR"), HasSubstr("sizewise.fit/1")));
}

TEST(PluginInstance, HandsThePluginsLinesToTheLog) {
  std::vector<std::string> lines;
  Options options;
  options.set("coefficient", 1.5);
  EXPECT_THROW((void)instantiate<Fit>(plugin("plain_c"),
                                      options,
                                      nullptr,
                                      [&](int level, std::string_view line) {
                                        lines.push_back(std::to_string(level) + " " +
                                                        std::string(line));
                                      }),
               Error);
  EXPECT_THAT(lines, ElementsAre("1 {\"coefficient\":1.5}"));
}

TEST(CallPlugin, TurnsWhateverIsThrownIntoAnErrorThatNamesThePlugin) {
  const RunTable runs;
  const auto thrown_by = [&](const std::string& fault) {
    const auto fit = good_fit(R"({"fault": ")" + fault + "\"}");
    return error_of([&] {
      (void)call_plugin("good_fit", [&] {
        return fit->fit({runs, {}, nullptr});
      });
    });
  };
  EXPECT_EQ(thrown_by("error").code(), ErrorCode::kInput);
  EXPECT_EQ(thrown_by("error").message(), "plugin 'good_fit': the column is wrong");
  EXPECT_EQ(thrown_by("error").suggestion(), "mend it");
  EXPECT_EQ(thrown_by("exception").code(), ErrorCode::kPlugin);
  EXPECT_THAT(thrown_by("exception").message(),
              HasSubstr("an exception of the standard"));
  EXPECT_THAT(thrown_by("other").message(), HasSubstr("no std::exception"));
  EXPECT_THAT(error_of([] {
                call_plugin("x", [] {
                  throw std::bad_alloc();
                });
              }).message(),
              HasSubstr("plugin 'x': out of memory"));
}

TEST(CallPlugin, NamesThePluginOnceWhereCallsNest) {
  EXPECT_EQ(error_of([] {
              call_plugin("x", [] {
                call_plugin("x", [] {
                  throw Error(ErrorCode::kInput, "wrong");
                });
              });
            }).message(),
            "plugin 'x': wrong");
}

}  // namespace
}  // namespace sizewise::loading
