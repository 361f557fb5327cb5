#include "checkpoint/pickle_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "support/pickles.hpp"

namespace sizewise::checkpoint {
namespace {

using namespace test::pickles;  // NOLINT(google-build-using-namespace): words of a
                                // language
using Kind = PickledValue::Kind;
using test::expect_refusal;
using ::testing::ElementsAre;

PickledData run(const std::string& bytes) {
  return run_pickle(bytes, "weights.pt");
}

const PickledValue& top_of(const PickledData& data) {
  return data.values[data.top];
}

int64_t integer_of(const std::string& opcodes) {
  const PickledData data = run(pickle(opcodes));
  EXPECT_EQ(top_of(data).kind, Kind::kInt);
  return top_of(data).number;
}

void expect_refused(
    const std::string& value,
    std::string_view what,
    std::string_view suggestion = "torch.save(model.state_dict(), FILE)") {
  const std::string bytes = pickle(value);
  expect_refusal(
      [&] {
        static_cast<void>(run(bytes));
      },
      what,
      suggestion);
}

TEST(PickleMachine, ReadsEveryInteger) {
  EXPECT_EQ(integer_of(std::string("K\xff")), 255);
  EXPECT_EQ(integer_of(std::string("M\xff\xff")), 65535);
  EXPECT_EQ(integer_of(std::string("J\xff\xff\xff\xff")), -1);
  EXPECT_EQ(integer_of(std::string("\x8a\x00", 2)), 0);
  EXPECT_EQ(integer_of(std::string("\x8a\x01\x80")), -128);
  EXPECT_EQ(integer_of(std::string("\x8a\x02\xff\x00", 4)), 255);
  EXPECT_EQ(integer_of(integer(INT64_MIN)), INT64_MIN);
  EXPECT_EQ(integer_of(integer(INT64_MAX)), INT64_MAX);
}

TEST(PickleMachine, TakesLargerIntegersAndFloatsAsNumbersOfNoUse) {
  const PickledData large = run(pickle("\x8a\x09" + std::string(9, '\1')));
  EXPECT_EQ(top_of(large).kind, Kind::kOtherNumber);
  const PickledData real = run(pickle("G" + std::string(8, '\1')));
  EXPECT_EQ(top_of(real).kind, Kind::kOtherNumber);
}

TEST(PickleMachine, KeepsAndRepeatsValues) {
  const std::string name = text("a");
  const PickledData data =
      run(pickle("(" + name + "q\x05h\x05" + "K\x07r\1\2\3\4j\1\2\3\4t"));
  const auto& items = top_of(data).items;
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0], items[1]);
  EXPECT_EQ(items[2], items[3]);
  EXPECT_NE(items[0], items[2]);
}

TEST(PickleMachine, ReadsProtocol4) {
  const std::string name =
      "\x8c\x05torch\x94\x8c\x0c"
      "FloatStorage\x94\x93\x94";
  const std::string frame = "\x95" + count(name.size() + 1, 8);
  const std::string bytes = "\x80\x04" + frame + name + ".";  // the texts look into it
  const PickledData data = run(bytes);
  EXPECT_EQ(top_of(data).kind, Kind::kGlobal);
  EXPECT_EQ(top_of(data).text, "FloatStorage");
}

TEST(PickleMachine, MakesTensors) {
  const std::string bytes = pickle(tensor(
      {.offset = integer(1), .size = integers({1, 2}), .stride = integers({9, 3})}));
  const PickledData data = run(bytes);
  ASSERT_EQ(top_of(data).kind, Kind::kTensor);
  ASSERT_EQ(data.tensors.size(), 1U);
  EXPECT_THAT(data.tensors[0].shape, ElementsAre(1, 2));
  EXPECT_THAT(data.tensors[0].strides, ElementsAre(9, 3));
  EXPECT_EQ(data.tensors[0].first, 1U);
  EXPECT_EQ(data.tensors[0].type, WeightType::kF32);
  EXPECT_EQ(data.storages[data.tensors[0].storage].key, "0");
  EXPECT_EQ(data.storages[data.tensors[0].storage].bytes, 24U);
}

