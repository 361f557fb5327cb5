// The program sizewise-worker as the host drives it, with the shipped plugins.

#include <array>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "sizewise/error.hpp"

#include "reference_data.hpp"
#include "running/wire.hpp"
#include "running/worker.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::serving {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string plugin(const std::string& id) {
  return (fs::path(SIZEWISE_PLUGIN_FOLDER) / (id + ".so")).string();
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<json> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(json::parse(line));
  }
  return lines;
}

class WorkerProgram : public ::testing::Test {
 protected:
  WorkerProgram() {
    std::ofstream corpus(folder_.path() / "corpus.txt");
    for (int i = 0; i < 1500; ++i) {
      corpus << "line " << i % 97 << " of the corpus says " << i * i % 31 << "\n";
    }
  }

  running::Worker& worker() {
    if (worker_ == nullptr) {
      worker_ = std::make_unique<running::Worker>(running::WorkerProgram{
          SIZEWISE_WORKER_PROGRAM, folder_.path() / "log", folder_.path()});
    }
    return *worker_;
  }

  [[nodiscard]] json setting() const {
    return {{"model", {{"path", plugin("gpt")}, {"options", {{"layers", 1}}}}},
            {"dataset",
             {{"path", plugin("text")},
              {"options",
               {{"path", (folder_.path() / "corpus.txt").string()}, {"context", 16}}}}},
            {"loss", {{"path", plugin("cross_entropy")}}},
            {"recipe", {{"batch_size", 8}}},
            {"threads", 1}};
  }

  json call(const std::string& method, const json& params) {
    return worker().call(method, params);
  }

