#include "checkpoint/checkpoint.hpp"

#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "checkpoint/safetensors.hpp"
#include "support/data.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"
#include "training/create_model.hpp"

namespace sizewise::checkpoint {
namespace {

using ::testing::HasSubstr;
using training::create_model;

at::Tensor output_of(Model& model, const training::Ingredients& parts) {
  const at::NoGradGuard no_grad;
  return model.forward(parts.dataset.instance->batch({Split::kValidation, 0, 8}))
      .at("output");
}

TEST(Checkpoint, LoadedBackGivesBitIdenticalOutputs) {
  for (const char* name : {"mlp", "cnn", "gpt", "upsampler", "lstm", "translator"}) {
    const test::TemporaryFolder folder;
    const training::Ingredients parts = test::make_ingredients(name);
    const int64_t tokens = 16 * parts.dataset.instance->info().units_per_sample;
    const training::TrainedTrial trained = training::train_trial(parts, 8, tokens);
    save_checkpoint(folder.path() / "made", trained.model->module(), {{"size", 8}});
    const auto loaded = create_model(parts.family, 8, /*seed=*/99);
    EXPECT_FALSE(at::equal(output_of(*loaded, parts), output_of(*trained.model, parts)));
    load_weights(folder.path() / "made", loaded->module());
    EXPECT_TRUE(at::equal(output_of(*loaded, parts), output_of(*trained.model, parts)))
        << name;
    EXPECT_EQ(read_facts(folder.path() / "made").at("size"), 8);
  }
}

TEST(Checkpoint, StoresATiedTensorOnce) {
  const test::TemporaryFolder folder;
  const training::Ingredients parts = test::make_ingredients("gpt");
  const auto model = create_model(parts.family, 8, 0);
  save_checkpoint(folder.path(), model->module(), nlohmann::json::object());
  const Safetensors file = read_safetensors(folder.path() / kWeightsFile);
  EXPECT_FALSE(file.tensors.contains("tokens.weight"));
  EXPECT_TRUE(file.tensors.contains("head.weight"));
  EXPECT_EQ(nlohmann::json::parse(file.metadata.at("tied")),
            (nlohmann::json{{"tokens.weight", "head.weight"}}));
}

TEST(Checkpoint, RefusesAnotherModelsWeights) {
  const test::TemporaryFolder folder;
  const training::Ingredients parts = test::make_ingredients("mlp");
  save_checkpoint(folder.path(),
                  create_model(parts.family, 8, 0)->module(),
                  nlohmann::json::object());
  const auto wider = create_model(parts.family, 9, 0);
  const auto gpt = create_model(test::make_ingredients("gpt").family, 8, 0);
  try {
    load_weights(folder.path(), wider->module());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(),
                HasSubstr("'first.bias' is Float [8], and the model's is Float [9]"));
  }
  EXPECT_THROW(load_weights(folder.path(), gpt->module()), Error);
}

TEST(Checkpoint, NoticesWeightsThatWereChanged) {
  const test::TemporaryFolder folder;
  const training::Ingredients parts = test::make_ingredients("mlp");
  save_checkpoint(folder.path(),
                  create_model(parts.family, 8, 0)->module(),
                  nlohmann::json::object());
  {
    std::fstream file(folder.path() / kWeightsFile,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }
  EXPECT_THROW(static_cast<void>(read_facts(folder.path())), Error);
}

TEST(Checkpoint, RefusesAFolderWithoutOne) {
  const test::TemporaryFolder folder;
  try {
    static_cast<void>(read_facts(folder.path()));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.suggestion(), HasSubstr("--output"));
  }
}

}  // namespace
}  // namespace sizewise::checkpoint