TEST(PickleMachine, MakesTensorsOfDtypesWithoutAStorageClass) {
  const PickledData data =
      run(pickle(tensor({.storage = storage("UntypedStorage", "x", 6),
                         .more = {global("torch", "float8_e5m2"), "N"},
                         .function = "_rebuild_tensor_v3"})));
  ASSERT_EQ(data.tensors.size(), 1U);
  EXPECT_EQ(data.tensors[0].type, WeightType::kF8E5M2);
}

TEST(PickleMachine, MakesParametersOfTensors) {
  const PickledData data = run(pickle(call(global("torch._utils", "_rebuild_parameter"),
                                           {tensor(), "\x88", ordered_dict()})));
  EXPECT_EQ(top_of(data).kind, Kind::kTensor);
}

TEST(PickleMachine, IgnoresTheVersionsOfModules) {
  const PickledData data = run(
      pickle(ordered_dict({{"a", "N"}}) + dict({{"_metadata", ordered_dict()}}) + "b"));
  EXPECT_EQ(top_of(data).kind, Kind::kDict);
  EXPECT_EQ(top_of(data).items.size(), 2U);
}

TEST(PickleMachine, RefusesOpcodesThatNoStateDictNeeds) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {")\x81", "opcode NEWOBJ at byte 3"},
      {"(i", "opcode INST at byte 3"},
      {"N0", "opcode POP at byte 3"},
      {"N2", "opcode DUP at byte 3"},
      {"P1\n", "opcode PERSID at byte 2"},
      {"I1\n", "opcode INT at byte 2"},
      {"\x82\x01", "opcode EXT1 at byte 2"},
      {"C\1x", "opcode SHORT_BINBYTES at byte 2"},
      {"\xff", "byte 0xff, which is no opcode at byte 2"},
  };
  for (const auto& [opcodes, what] : cases) {
    expect_refused(opcodes, what);
    expect_refused(opcodes, "weights.pt: does in its pickle what no dictionary");
  }
}

TEST(PickleMachine, RefusesEveryOtherFunctionAndClass) {
  expect_refused(call(global("os", "system"), {text("true")}),
                 "whole pickled object of class 'os.system', no dictionary of tensors "
                 "(opcode GLOBAL at byte 2");
  expect_refused("(" + global("os", "system"),
                 "whole pickled object of class 'os.system'");
  expect_refused("N" + global("builtins", "eval"),
                 "names 'builtins.eval', which no dictionary of tensors needs (opcode "
                 "GLOBAL at byte 3");
  expect_refused("N" + text("os") + text("system") + "\x93",
                 "names 'os.system', which no dictionary of tensors needs (opcode "
                 "STACK_GLOBAL at");
  expect_refused("N" + global("torch.nn.modules.linear", "Linear"),
                 "whole pickled object of class 'torch.nn.modules.linear.Linear'");
  expect_refused("N" + global("collections", "defaultdict"), "collections.defaultdict");
  expect_refused("N" + global("torch._utils", "_rebuild_qtensor"), "_rebuild_qtensor");
  expect_refused("N" + global("collections\r", "OrderedDict"),
                 "collections?.OrderedDict");
  expect_refused("N" + global("torch", std::string(5000, 'x')), "xxx...'");
  expect_refused("NNN\x93", "by something that is no text");
}

TEST(PickleMachine, RefusesTypesThatAreNotRead) {
  expect_refused("N" + global("torch", "ComplexFloatStorage"),
                 "tensor of torch.ComplexFloatStorage; types that are read: F64, F32",
                 "without that tensor");
  expect_refused("N" + global("torch", "uint16"),
                 "tensor of torch.uint16; types",
                 "without that tensor");
}