  Error refusal(const std::string& method, const json& params) {
    try {
      worker().call(method, params);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "nothing was refused"};
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<running::Worker> worker_;
};

json with(json object, const json& more) {
  object.update(more);
  return object;
}

TEST_F(WorkerProgram, SaysHelloWithItsVersions) {
  EXPECT_EQ(worker().greeting().at("protocol"), 1);
  EXPECT_EQ(worker().greeting().at("torch"), SIZEWISE_TORCH_VERSION_TEXT);
  EXPECT_EQ(worker().greeting().at("device_names").at(0), "cpu");
}

TEST_F(WorkerProgram, DescribesSizesAndInvertsThem) {
  const json described = call(
      "describe",
      with(setting(), {{"sizes", {16, 32}}, {"check", true}, {"count_flops", true}}));
  const json& small = described.at("sizes").at(0);
  EXPECT_EQ(small.at("params"), (256 + 16) * 16 + 12 * 16 * 16 + 6 * 16);
  EXPECT_GT(small.at("flops_per_unit").get<double>(), 0);
  EXPECT_TRUE(described.at("warnings").empty());
  const double target = described.at("sizes").at(1).at("params").get<double>();
  EXPECT_EQ(
      call("invert", with(setting(), {{"params", {target * 1.01, 1.0}}})).at("sizes"),
      (json{32, 8}));
}

TEST_F(WorkerProgram, DescribesWithoutADataset) {
  json params = {{"model", setting().at("model")},
                 {"sizes", {16}},
                 {"check", true},
                 {"data",
                  {{"unit", "token"},
                   {"units_per_sample", 8},
                   {"input_shape", {8}},
                   {"input_type", "int64"},
                   {"target_shape", {8}},
                   {"target_type", "int64"},
                   {"vocabulary", 11},
                   {"context", 8},
                   {"classes", 11}}}};
  EXPECT_EQ(call("describe", params).at("sizes").at(0).at("params"),
            (11 + 8) * 16 + 12 * 16 * 16 + 6 * 16);
}

TEST_F(WorkerProgram, CountsForATrialWhatItForetold) {
  const json described =
      call("describe", with(setting(), {{"sizes", {16}}, {"count_flops", true}}));
  const json trained =
      call("train", with(setting(), {{"size", 16}, {"tokens", 16 * 21}}));
  EXPECT_DOUBLE_EQ(
      trained.at("flops").get<double>(),
      described.at("sizes").at(0).at("flops_per_unit").get<double>() * 16 * 21);
  EXPECT_EQ(trained.at("tokens"), 16 * 21);
  EXPECT_EQ(trained.at("steps"), 3);
}

TEST_F(WorkerProgram, GivesTheSameBitsInAnotherProcess) {
  const json params = with(setting(), {{"size", 16}, {"tokens", 16 * 80}});
  const json first = call("train", params);
  worker_.reset();
  const json second = call("train", params);
  EXPECT_EQ(first.at("loss"), second.at("loss"));
  EXPECT_EQ(first.at("train_loss"), second.at("train_loss"));
}

TEST_F(WorkerProgram, WritesACheckpointThatEvaluatesToTheSameLoss) {
  const fs::path folder = folder_.path() / "made" / "here";
  const json trained = call("train",
                            with(setting(),
                                 {{"size", 16},
                                  {"tokens", 16 * 80},
                                  {"output", folder.string()},
                                  {"metrics", (folder_.path() / "curve").string()}}));
  const json facts = json::parse(read_text(folder / "model.json"));
  EXPECT_EQ(facts.at("model").at("plugin"), "gpt");
  EXPECT_EQ(facts.at("model").at("options").at("layers"), 1);
  EXPECT_EQ(facts.at("size"), 16);
  EXPECT_EQ(facts.at("dataset").at("plugin"), "text");
  EXPECT_EQ(facts.at("recipe").at("batch_size"), 8);

  json params = setting();
  params["checkpoint"] = folder.string();
  params["batch_size"] = 8;
  const json evaluated = call("evaluate", params);
  EXPECT_EQ(evaluated.at("loss"), trained.at("loss"));
  EXPECT_EQ(evaluated.at("bytes"), fs::file_size(folder / "model.safetensors"));
  EXPECT_EQ(evaluated.at("accuracy"), trained.at("accuracy"));

  const std::vector<json> curve = read_lines(folder_.path() / "curve");
  ASSERT_EQ(curve.size(), 11U);
  EXPECT_EQ(curve.at(9).at("tokens"), 16 * 80);
  EXPECT_EQ(curve.at(10).at("validation_loss"), trained.at("loss"));
}

TEST_F(WorkerProgram, RefusesToEvaluateOnOtherDataOrWithAnotherModel) {
  const fs::path folder = folder_.path() / "made";
  call("train",
       with(setting(), {{"size", 16}, {"tokens", 16 * 8}, {"output", folder.string()}}));
  json other_data = with(setting(), {{"checkpoint", folder.string()}});
  other_data["dataset"]["options"]["context"] = 8;
  EXPECT_THAT(refusal("evaluate", other_data).message(),
              HasSubstr("input_shape is [16], and the dataset given has [8]"));
  json other_model = with(setting(), {{"checkpoint", folder.string()}});
  other_model["model"] = {{"path", plugin("mlp")}};
  EXPECT_EQ(refusal("evaluate", other_model).code(), ErrorCode::kConfiguration);
}

TEST_F(WorkerProgram, RefusesWrongRequestsAndLivesOn) {
  EXPECT_THAT(refusal("fly", json::object()).message(), HasSubstr("no method 'fly'"));
  EXPECT_THAT(
      refusal("train", with(setting(), {{"size", "8"}, {"tokens", 16}})).message(),
      HasSubstr("'size' is \"8\"; allowed: an integer of at least 1"));
  EXPECT_THAT(refusal("describe", with(setting(), {{"sizes", {0}}})).message(),
              HasSubstr("'sizes' is [0]"));
  EXPECT_THAT(refusal("train", {{"model", setting().at("model")}}).message(),
              HasSubstr("'dataset' is absent"));
  json unknown = setting();
  unknown["model"]["options"]["layer"] = 2;
  EXPECT_THAT(refusal("describe", with(unknown, {{"sizes", {16}}})).message(),
              AllOf(HasSubstr("unknown option 'layer'"), HasSubstr("layers")));
  json swapped = setting();
  swapped["model"] = setting().at("loss");
  EXPECT_THAT(refusal("describe", with(swapped, {{"sizes", {16}}})).message(),
              AllOf(HasSubstr("is a loss"), HasSubstr("a model is needed")));
  EXPECT_EQ(call("describe", with(setting(), {{"sizes", {16}}})).at("sizes").size(), 1U);
}

TEST_F(WorkerProgram, RefusesABudgetBelowOneBatch) {
  const Error error =
      refusal("train", with(setting(), {{"size", 16}, {"tokens", 16 * 7}}));
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_THAT(error.message(), HasSubstr("budget too small for one batch"));
}

TEST_F(WorkerProgram, SaysWhichPluginFailed) {
  const Error error =
      refusal("describe", with(setting(), {{"sizes", {12}}}));  // 8 does not divide 12
  EXPECT_THAT(error.message(), AllOf(HasSubstr("gpt"), HasSubstr("12")));
  json mismatched = setting();
  mismatched["loss"] = {{"path", plugin("mse")}};
  const Error shapes =
      refusal("describe", with(mismatched, {{"sizes", {16}}, {"check", true}}));
  EXPECT_EQ(shapes.code(), ErrorCode::kPlugin);
  EXPECT_THAT(shapes.message(),
              AllOf(HasSubstr("does not fit the loss"), Not(HasSubstr("frame #"))));
}

TEST_F(WorkerProgram, LeavesNothingHalfWrittenWhereTheFolderCannotBeMade) {
  std::ofstream(folder_.path() / "file") << "in the way";
  const Error error =
      refusal("train",
              with(setting(),
                   {{"size", 16},
                    {"tokens", 16 * 8},
                    {"output", (folder_.path() / "file" / "x").string()}}));
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_EQ(read_text(folder_.path() / "file"), "in the way");
}

/// A worker on pipes of the test's own.
class RawWorker {
 public:
  RawWorker() {
    std::array<int, 2> requests{};
    std::array<int, 2> answers{};
    EXPECT_EQ(::pipe2(requests.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(answers.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(requests[0], 10);
      ::dup2(answers[1], 11);
      ::execl(SIZEWISE_WORKER_PROGRAM,
              SIZEWISE_WORKER_PROGRAM,
              "--read-fd",
              "10",
              "--write-fd",
              "11",
              nullptr);
      ::_exit(127);
    }
    ::close(requests[0]);
    ::close(answers[1]);
    to_worker_ = requests[1];
    from_worker_ = answers[0];
  }
  ~RawWorker() {
    close_requests();
    ::close(from_worker_);
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  RawWorker(const RawWorker&) = delete;
  RawWorker& operator=(const RawWorker&) = delete;

  [[nodiscard]] int to_worker() const { return to_worker_; }
  [[nodiscard]] int from_worker() const { return from_worker_; }
  void close_requests() {
    if (to_worker_ >= 0) {
      ::close(to_worker_);
      to_worker_ = -1;
    }
  }
  /// The exit code once it ends; waits.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int to_worker_ = -1;
  int from_worker_ = -1;
};

TEST(WorkerProcess, EndsInOrderWhenItsRequestsEnd) {
  RawWorker worker;
  worker.close_requests();
  EXPECT_EQ(worker.wait(), 0);
}

TEST(WorkerProcess, EndsAfterShutdown) {
  RawWorker worker;
  running::write_frame(worker.to_worker(), R"({"id": 5, "method": "shutdown"})");
  const auto answer = running::read_frame(worker.from_worker());
  EXPECT_EQ(json::parse(answer.value_or("null")),
            (json{{"id", 5}, {"result", json::object()}}));
  EXPECT_EQ(worker.wait(), 0);
}

TEST(WorkerProcess, EndsWhereAFrameIsNoRequest) {
  RawWorker worker;
  running::write_frame(worker.to_worker(), "[1, 2");
  EXPECT_EQ(worker.wait(), 2);
}

/// Runs the program with words of its own and gives its exit code and stdout.
std::pair<int, std::string> run(const std::string& words) {
  const std::string command = std::string(SIZEWISE_WORKER_PROGRAM) + " " + words;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), count);
  }
  return {WEXITSTATUS(::pclose(pipe)), text};
}

TEST_F(WorkerProgram, AnswersARequestFileByHand) {
  const fs::path file = folder_.path() / "request.json";
  std::ofstream(file) << json{{"method", "describe"},
                              {"params", with(setting(), {{"sizes", {16}}})}};
  const auto [code, text] = run("--request " + file.string());
  EXPECT_EQ(code, 0);
  EXPECT_EQ(json::parse(text).at("sizes").at(0).at("size"), 16);

  std::ofstream(file, std::ios::trunc) << R"({"method": "fly", "params": {}})";
  EXPECT_EQ(run("--request " + file.string() + " 2>/dev/null"),
            std::pair(2, std::string()));
  std::ofstream(file, std::ios::trunc) << "no JSON";
  EXPECT_EQ(run("--request " + file.string() + " 2>/dev/null").first, 2);
  EXPECT_EQ(run("--request /none 2>/dev/null").first, 2);
  EXPECT_EQ(run("2>/dev/null").first, 2);
  EXPECT_EQ(run("--fly 2>/dev/null").first, 2);
}

TEST_F(WorkerProgram, TeachesAnMlpMnist) {
  if (!testing::has_reference("mnist/t10k-images-idx3-ubyte.gz")) {
    return;
  }
  const fs::path data = testing::reference_data();
  const json params = {
      {"model", {{"path", plugin("mlp")}, {"options", {{"layers", 2}}}}},
      {"dataset",
       {{"path", plugin("idx_images")},
        {"options",
         {{"images", (data / "mnist" / "t10k-images-idx3-ubyte.gz").string()},
          {"labels", (data / "mnist" / "t10k-labels-idx1-ubyte.gz").string()},
          {"validation_fraction", 0.2}}}}},
      {"loss", {{"path", plugin("cross_entropy")}}},
      {"recipe", {{"learning_rate", 3e-3}, {"schedule", "cosine"}}},
      {"threads", 1},
      {"size", 128},
      {"tokens", 80'000}};
  const json result = call("train", params);
  EXPECT_EQ(result.at("status"), "done");
  EXPECT_DOUBLE_EQ(result.at("epochs").get<double>(), 10.0);
  EXPECT_GE(result.at("accuracy").get<double>(), 0.955);
  RecordProperty("accuracy", std::to_string(result.at("accuracy").get<double>()));
}

}  // namespace
}  // namespace sizewise::serving
