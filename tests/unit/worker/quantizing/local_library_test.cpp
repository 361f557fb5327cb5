#include <memory>
#include <vector>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "quantizing/float_kernel.hpp"
#include "quantizing/layer_probe.hpp"
#include "quantizing/local_module.hpp"

namespace sizewise::quantizing {
namespace {

constexpr const char* kFunction = "make_local_subject";

test::Subject subject_of_local_library() {
  void* const library = dlopen(SIZEWISE_LOCAL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    ADD_FAILURE() << dlerror();
    return {};
  }
  const auto make =
      reinterpret_cast<decltype(&make_local_subject)>(dlsym(library, kFunction));
  test::Subject subject;
  make(&subject);
  return subject;
}

TEST(WeightSite, WorksInALibraryThatIsLoadedLocally) {
  ASSERT_EQ(fault_of_site_key(), "");  // the operators are there before the library
  const test::Subject subject = subject_of_local_library();
  ASSERT_NE(subject.module, nullptr);
  EXPECT_EQ(dlsym(RTLD_DEFAULT, kFunction), nullptr);
  const std::vector<Layer> layers = find_layers(*subject.module, [&] {
    (void)subject.forward(subject.input);
  });
  ASSERT_EQ(layers.size(), 3);
  EXPECT_EQ(layers[0].status, LayerStatus::kQuantizable);
  EXPECT_EQ(layers[1].status, LayerStatus::kOtherUse);
  EXPECT_EQ(layers[2].status, LayerStatus::kOtherUse);
  EXPECT_THAT(layers[2].reason, ::testing::HasSubstr("aten::slice.Tensor"));

  const at::Tensor expected = subject.forward(subject.input);
  std::vector<std::shared_ptr<test::FloatKernel>> kernels;
  std::vector<TemporarySite> sites;
  for (const Layer& layer : layers) {
    kernels.push_back(test::float_kernel(layer.names.front(), layer.tensors.front()));
    sites.emplace_back(layer.tensors.front(), kernels.back());
  }
  EXPECT_TRUE(subject.forward(subject.input).allclose(expected, 1e-5, 1e-6));
  EXPECT_EQ(kernels[0]->routed, 1);
  EXPECT_EQ(kernels[1]->routed, 1);
  EXPECT_EQ(kernels[2]->routed, 0);
}

}  // namespace
}  // namespace sizewise::quantizing
