#include "reporting/quantization_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

using Report = QuantizationReport;

constexpr std::size_t kMostLayers = 40;
constexpr std::size_t kMostSkipped = 8;
constexpr std::size_t kMostErrors = 8;

/// One line of the table of layers, from the name to the kernel.
constexpr std::size_t kColumns = 8;
using Row = std::array<std::string, kColumns>;
using Widths = std::array<std::size_t, kColumns>;
constexpr std::size_t kBits = 2;
constexpr std::size_t kSqnr = 6;
constexpr std::size_t kKernel = 7;
constexpr std::size_t kLeastName = 8;

std::string and_more(std::size_t all, std::size_t shown) {
  return all > shown ? fmt::format("  ... and {} more (see --json)\n", all - shown)
                     : std::string();
}

std::string cut(const std::string& text, std::size_t width) {
  constexpr std::string_view kDots = "...";
  return text.size() <= width ? text : text.substr(0, width - kDots.size()).append(kDots);
}

Row row_of(const Report::Layer& layer) {
  return {printable(layer.name),
          layer.kind,
          std::to_string(layer.bits),
          layer.scheme,
          layer.granularity == "group" ? fmt::format("group {}", layer.group_size)
                                       : layer.granularity,
          layer.activation == "none" ? "float" : layer.activation,
          number_or(layer.sqnr_db, "{:.1f}", "-"),
          layer.kernel};
}

/// The width of each column; 0 where all its cells are empty. The kernel's and then the
/// name's are the ones that give way where a line would be too wide.
Widths widths_of(const std::vector<Row>& rows, const Row& heads) {
  Widths widths{};
  std::size_t rest = 0;
  for (std::size_t column = 0; column < kColumns; ++column) {
    for (const Row& row : rows) {
      widths[column] = std::max(widths[column], row[column].size());
    }
    if (widths[column] > 0) {
      widths[column] = std::max(widths[column], heads[column].size());
    }
    if (column > 0 && column != kKernel) {
      rest += widths[column] + (widths[column] > 0 ? 1 : 0);
    }
  }
  if (widths[kKernel] > 0) {
    const std::size_t most = kTextWidth - kLeastName - rest - 1;
    widths[kKernel] = std::min(widths[kKernel], most);
    rest += widths[kKernel] + 1;
  }
  widths[0] = std::min(widths[0], kTextWidth - rest);
  return widths;
}

std::string line_of_row(const Row& row, const Widths& widths) {
  std::string text;
  std::string name = row[0];
  if (name.size() > widths[0]) {
    text = name + "\n";
    name.clear();
  }
  std::string line = fmt::format("{:<{}}", name, widths[0]);
  for (std::size_t column = 1; column < kColumns; ++column) {
    if (widths[column] == 0) {
      continue;
    }
    const std::string cell = cut(row[column], widths[column]);
    line += column == kBits || column == kSqnr
                ? fmt::format(" {:>{}}", cell, widths[column])
                : fmt::format(" {:<{}}", cell, widths[column]);
  }
  return text + line_of(line);
}

std::string layers_text(const std::vector<Report::Layer>& layers) {
  if (layers.empty()) {
    return "";
  }
  const Row heads = {
      "layer", "kind", "bits", "scheme", "scale per", "inputs", "SQNR dB", "kernel"};
  const std::size_t shown = std::min(layers.size(), kMostLayers);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < shown; ++i) {
    rows.push_back(row_of(layers[i]));
  }
  const Widths widths = widths_of(rows, heads);
  std::string text = "\n" + line_of_row(heads, widths);
  for (const Row& row : rows) {
    text += line_of_row(row, widths);
  }
  return text + and_more(layers.size(), shown);
}

std::string skipped_text(const std::vector<Report::Skipped>& skipped) {
  if (skipped.empty()) {
    return "";
  }
  std::string text =
      fmt::format("\n{} left float\n",
                  skipped.size() == 1 ? std::string("One layer is")
                                      : fmt::format("{} layers are", skipped.size()));
  const std::size_t shown = std::min(skipped.size(), kMostSkipped);
  for (std::size_t i = 0; i < shown; ++i) {
    text += hanging("  ", printable(skipped[i].name + ": " + skipped[i].reason));
  }
  return text + and_more(skipped.size(), shown);
}

std::string errors_text(const std::vector<Error>& errors) {
  std::string text = "\nQuantization failed; nothing was written\n";
  const std::size_t shown = std::min(errors.size(), kMostErrors);
  for (std::size_t i = 0; i < shown; ++i) {
    text += hanging("  - ", printable(errors[i].message()));
    if (!errors[i].suggestion().empty()) {
      text += wrapped(errors[i].suggestion(), 4);
    }
  }
  return text + and_more(errors.size(), shown);
}

std::string options_text(const Report& report) {
  std::string text;
  const nlohmann::json options = nlohmann::json::parse(report.options.to_json());
  for (const auto& [name, value] : options.items()) {
    text += fmt::format("{}{} {}",
                        text.empty() ? "" : ", ",
                        name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  return hanging(fmt::format("Quantizer {}: ", report.quantizer),
                 text.empty() ? "no options" : text);
}

std::string beside(std::string_view name,
                   const std::string& float_model,
                   const std::string& quantized,
                   std::string_view note = {}) {
  return line_of(
      fmt::format("{:<14}{:>14}{:>14}  {}", name, float_model, quantized, note));
}

/// The float model beside the quantized one.
std::string comparison(const Report& report) {
  if (!report.bytes && !report.evaluation) {
    return "";
  }
  std::string text = "\n" + beside("", "float", "quantized");
  if (report.bytes) {
    text += beside("weights, bytes",
                   std::to_string(report.bytes->float_model),
                   std::to_string(report.bytes->quantized),
                   std::isfinite(report.bytes->ratio)
                       ? fmt::format("ratio {:.2f}", report.bytes->ratio)
                       : std::string());
  }
  if (report.evaluation) {
    const Report::Measured& before = report.evaluation->float_model;
    const Report::Measured& after = report.evaluation->quantized;
    constexpr double kMilliseconds = 1e3;
    text += beside("loss",
                   number_or(before.loss, "{:.5f}", "-"),
                   number_or(after.loss, "{:.5f}", "-"));
    text += beside("accuracy",
                   number_or(before.accuracy, "{:.4f}", "-"),
                   number_or(after.accuracy, "{:.4f}", "-"));
    text += beside("ms per batch",
                   number_or(kMilliseconds * before.seconds_per_batch, "{:.3f}", "-"),
                   number_or(kMilliseconds * after.seconds_per_batch, "{:.3f}", "-"));
  }
  return text;
}

std::string calibration_text(const Report& report) {
  if (!report.calibration) {
    return "";
  }
  const Report::Calibration& made = *report.calibration;
  return wrapped(fmt::format("Calibrated on {} {} ({} units){}",
                             made.batches,
                             made.batches == 1 ? "batch" : "batches",
                             made.units,
                             made.observer.empty() ? "" : ", observer " + made.observer),
                 0);
}

}  // namespace

std::string quantization_text(const QuantizationReport& report) {
  std::string text = options_text(report) + calibration_text(report);
  if (!report.success) {
    text += errors_text(report.errors);
  }
  text += layers_text(report.layers);
  text += skipped_text(report.skipped);
  text += comparison(report);
  if (!report.output.empty()) {
    text += wrapped("Written to " + report.output.string(), 0);
  }
  return text;
}

}  // namespace sizewise::reporting
