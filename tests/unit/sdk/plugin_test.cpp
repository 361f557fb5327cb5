#include "sizewise/plugin.hpp"

#include <new>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

/// What sizewise_add_plugin() compiles into a plugin.
extern "C" const char sizewise_plugin_manifest[] = R"({"id": "counter"})";

namespace sizewise {
namespace {

/// An interface and its plugin, in place of those of a kind.
struct Counter {
  static constexpr std::string_view kInterfaceName = "test.counter/1";
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  virtual ~Counter() { ++destroyed; }
  [[nodiscard]] virtual int64_t count() const = 0;
  static inline int destroyed = 0;
};

class ContextCounter final : public Counter {
 public:
  ContextCounter(const Options& options, const DatasetInfo& data)
      : count_(options.get<int64_t>("step") * data.context) {
    if (count_ < 0) {
      throw std::bad_alloc();
    }
    if (count_ == 0) {
      throw "not an exception class";
    }
  }
  [[nodiscard]] int64_t count() const override { return count_; }

 private:
  int64_t count_;
};

sizewise_error_record empty_record() {
  sizewise_error_record record{};
  record.struct_size = sizeof record;
  return record;
}

const sizewise_descriptor& counter() {
  return *detail::descriptor<Counter, ContextCounter>(PluginKind::kFit);
}

TEST(Trampoline, MakesUsesAndEndsAnInstance) {
  sizewise_error_record record = empty_record();
  void* instance = nullptr;
  ASSERT_EQ(counter().create(
                nullptr, R"({"step": 3})", R"({"context": 5})", &instance, &record),
            0);
  EXPECT_EQ(counter().get_interface(instance, "test.counter/2"), nullptr);
  void* const face = counter().get_interface(instance, "test.counter/1");
  ASSERT_NE(face, nullptr);
  EXPECT_EQ(static_cast<Counter*>(face)->count(), 15);
  const int before = Counter::destroyed;
  counter().destroy(instance);
  EXPECT_EQ(Counter::destroyed, before + 1);
}

TEST(Trampoline, TurnsEveryExceptionIntoARecord) {
  const auto record_of = [](const char* options, const char* data) {
    sizewise_error_record record = empty_record();
    void* instance = nullptr;
    EXPECT_NE(counter().create(nullptr, options, data, &instance, &record), 0);
    EXPECT_EQ(instance, nullptr);
    return record;
  };
  const auto code = [](ErrorCode value) {
    return static_cast<uint32_t>(value);
  };
  const auto missing = record_of("{}", "{}");
  EXPECT_EQ(missing.code, code(ErrorCode::kConfiguration));
  EXPECT_STREQ(missing.message, "option 'step' is not set");
  EXPECT_EQ(record_of("[", nullptr).code, code(ErrorCode::kInput));
  const auto memory = record_of(R"({"step": -1})", R"({"context": 1})");
  EXPECT_EQ(memory.code, code(ErrorCode::kPlugin));
  EXPECT_STREQ(memory.message, "out of memory");
  EXPECT_STREQ(record_of(R"({"step": 0})", nullptr).message,
               "threw something that is no std::exception");
}

TEST(Trampoline, DescribesItself) {
  EXPECT_EQ(counter().magic, SIZEWISE_PLUGIN_MAGIC);
  EXPECT_EQ(counter().struct_size, sizeof(sizewise_descriptor));
  EXPECT_EQ(counter().kind, static_cast<uint32_t>(SIZEWISE_KIND_FIT));
  EXPECT_STREQ(counter().build_tag, SIZEWISE_BUILD_TAG);
  EXPECT_EQ(counter().manifest, sizewise_plugin_manifest);
}

TEST(ErrorRecord, CutsLongTextsBetweenLetters) {
  sizewise_error_record record = empty_record();
  std::string text(sizeof(record.message) - 2, 'x');
  text += "\xC3\xA4 and more";
  detail::fill_error_record(&record, ErrorCode::kInput, text, "short");
  EXPECT_EQ(record.message, std::string(sizeof(record.message) - 2, 'x'));
  EXPECT_STREQ(record.suggestion, "short");
}

TEST(ErrorRecord, IsLeftAloneWhereItIsTooSmall) {
  detail::fill_error_record(nullptr, ErrorCode::kInput, "a", "b");
  sizewise_error_record record = empty_record();
  record.struct_size = 8;
  detail::fill_error_record(&record, ErrorCode::kInput, "a", "b");
  EXPECT_STREQ(record.message, "");
}

TEST(ErrorRecord, QuotesAnyStandardException) {
  sizewise_error_record record = empty_record();
  try {
    throw std::out_of_range("past the end");
  } catch (...) {
    detail::fill_error_record_from_current_exception(&record);
  }
  EXPECT_STREQ(record.message, "past the end");
}

}  // namespace
}  // namespace sizewise
