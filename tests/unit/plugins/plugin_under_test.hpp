#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/dataset.hpp"
#include "sizewise/dataset_info.hpp"
#include "sizewise/error.hpp"
#include "sizewise/loss.hpp"
#include "sizewise/manifest.hpp"
#include "sizewise/options.hpp"

// Shipped plugins as a user gets them: the .so of the build, its manifest, its options
// resolved.

namespace sizewise {
class ModelFamily;
class Quantizer;
}  // namespace sizewise

namespace sizewise::testing {

/// The manifest embedded in the built plugin.
[[nodiscard]] Manifest manifest_of(std::string_view id);

/// The manifests of all plugins that the build made, by id.
[[nodiscard]] std::vector<Manifest> built_manifests();

/// Options in JSON, resolved against the manifest (defaults filled in).
[[nodiscard]] Options options_of(std::string_view id, std::string_view json = "{}");

[[nodiscard]] std::shared_ptr<ModelFamily> make_model_family(
    std::string_view id, const DatasetInfo& data, std::string_view options = "{}");
[[nodiscard]] std::shared_ptr<Dataset> make_dataset(std::string_view id,
                                                    std::string_view options);
[[nodiscard]] std::shared_ptr<Loss> make_loss(std::string_view id,
                                              std::string_view options = "{}");
[[nodiscard]] std::shared_ptr<Quantizer> make_quantizer(std::string_view id,
                                                        std::string_view options = "{}");

/// Facts about a dataset of byte tokens, and of images in `classes` classes.
[[nodiscard]] DatasetInfo token_data(int64_t vocabulary, int64_t context);
[[nodiscard]] DatasetInfo image_data(int64_t channels, int64_t side, int64_t classes);

/// What an action throws as Error: "code: message | suggestion"; "(no error)" otherwise.
[[nodiscard]] std::string error_of(const std::function<void()>& action);

/// A folder of a test's own, removed with it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file (and the folders it is in) and returns its path.
  // NOLINTNEXTLINE(modernize-use-nodiscard): some tests need the file, not its path
  std::string write(const std::string& name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

/// A file of the reference data. Empty where there is none, which a test says and passes,
/// except under CI=true, where it fails.
[[nodiscard]] std::string reference_file(const std::string& name);

}  // namespace sizewise::testing
