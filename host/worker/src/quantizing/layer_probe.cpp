#include "quantizing/layer_probe.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"

#include "quantizing/module_tensors.hpp"
#include "quantizing/random_state.hpp"
#include "quantizing/weight_site.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

/// What is done with a weight in one forward pass.
struct Record {
  std::map<WeightUse, int64_t> uses;
  std::map<std::string, int64_t> other_uses;
  std::set<std::string> writes;
};

/// Computes with the float weight and writes down what it is asked for.
class Observer final : public SiteKernel {
 public:
  Observer(std::string name, at::Tensor weight)
      : SiteKernel(std::move(name)), weight_(std::move(weight)) {}

  [[nodiscard]] at::Tensor dense() const override { return weight_; }

  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const std::optional<at::Tensor>& bias) override {
    record(WeightUse::kLinear);
    return SiteKernel::linear(rows, bias);
  }
  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const std::optional<at::Tensor>& bias,
                                       const ConvolutionGeometry& geometry) override {
    record(geometry.transposed ? WeightUse::kTransposedConvolution
                               : WeightUse::kConvolution);
    return SiteKernel::convolution(input, bias, geometry);
  }
  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    record(WeightUse::kEmbedding);
    return SiteKernel::embedding(indices);
  }
  void on_dequantized(std::string_view operator_name) override {
    const std::scoped_lock lock(mutex_);
    ++record_.other_uses[std::string(operator_name)];
  }
  void on_write_refused(std::string_view operator_name) override {
    const std::scoped_lock lock(mutex_);
    record_.writes.emplace(operator_name);
  }

  [[nodiscard]] Record record() const {
    const std::scoped_lock lock(mutex_);
    return record_;
  }

 private:
  void record(WeightUse use) {
    const std::scoped_lock lock(mutex_);
    ++record_.uses[use];
  }

  at::Tensor weight_;
  mutable std::mutex mutex_;
  Record record_;
};

/// What a forward pass told.
struct Pass {
  std::optional<std::string> failure;
  std::vector<Record> records;  ///< of each weight that was watched
};

/// One module and its forward pass, which is run with some of the weights watched.
class Probe {
 public:
  Probe(std::vector<at::Tensor> others, const std::function<void()>& forward)
      : others_(std::move(others)), forward_(forward) {}

  /// Has a weight watched in the passes to come.
  void watch(Layer& layer) { watched_.push_back(&layer); }

  /// Finds out about each watched weight.
  void run() {
    std::size_t harmless = 0;  // so many, from the first on, may be watched together
    for (Pass pass = run_with(watched_.size());; pass = run_with(watched_.size())) {
      if (!pass.failure) {
        judge(pass);
        return;
      }
      if (give_up_written(pass)) {
        harmless = 0;
        continue;
      }
      require_plain_pass(*pass.failure);
      harmless = give_up_culprit(harmless, std::move(*pass.failure));
    }
  }

 private:
  /// Runs the forward pass with the first `count` of the weights watched.
  Pass run_with(std::size_t count) {
    const KeptRandomState random_state;
    const KeptTensors kept(unwatched(count));
    std::vector<TemporarySite> sites;
    std::vector<std::shared_ptr<Observer>> observers;
    for (std::size_t i = 0; i < count; ++i) {
      observers.push_back(observe(*watched_[i], sites));
    }
    Pass pass;
    try {
      const at::NoGradGuard no_gradients;
      forward_();
    } catch (...) {
      pass.failure = training::error_in_flight().message();
    }
    for (const auto& observer : observers) {
      pass.records.push_back(observer->record());
    }
    return pass;
  }

  static std::shared_ptr<Observer> observe(const Layer& layer,
                                           std::vector<TemporarySite>& sites) {
    // Shares the weight's memory; a detach() shares no more than that.
    auto observer =
        std::make_shared<Observer>(layer.names.front(), layer.tensors.front().detach());
    for (const at::Tensor& tensor : layer.tensors) {
      sites.emplace_back(tensor, observer);
    }
    return observer;
  }

  /// All that a pass could write to.
  [[nodiscard]] std::vector<at::Tensor> unwatched(std::size_t count) const {
    std::vector<at::Tensor> tensors = others_;
    for (std::size_t i = count; i < watched_.size(); ++i) {
      const auto& weight = watched_[i]->tensors;
      tensors.insert(tensors.end(), weight.begin(), weight.end());
    }
    return tensors;
  }

  /// @throws Error where the forward pass does not need watched weights to fail
  void require_plain_pass(const std::string& failure) {
    const auto refuse = [](const std::string& message) {
      throw Error(ErrorCode::kInput,
                  "the forward pass fails on the module as it is: " + message,
                  "give inputs that the module takes");
    };
    if (watched_.empty()) {
      refuse(failure);
    }
    if (plain_pass_works_) {
      return;
    }
    const Pass plain = run_with(0);
    if (plain.failure) {
      refuse(*plain.failure);
    }
    plain_pass_works_ = true;
  }

