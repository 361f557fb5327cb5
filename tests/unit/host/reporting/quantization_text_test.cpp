#include "reporting/quantization_text.hpp"

#include <cmath>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/host.hpp"

#include "reporting/terminal_report.hpp"

namespace sizewise::reporting {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t most = 0;
  for (std::string line; std::getline(lines, line);) {
    most = std::max(most, line.size());
  }
  return most;
}

QuantizationReport::Layer layer(std::string name) {
  QuantizationReport::Layer made;
  made.name = std::move(name);
  made.kind = "linear";
  made.bits = 8;
  made.scheme = "symmetric";
  made.granularity = "channel";
  made.activation = "dynamic";
  made.sqnr_db = 42.04;
  made.kernel = "u8s8 onednn";
  return made;
}

QuantizationReport report_of_one() {
  QuantizationReport report;
  report.quantizer = "dynamic";
  report.options = Options::from_json(R"({"bits": 8, "scheme": "auto"})");
  report.success = true;
  report.layers = {layer("fc1")};
  report.bytes = {4000, 1000, 4.0};
  report.output = "q";
  return report;
}

TEST(QuantizationText, ShowsNamesThatATerminalWouldObey) {
  QuantizationReport report = report_of_one();
  report.layers = {layer("\x1b[31mred\nline")};
  EXPECT_THAT(quantization_text(report),
              ::testing::HasSubstr("\\x1b[31mred\\x0aline linear"));
}

TEST(QuantizationText, ShowsTheLayersTheBytesAndBothModels) {
  QuantizationReport report = report_of_one();
  report.calibration = {32, 256, "minmax"};
  report.evaluation = {{1.5, 0.5, 0.002}, {1.51, NAN, 0.00125}};
  EXPECT_EQ(quantization_text(report),
            "Quantizer dynamic: bits 8, scheme auto\n"
            "Calibrated on 32 batches (256 units), observer minmax\n"
            "\n"
            "layer kind   bits scheme    scale per inputs  SQNR dB kernel\n"
            "fc1   linear    8 symmetric channel   dynamic    42.0 u8s8 onednn\n"
            "\n"
            "                       float     quantized\n"
            "weights, bytes          4000          1000  ratio 4.00\n"
            "loss                 1.50000       1.51000\n"
            "accuracy              0.5000             -\n"
            "ms per batch           2.000         1.250\n"
            "Written to q\n");
}

TEST(QuantizationText, SaysWhatIsOfWeightsAlone) {
  QuantizationReport report = report_of_one();
  QuantizationReport::Layer& only = report.layers.front();
  only.granularity = "group";
  only.group_size = 128;
  only.activation = "none";
  only.kernel.clear();
  only.sqnr_db = NAN;
  const std::string text = quantization_text(report);
  EXPECT_THAT(text, HasSubstr("layer kind   bits scheme    scale per inputs SQNR dB\n"));
  EXPECT_THAT(text, HasSubstr("fc1   linear    8 symmetric group 128 float        -\n"));
  EXPECT_THAT(text, Not(HasSubstr("loss")));
}

TEST(QuantizationText, FitsATerminalHoweverLongTheWordsAre) {
  QuantizationReport report = report_of_one();
  report.layers.push_back(layer("blocks.10.attention.projection.of.the.output"));
  QuantizationReport::Layer wide = layer("wide");
  wide.kind = "embedding";
  wide.scheme = "asymmetric";
  wide.granularity = "group";
  wide.group_size = 65536;
  wide.kernel = "a kernel whose name is longer than what is left of the line";
  report.layers.push_back(wide);
  report.skipped = {{"head",
                     "its weight is the embedding's, and quantizing a head leaves "
                     "the embedding float unless that is asked for"}};
  const std::string text = quantization_text(report);
  EXPECT_LE(widest_line(text), 80U);
  EXPECT_THAT(text,
              AllOf(HasSubstr("blocks.10.attention.projection.of.the.output\n   "),
                    HasSubstr("..."),
                    HasSubstr("One layer is left float\n  head: its weight")));
}

TEST(QuantizationText, EndsLongListsInHowManyMoreThereAre) {
  QuantizationReport report = report_of_one();
  report.layers.assign(50, layer("fc"));
  report.skipped.assign(20, {"norm", "small"});
  const std::string text = quantization_text(report);
  EXPECT_THAT(text,
              HasSubstr("  ... and 10 more (see --json)\n\n20 layers are left float\n"));
  EXPECT_THAT(text, HasSubstr("  norm: small\n  ... and 12 more (see --json)\n"));
}

TEST(QuantizationText, SaysWhyItFailedAndWhatToDo) {
  QuantizationReport report = report_of_one();
  report.success = false;
  report.layers.clear();
  report.bytes.reset();
  report.output.clear();
  report.errors = {Error(ErrorCode::kQuantization,
                         "layer 'fc1' has 64 inputs, fewer than group_size 128",
                         "use group_size 64")};
  EXPECT_EQ(quantization_text(report),
            "Quantizer dynamic: bits 8, scheme auto\n"
            "\n"
            "Quantization failed; nothing was written\n"
            "  - layer 'fc1' has 64 inputs, fewer than group_size 128\n"
            "    use group_size 64\n");
}

TEST(TerminalReport, ShowsTheTrainedAndTheQuantizedModel) {
  Outcome outcome;
  outcome.run_dir = "run";
  TrainedModel model;
  model.folder = "run/model";
  model.size = 64;
  model.tokens = Units(12345678);
  model.loss = 1.25;
  model.accuracy = NAN;
  outcome.model = model;
  outcome.quantization = report_of_one();
  const std::string text = outcome_report(outcome);
  EXPECT_THAT(text,
              HasSubstr("Trained size 64 on 12.3M units: loss 1.25000, accuracy -"));
  EXPECT_THAT(text, HasSubstr("\nQuantizer dynamic:"));
}

}  // namespace
}  // namespace sizewise::reporting