TEST(PickleMachine, RefusesWrongCalls) {
  expect_refused(call(global("collections", "OrderedDict"), {"N"}),
                 "an OrderedDict made of something");
  expect_refused(call(global("torch", "FloatStorage"), {}), "calls 'FloatStorage'");
  expect_refused(call("N", {}), "calls something that is no function");
  expect_refused(global("collections", "OrderedDict") + "NR",
                 "calls something that is no function");
  const std::string parameter = global("torch._utils", "_rebuild_parameter");
  for (const std::string& wrong : {call(parameter, {tensor(), "\x88"}),
                                   call(parameter, {"N", "\x88", ordered_dict()}),
                                   call(parameter, {tensor(), "N", ordered_dict()}),
                                   call(parameter, {tensor(), "\x88", "N"})}) {
    expect_refused(wrong, "a parameter that is not made of one tensor without hooks");
  }
}

TEST(PickleMachine, RefusesAttributes) {
  const std::string what = "sets what is not the attribute _metadata";
  expect_refused(ordered_dict() + dict({{"other", "N"}}) + "b", what);
  expect_refused("}" + dict({{"_metadata", "N"}}) + "b", what);
  expect_refused(ordered_dict() + "Nb", what);
  expect_refused(ordered_dict() + dict({{"_metadata", "N"}, {"x", "N"}}) + "b", what);
  expect_refused("N" + dict({{"_metadata", "N"}}) + "b", "treats a None as a dict");
}

TEST(PickleMachine, RefusesTensorsOfWrongParts) {
  const std::string what = "not made of a storage, an offset of at least 0";
  expect_refused(tensor({.storage = "N"}), what);
  expect_refused(tensor({.offset = "N"}), what);
  expect_refused(tensor({.offset = integer(-1)}), what);
  expect_refused(tensor({.more = {"N", "N"}}), what);
  expect_refused(tensor({.function = "_rebuild_tensor_v3"}), what);
  expect_refused(tensor({.size = "N"}), "whose size is no tuple of at most 64");
  expect_refused(tensor({.size = integers(std::vector<int64_t>(65, 1))}),
                 "whose size is no tuple of at most 64");
  expect_refused(tensor({.size = integers({-1, 3})}), "no integer of at least 0");
  expect_refused(tensor({.stride = integers({3, -1})}), "no integer of at least 0");
  expect_refused(tensor({.stride = tuple({"N", "N"})}), "no integer of at least 0");
  expect_refused(tensor({.stride = integers({1})}), "of 2 sizes and 1 strides");
  expect_refused(tensor({.requires_grad = "N"}), "whose requires_grad is no bool");
  expect_refused(tensor({.hooks = ordered_dict({{"a", "N"}})}), "a tensor with hooks");
  expect_refused(tensor({.more = {dict({{"conj", "\x88"}})}}),
                 "a tensor with metadata, such as a conjugation",
                 "resolve_conj()");
  expect_refused(tensor({.storage = storage("UntypedStorage", "0", 24)}),
                 "a tensor that does not say its type");
  expect_refused(tensor({.more = {global("torch", "float8_e5m2")},
                         .function = "_rebuild_tensor_v3"}),
                 "no torch.dtype of an untyped storage");
}

TEST(PickleMachine, RefusesTensorsBeyondTheirStorage) {
  const std::string what = "reaches beyond its storage '0' of 6 elements";
  expect_refused(tensor({.size = integers({2, 4})}), what);
  expect_refused(tensor({.offset = integer(1)}), what);
  expect_refused(tensor({.stride = integers({4, 1})}), what);
  expect_refused(tensor({.size = integers({2}), .stride = integers({INT64_MAX})}), what);
  expect_refused(tensor({.size = integers({INT64_MAX, INT64_MAX}),
                         .stride = integers({INT64_MAX, INT64_MAX})}),
                 what);
  expect_refused(
      tensor({.size = integers({1LL << 32, 1LL << 32}), .stride = integers({0, 0})}),
      what);
  expect_refused(tensor({.offset = integer(6), .size = ")", .stride = ")"}), what);
  expect_refused(tensor({.size = integers({7}), .stride = integers({0})}),
                 "7 elements in a storage of 6: an expanded one",
                 ".contiguous()");
}

