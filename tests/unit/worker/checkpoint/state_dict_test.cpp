#include "checkpoint/state_dict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "support/pickles.hpp"

namespace sizewise::checkpoint {
namespace {

using namespace test::pickles;  // NOLINT(google-build-using-namespace): words of a
                                // language
using test::expect_refusal;
using ::testing::ElementsAre;

StateDict read(const std::string& value) {
  return read_state_dict(pickle(value), "weights.pt");
}

void expect_dict_refused(const std::string& value,
                         std::string_view what,
                         std::string_view suggestion = "model.state_dict()") {
  expect_refusal(
      [&] {
        static_cast<void>(read(value));
      },
      what,
      suggestion);
}

std::vector<std::string> names_of(const StateDict& dict) {
  std::vector<std::string> names;
  for (const StateDictTensor& tensor : dict.tensors) {
    names.push_back(tensor.name);
  }
  return names;
}

std::vector<std::string> skipped_of(const StateDict& dict) {
  std::vector<std::string> all;
  for (const SkippedValue& value : dict.skipped) {
    all.push_back(value.name + ":" + value.kind);
  }
  return all;
}

const std::string kTensors = ordered_dict({{"w", tensor()}});

TEST(StateDict, ListsTensorsInTheirOrder) {
  const StateDict dict = read(ordered_dict(
      {{"b", tensor()},
       {"a.weight",
        tensor(
            {.offset = integer(3), .size = integers({3}), .stride = integers({1})})}}));
  EXPECT_THAT(names_of(dict), ElementsAre("b", "a.weight"));
  EXPECT_EQ(dict.under, "");
  const StateDictTensor& tensor = dict.tensors[1];
  EXPECT_EQ(tensor.type, WeightType::kF32);
  EXPECT_THAT(tensor.shape, ElementsAre(3));
  EXPECT_THAT(tensor.strides, ElementsAre(1));
  EXPECT_EQ(tensor.first, 3U);
  EXPECT_EQ(tensor.storage, "0");
  EXPECT_EQ(tensor.storage_bytes, 24U);
}

TEST(StateDict, SkipsScalarsAndSaysSo) {
  const StateDict found = read(dict({{"epoch", "K\3"},
                                     {"w", tensor()},
                                     {"loss", "G" + std::string(8, '\0')},
                                     {"run", text("first")},
                                     {"best", "\x88"},
                                     {"none", "N"},
                                     {"betas", tuple({"K\1", "K\2"})}}));
  EXPECT_THAT(names_of(found), ElementsAre("w"));
  EXPECT_THAT(skipped_of(found),
              ElementsAre("epoch:int",
                          "loss:number",
                          "run:str",
                          "best:bool",
                          "none:None",
                          "betas:tuple"));
}

TEST(StateDict, FindsTheOnlyDictionaryOfTensorsInside) {
  const StateDict found = read(dict(
      {{"epoch", "K\3"},
       {"net", kTensors},
       {"optimizer", dict({{"state", dict({{"m", "}"}})}, {"param_groups", "](NNe"}})}}));
  EXPECT_EQ(found.under, "net");
  EXPECT_THAT(names_of(found), ElementsAre("w"));
  EXPECT_THAT(skipped_of(found), ElementsAre("epoch:int", "optimizer:dict"));
}

TEST(StateDict, RefusesSeveralDictionariesOfTensors) {
  expect_dict_refused(dict({{"model", kTensors}, {"ema", kTensors}}),
                      "weights.pt: holds several dictionaries of tensors: 'model', 'ema'",
                      "torch.save(torch.load(FILE)[KEY]");
}

TEST(StateDict, RefusesWhatIsNoDictionaryOfTensors) {
  expect_dict_refused(tensor(), "weights.pt: holds a tensor, no dictionary of tensors");
  expect_dict_refused("]" + tensor() + "a", "holds a list, no dictionary of tensors");
  expect_dict_refused("}", "holds no tensor");
  expect_dict_refused(dict({{"a", "K\1"}}), "holds no tensor");
  expect_dict_refused(dict({{"a", dict({{"b", kTensors}})}}), "holds no tensor");
}

TEST(StateDict, RefusesTensorsThatWouldBeLeftOut) {
  expect_dict_refused(dict({{"w", tensor()}, {"more", kTensors}}),
                      "holds a dict of tensors, 'more', beside tensors");
  expect_dict_refused(dict({{"w", tensor()}, {"more", tuple({tensor()})}}),
                      "holds a tuple of tensors, 'more', beside tensors");
  expect_dict_refused(dict({{"w", tensor()}, {"more", "]" + tensor() + "a"}}),
                      "holds a list of tensors, 'more', beside tensors");
}

TEST(StateDict, RefusesNamesThatNoFileCanHold) {
  expect_dict_refused(dict({{"w", tensor()}, {"w", tensor()}}), "names 'w' twice");
  expect_dict_refused(dict({{"w", tensor()}, {"w", "N"}}), "names 'w' twice");
  expect_dict_refused(dict({{"\xff", tensor()}}), "has the name '?', which is not UTF-8");
  expect_dict_refused("}K\1" + tensor() + "s",
                      "holds a tensor under (a key that is a int)");
}

TEST(StateDict, ReadsAListThatIsRepeatedManyTimesOnce) {
  // 300,000 entries of one list of 300,000 items: nothing may look through all of them.
  constexpr int kCount = 300'000;
  std::string value = "](" + std::string(kCount, 'N') + "eq\1";
  value = "}q\2(" + text("w") + tensor() + text("list") + value;
  for (int i = 0; i < kCount; ++i) {
    value += "K\1h\1";
  }
  EXPECT_EQ(read(value + "u").skipped.size(), kCount + 1U);
}

}  // namespace
}  // namespace sizewise::checkpoint
