#include <cstdio>

#include <sizewise/error.hpp>
#include <sizewise/host.hpp>

int main() {
  try {
    sizewise::Experiment experiment;
    experiment.model.plugin = "no_such_model";
    (void)sizewise::find_optimal(experiment);
  } catch (const sizewise::Error& error) {
    std::printf("%s\n", error.what());
    return error.code() == sizewise::ErrorCode::kConfiguration ? 0 : 1;
  }
  return 1;
}