  /// Watches a weight no more, and says why.
  void give_up(std::size_t index, LayerStatus status, std::string reason) {
    Layer& layer = *watched_[index];
    layer.status = status;
    layer.reason = std::move(reason);
    others_.insert(others_.end(), layer.tensors.begin(), layer.tensors.end());
    watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  /// Gives up the weights that a failed pass wanted to write to. @returns if there were
  /// any
  bool give_up_written(const Pass& pass) {
    bool any = false;
    for (std::size_t i = pass.records.size(); i-- > 0;) {
      if (!pass.records[i].writes.empty()) {
        give_up(i, LayerStatus::kWritten, reason_of_writes(pass.records[i]));
        any = true;
      }
    }
    return any;
  }

  /// Gives up one weight because of which the pass with all fails: the first that makes
  /// it fail when watched together with those before it.
  /// @param harmless so many from the first on are known to be watched without harm
  /// @param failure what the pass with all failed with
  /// @returns the new count of harmless ones
  std::size_t give_up_culprit(std::size_t harmless, std::string failure) {
    std::size_t harmful = watched_.size();
    while (harmful - harmless > 1) {
      const std::size_t middle = harmless + (harmful - harmless) / 2;
      Pass pass = run_with(middle);
      if (pass.failure) {
        harmful = middle;
        failure = std::move(*pass.failure);
      } else {
        harmless = middle;
      }
    }
    give_up(harmful - 1,
            LayerStatus::kInaccessible,
            "the forward pass reads the weight's memory itself: " + failure);
    return harmful - 1;
  }

  static std::string reason_of_writes(const Record& record) {
    return fmt::format("the forward pass writes to the weight with {}",
                       fmt::join(record.writes, ", "));
  }

  /// Judges the watched weights by a pass that went well.
  void judge(const Pass& pass) {
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      judge(pass.records[i], *watched_[i]);
    }
  }

  static void judge(const Record& record, Layer& layer) {
    layer.uses = record.uses;
    layer.other_uses = record.other_uses;
    if (!record.writes.empty()) {  // refused, and the module caught the exception
      layer.status = LayerStatus::kWritten;
      layer.reason = reason_of_writes(record);
    } else if (!record.other_uses.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, count] : record.other_uses) {
        names.push_back(name);
      }
      layer.status = LayerStatus::kOtherUse;
      layer.reason = fmt::format("{} {} the weight and cannot run quantized",
                                 fmt::join(names, ", "),
                                 names.size() == 1 ? "uses" : "use");
    } else if (record.uses.empty()) {
      layer.status = LayerStatus::kUnused;
      layer.reason = "the forward pass does not use the weight";
    } else {
      layer.status = LayerStatus::kQuantizable;
    }
  }

  std::vector<Layer*> watched_;
  std::vector<at::Tensor> others_;
  const std::function<void()>& forward_;
  bool plain_pass_works_ = false;
};

/// Whether a site can take a weight's place. @returns why not; empty where it can
std::string unsuitable_because(const Layer& layer) {
  if (site_kernel(layer.tensors.front()) != nullptr) {
    throw Error(ErrorCode::kInput,
                fmt::format("the weight '{}' is quantized already", layer.names.front()),
                "give the float module");
  }
  try {
    for (const at::Tensor& tensor : layer.tensors) {
      const TemporarySite site(
          tensor, std::make_shared<Observer>(layer.names.front(), tensor.detach()));
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) {
      throw;
    }
    return error.message();
  }
  return {};
}

}  // namespace

std::vector<Layer> find_layers(const torch::nn::Module& module,
                               const std::function<void()>& forward) {
  ModuleTensors tensors = list_tensors(module);
  std::vector<Layer> layers;
  for (ModuleWeight& weight : tensors.weights) {
    Layer layer;
    layer.names = std::move(weight.names);
    layer.module_type = std::move(weight.module_type);
    layer.shape = weight.tensors.front().sizes().vec();
    layer.tensors = std::move(weight.tensors);
    layer.reason = unsuitable_because(layer);
    if (!layer.reason.empty()) {
      layer.status = LayerStatus::kUnsuitable;
      tensors.others.insert(
          tensors.others.end(), layer.tensors.begin(), layer.tensors.end());
    }
    layers.push_back(std::move(layer));
  }
  Probe probe(std::move(tensors.others), forward);
  for (Layer& layer : layers) {
    if (layer.status == LayerStatus::kNotRun) {
      probe.watch(layer);
    }
  }
  probe.run();
  return layers;
}

}  // namespace sizewise::quantizing
