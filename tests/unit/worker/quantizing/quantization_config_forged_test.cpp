#include <cstdint>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "quantizing/forged_files.hpp"
#include "support/temporary_folder.hpp"

// config.json of quantized models that is not as it was written.

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct ConfigCase {
  const char* what;
  std::function<void(json&)> forge;
  const char* message;
};

json& entry_of(json& config, std::size_t index) {
  return config["sizewise"]["weights"][index];
}

json& group_of(json& config, const char* name) {
  return config["quantization_config"]["config_groups"][name];
}

TEST(QuantizationConfigForged, IsRefused) {
  const std::vector<ConfigCase> cases = {
      {"no quantization_config",
       [](json& c) {
         c.erase("quantization_config");
       },
       "no 'quantization_config'"},
      {"no sizewise",
       [](json& c) {
         c.erase("sizewise");
       },
       "another program wrote it"},
      {"another version",
       [](json& c) {
         c["sizewise"]["version"] = 2;
       },
       "'version'"},
      {"an unknown part",
       [](json& c) {
         c["sizewise"]["more"] = 1;
       },
       "must have version"},
      {"no list of weights",
       [](json& c) {
         c["sizewise"]["weights"] = 1;
       },
       "must have"},
      {"no list of others",
       [](json& c) {
         c["sizewise"]["others"] = json::object();
       },
       "'others'"},
      {"no names that are tied",
       [](json& c) {
         c["sizewise"]["tied"] = {1};
       },
       "'tied'"},
      {"a weight that is none",
       [](json& c) {
         entry_of(c, 0) = 3;
       },
       "no object"},
      {"a weight without a name",
       [](json& c) {
         entry_of(c, 0).erase("name");
       },
       "no name"},
      {"an unknown field",
       [](json& c) {
         entry_of(c, 0)["colour"] = 1;
       },
       "'a.weight' has a field 'colour'"},
      {"3.5 bits",
       [](json& c) {
         entry_of(c, 0)["bits"] = 3.5;
       },
       "'bits' of 'a.weight' is 3.5"},
      {"9 bits",
       [](json& c) {
         entry_of(c, 0)["bits"] = 9;
       },
       "allowed: 2 to 8, or 16"},
      {"2^64 bits",
       [](json& c) {
         entry_of(c, 0)["bits"] = UINT64_MAX;
       },
       "'bits'"},
      {"an unknown scheme",
       [](json& c) {
         entry_of(c, 0)["scheme"] = "skewed";
       },
       "'scheme' of 'a.weight' is \"skewed\"; allowed: symmetric, asymmetric"},
      {"an unknown use",
       [](json& c) {
         entry_of(c, 0)["use"] = "x";
       },
       "transposed_convolution"},
      {"an unknown kind",
       [](json& c) {
         entry_of(c, 0)["kind"] = "x";
       },
       "conv3d"},
      {"another kind",
       [](json& c) {
         entry_of(c, 0)["kind"] = "conv2d";
       },
       "has 2 dimensions"},
      {"no group size",
       [](json& c) {
         entry_of(c, 1)["group_size"] = 0;
       },
       "group_size of 'b.weight' is 0"},
      {"a group size that does not divide",
       [](json& c) {
         entry_of(c, 1)["group_size"] = 5;
       },
       "allowed: a divisor"},
      {"a group size of channels",
       [](json& c) {
         entry_of(c, 0)["group_size"] = 4;
       },
       "group_size"},
      {"a negative size",
       [](json& c) {
         entry_of(c, 0)["shape"] = {-6, -24};
       },
       "'shape'"},
      {"one dimension",
       [](json& c) {
         entry_of(c, 0)["shape"] = {144};
       },
       "1 dimensions"},
      {"a huge shape",
       [](json& c) {
         entry_of(c, 0)["shape"] = {int64_t{1} << 40, int64_t{1} << 40};
       },
       "at most 2^56 elements"},
      {"a huge shape that is empty",
       [](json& c) {
         entry_of(c, 0)["shape"] = {0, INT64_MAX};
       },
       "at most 2^56 elements"},
      {"another shape",
       [](json& c) {
         entry_of(c, 0)["shape"] = {24, 6};
       },
       "'a.weight' is I8 [6, 24]"},
      {"an infinite scale of inputs",
       [](json& c) {
         entry_of(c, 0)["activation_scale"] = 1e39;
       },
       "float32 can hold"},
      {"a scale of inputs that vanishes",
       [](json& c) {
         entry_of(c, 0)["activation_scale"] = 1e-50;
       },
       "float32 can hold"},
      {"a zero point of 256",
       [](json& c) {
         entry_of(c, 0)["activation_zero_point"] = 256;
       },
       "from 0 to 255"},
      {"no treatment of inputs",
       [](json& c) {
         entry_of(c, 0).erase("activation");
       },
       "missing"},
      {"no names",
       [](json& c) {
         entry_of(c, 0)["names"] = json::array();
       },
       "at least one"},
      {"a name that is none",
       [](json& c) {
         entry_of(c, 0)["names"] = {""};
       },
       "names"},
      {"a name of two weights",
       [](json& c) {
         entry_of(c, 0)["names"] = {"b.weight"};
       },
       "two parameters have the name 'b.weight'"},
      {"a weight that stands twice",
       [](json& c) {
         c["sizewise"]["weights"].push_back(entry_of(c, 0));
       },
       "'a.weight'"},
      {"a float weight that is not there",
       [](json& c) {
         entry_of(c, 0)["keeps_float"] = true;
       },
       "'others' lacks"},
      {"one without a scale of inputs",
       [](json& c) {
         entry_of(c, 2)["has_input_scale"] = false;
       },
       "contradicts"},
      {"bits that disagree",
       [](json& c) {
         group_of(c, "group_0")["weights"]["num_bits"] = 7;
       },
       "quantization_config/config_groups/group_0/weights/num_bits"},
      {"a target that disagrees",
       [](json& c) {
         group_of(c, "group_0")["targets"] = {"z"};
       },
       "group_0/targets"},
      {"an argument more",
       [](json& c) {
         group_of(c, "group_0")["weights"]["actorder"] = "weight";
       },
       "group_0/weights/actorder"},
      {"a group more",
       [](json& c) {
         group_of(c, "group_9") = json::object();
       },
       "group_9"},
      {"another format",
       [](json& c) {
         c["quantization_config"]["format"] = "int-quantized";
       },
       "quantization_config/format"},
      {"another method",
       [](json& c) {
         c["quantization_config"]["quant_method"] = "gptq";
       },
       "quant_method"},
      {"an ignored target",
       [](json& c) {
         c["quantization_config"]["ignore"] = {"a"};
       },
       "'ignore' names 'a', which is quantized"},
      {"no list of what is ignored",
       [](json& c) {
         c["quantization_config"].erase("ignore");
       },
       "'ignore'"},
      {"a list",
       [](json& c) {
         c = json::array({1});
       },
       "no 'quantization_config'"},
  };
  const test::TemporaryFolder folder;
  write_quantized_files(folder.path(), some_weights());
  const fs::path path = folder.path() / kConfig;
  const json whole = json::parse(text_in(path));
  for (const ConfigCase& test_case : cases) {
    json config = whole;
    test_case.forge(config);
    put_text(path, config.dump());
    EXPECT_THAT(refusal(folder.path(), test_case.what),
                AllOf(HasSubstr(folder.path().string()), HasSubstr(test_case.message)))
        << test_case.what;
  }
}

TEST(QuantizationConfigForged, IsRefusedWhereANameStandsTwice) {
  const test::TemporaryFolder folder;
  write_quantized_files(folder.path(), some_weights());
  std::string text = text_in(folder.path() / kConfig);
  const std::string bits = "\"bits\": 8,";
  text.insert(text.find(bits), bits);
  put_text(folder.path() / kConfig, text);
  EXPECT_THAT(refusal(folder.path(), "a key that stands twice"),
              HasSubstr("names 'bits' twice"));
}

}  // namespace
}  // namespace sizewise::quantizing
