#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "commands/commands.hpp"
#include "fitting/fit_report.hpp"
#include "fitting/fit_report_json.hpp"
#include "reporting/fit_text.hpp"

namespace sizewise::cli {
namespace {

using fitting::FitReport;

FitReport read_law(const std::string& word) {
  std::filesystem::path path(word);
  if (std::filesystem::is_directory(path)) {
    path /= "law.json";
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || !text) {
    throw Error(ErrorCode::kIo,
                fmt::format("the law '{}' cannot be read", path.string()),
                "give a run directory, or a file that sizewise fit --json printed");
  }
  try {
    return fitting::fit_report_from_json(nlohmann::json::parse(text.str()));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: this is no JSON: {}", path.string(), error.what()),
                "give a run directory, or a file that sizewise fit --json printed");
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: {}", path.string(), error.message()),
                error.suggestion());
  }
}

nlohmann::json number_or_null(double number) {
  return std::isfinite(number) ? nlohmann::json(number) : nlohmann::json(nullptr);
}

/// The loss of one model on some data.
void predict_loss(const CommandLine& line, const FitReport& law, Console& console) {
  constexpr double kLeast = 1e-300;
  const Parameters params(line.number_or("params", 0.0, kLeast));
  const Units tokens(line.number_or("tokens", 0.0, kLeast));
  const double loss = predicted_loss(law.result.law, params, tokens).value();
  if (std::isnan(loss)) {
    throw Error(ErrorCode::kInput,
                fmt::format("a law of form '{}' predicts no loss", law.result.law.form),
                "ask for --budget C, or fit approach3");
  }
  const double flops = law.cost_model.flops_per_unit(params) * tokens.value();
  if (line.json()) {
    const nlohmann::json object = {
        {"status", law.identified() ? "identified" : "not_identified"},
        {"params", params.value()},
        {"tokens", tokens.value()},
        {"loss", number_or_null(loss)},
        {"flops", number_or_null(flops)},
        {"cost_model", law.cost_model.name()}};
    console.result(object.dump(2) + "\n");
  } else {
    console.result(
        fmt::format("loss   {:.7g}\nparams {:.7g}\ntokens {:.7g}\nflops  {:.7g}"
                    " ({})\n",
                    loss,
                    params.value(),
                    tokens.value(),
                    flops,
                    law.cost_model.name()));
  }
}

/// The best size and data for each budget.
void predict_optima(const CommandLine& line, FitReport law, Console& console) {
  law.optima.clear();
  law.bootstrap.reset();
  for (const double budget : line.positive_list("budget")) {
    fitting::Optimum optimum =
        fitting::optimum_of(law.result.law, law.cost_model, Flops(budget));
    optimum.extrapolation = budget / law.largest_flops;
    law.optima.push_back(optimum);
  }
  if (line.json()) {
    const nlohmann::json all = fitting::fit_report_to_json(law);
    const nlohmann::json object = {{"status", all.at("status")},
                                   {"cost_model", all.at("cost_model")},
                                   {"optima", all.at("optima")}};
    console.result(object.dump(2) + "\n");
  } else {
    console.result(reporting::optima_text(law).substr(1));
  }
}

}  // namespace

int predict(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise predict LAW.json|RUN_DIR (--params N --tokens D | --budget C...)",
      "Reads a fitted law and predicts the loss of a model, or names the best "
      "size and data\nfor a budget. Exit code 1: the law is not identified "
      "(see --force).");
  line.positional("a law or a run directory", 1, 1)
      .value("params", "N", "parameters of the model")
      .value("tokens", "D", "units of data that it is trained on")
      .values("budget", "C", "training FLOPs to spend best")
      .toggle("force", "predict even where the law is not identified");
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const bool asks_loss = line.has("params") && line.has("tokens");
  const bool asks_part = line.has("params") || line.has("tokens");
  if (asks_part != asks_loss || asks_loss == line.has("budget")) {
    throw Error(ErrorCode::kConfiguration,
                "predict takes --params N and --tokens D, or --budget C",
                "for example: sizewise predict law.json --budget 1e20");
  }
  const FitReport law = read_law(line.words()[0]);
  if (!law.identified()) {
    for (const Reason& reason : law.result.reasons) {
      console.warn("not identified: " + reason.message);
    }
    if (!line.has("force")) {
      throw Error(ErrorCode::kFit,
                  "the law is not identified by its data: nothing is predicted from it",
                  "add runs as the reasons say, or give --force");
    }
  }
  if (asks_loss) {
    predict_loss(line, law, console);
  } else {
    predict_optima(line, law, console);
  }
  return law.identified() ? 0 : 1;
}

}  // namespace sizewise::cli