TEST(PickleMachine, RefusesWrongStorages) {
  const std::string what = "no ('storage', type, key, location, count)";
  expect_refused("NQ", what);
  expect_refused("K\1Q", what);
  expect_refused(storage("FloatStorage", "0", -1), what);
  expect_refused(storage("FloatStorage", "", 1), what);
  expect_refused(tuple({text("module"), "N", text("0"), text("cpu"), integer(1)}) + "Q",
                 what);
  expect_refused(tuple({text("storage"), "N", text("0"), text("cpu"), integer(1)}) + "Q",
                 "whose type is none of torch's storages");
  expect_refused(storage("DoubleStorage", "0", INT64_MAX), "elements, too many");
}

TEST(PickleMachine, RefusesWhatIsNotOnTheStack) {
  const std::string what = "takes what it has not put on its stack";
  for (const char* opcodes : {"t",
                              "\x85",
                              "N\x86",
                              "NN\x87",
                              "R",
                              "b",
                              "Q",
                              "a",
                              "e",
                              "s",
                              "u",
                              "N(R",
                              "}(NNs",
                              "q\1",
                              "\x94",
                              "(\x93"}) {
    expect_refused(opcodes, what);
  }
  expect_refused("h\1", "repeats value 1, which it did not keep");
  expect_refused("NNa", "treats a None as a list");
  expect_refused("}(Nu", "a key that has no value");
  expect_refused("NN", "ends with 2 values and 0 bytes to come");
  expect_refused("N(", "ends with 1 values");
  expect_refused("N.N", "ends with 1 values and 2 bytes to come");
}

TEST(PickleMachine, RefusesAPickleCutAnywhere) {
  const std::string whole = pickle(ordered_dict({{"a", tensor()}}) +
                                   dict({{"_metadata", ordered_dict()}}) + "b");
  ASSERT_NO_THROW(static_cast<void>(run(whole)));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    expect_refusal(
        [&] {
          static_cast<void>(run(whole.substr(0, length)));
        },
        "weights.pt: holds a pickle that is cut short (opcode ");
  }
  expect_refused("\x8d" + std::string(8, '\xff'), "cut short (opcode BINUNICODE8");
  expect_refused("\x95" + std::string(8, '\xff'), "cut short (opcode FRAME");
}

TEST(PickleMachine, RefusesOtherProtocols) {
  const auto refused = [](std::string_view bytes, std::string_view what) {
    expect_refusal(
        [&] {
          static_cast<void>(run(std::string(bytes)));
        },
        what);
  };
  refused("(dp0\n.", "no pickle of protocol 2 to 5 (opcode MARK at byte 0");
  refused("\x80\x01N.", "protocol 1; allowed: one of 2 to 5");
  refused("\x80\x06N.", "protocol 6; allowed: one of 2 to 5");
  refused("\x80\x02\x80\x02N.", "said once");
}

TEST(PickleMachine, BoundsWhatAHostilePickleCosts) {
  const std::string what = "more than 4000000 values";
  expect_refused("(" + std::string(kMostPickledValues, 'N') + "t", what);
  expect_refused(std::string(kMostPickledValues + 1, '('), what);
  expect_refused("N" + std::string(kMostPickledValues, '\x94'), what);
  // A tensor of 64 dimensions, made again and again of one tuple.
  const std::vector<int64_t> ones(64, 1);
  std::string again = "(" + global("torch._utils", "_rebuild_tensor_v2") + "q\1" +
                      tuple({storage("FloatStorage", "0", 1),
                             integer(0),
                             integers(ones),
                             integers(ones),
                             "\x89",
                             ordered_dict()}) +
                      "q\2R";
  for (std::size_t i = 0; i < kMostPickledValues / 128; ++i) {
    again += "h\1h\2R";
  }
  expect_refused(again, what);
  const std::string large = pickle(text(std::string(kLongestPickleBytes, 'x')));
  expect_refusal(
      [&] {
        static_cast<void>(run(large));
      },
      "at most 67108864 are read");
}

TEST(PickleMachine, AcceptsCycles) {
  const PickledData data = run(pickle("]q\1h\1a"));
  ASSERT_EQ(top_of(data).items.size(), 1U);
  EXPECT_EQ(top_of(data).items[0], data.top);
}

}  // namespace
}  // namespace sizewise::checkpoint
