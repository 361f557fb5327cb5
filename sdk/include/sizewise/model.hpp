#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <torch/nn/module.h>

#include "sizewise/dataset_info.hpp"
#include "sizewise/plugin.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise {

/// The sum of the sizes of a module's parameters, a tied tensor once.
[[nodiscard]] int64_t count_params(const torch::nn::Module& module);

/// One model of a family, as the worker sees it.
class Model {
 public:
  virtual ~Model();
  /// Outputs for a batch; a module with one input and one output maps `input` to
  /// `output`. [one thread at a time]
  [[nodiscard]] virtual TensorMap forward(const TensorMap& batch) = 0;
  /// What the model itself says; the worker checks it against count_params().
  [[nodiscard]] virtual int64_t num_params() const = 0;
  /// The module that holds the parameters; lives as long as the Model.
  [[nodiscard]] virtual torch::nn::Module& module() = 0;
};

/// A model plugin: models of every size that its manifest allows.
class ModelFamily {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.model/1";
  virtual ~ModelFamily();

  /// A new model with weights drawn from LibTorch's default generator. [after create, any
  /// thread]
  /// @throws Error kConfiguration where the size is not allowed, saying which are
  [[nodiscard]] virtual std::unique_ptr<Model> create(int64_t size) const = 0;

  /// The parameter count of a size, where the family knows it without allocating the
  /// model.
  [[nodiscard]] virtual std::optional<int64_t> num_params(int64_t size) const;
};

namespace detail {

template <class T>
concept HasNumParams = requires(const T& model) {
  { model.num_params() } -> std::convertible_to<int64_t>;
};
template <class T>
concept HasNumParamsOfAnyKind = requires(T& model) { model.num_params(); };
template <class T>
concept HasCountParameters = requires(const T& model) { model.count_parameters(); };
template <class T>
concept HasTensorForward = requires(T& model, const at::Tensor& input) {
  { model.forward(input) } -> std::convertible_to<at::Tensor>;
};
template <class T>
concept HasMapForward = requires(T& model, const TensorMap& batch) {
  { model.forward(batch) } -> std::convertible_to<TensorMap>;
};
template <class T>
concept TakesSizeOptionsData =
    std::constructible_from<T, int64_t, const Options&, const DatasetInfo&>;
template <class T>
concept TakesSizeOptions = std::constructible_from<T, int64_t, const Options&>;
template <class T>
concept TakesSize = std::constructible_from<T, int64_t>;
template <class T>
concept HasStaticNumParams =
    requires(int64_t size, const Options& options, const DatasetInfo& data) {
      { T::num_params_of(size, options, data) } -> std::convertible_to<int64_t>;
    };

/// Adapts an ordinary module to the interface that crosses the plugin boundary.
template <class Module>
class ModelAdapter final : public Model {
 public:
  explicit ModelAdapter(std::shared_ptr<Module> module) : module_(std::move(module)) {}

  TensorMap forward(const TensorMap& batch) override {
    if constexpr (HasMapForward<Module>) {
      return module_->forward(batch);
    } else {
      return {{"output", module_->forward(tensor_at(batch, "input"))}};
    }
  }
  [[nodiscard]] int64_t num_params() const override {
    return std::as_const(*module_).num_params();
  }
  [[nodiscard]] torch::nn::Module& module() override { return *module_; }

 private:
  std::shared_ptr<Module> module_;
};

}  // namespace detail

/// An ordinary module, with num_params() and a forward() of a tensor or of a TensorMap,
/// as a Model: for a ModelFamily of your own.
template <class Module>
[[nodiscard]] std::unique_ptr<Model> as_model(std::shared_ptr<Module> module) {
  return std::make_unique<detail::ModelAdapter<Module>>(std::move(module));
}

namespace detail {

/// The family of an ordinary module: its constructor takes the size.
template <class Module>
class ModuleFamily final : public ModelFamily {
 public:
  ModuleFamily(const Options& options, const DatasetInfo& data)
      : options_(options), data_(data) {}

  [[nodiscard]] std::unique_ptr<Model> create(int64_t size) const override {
    return as_model(make(size));
  }
  [[nodiscard]] std::optional<int64_t> num_params(int64_t size) const override {
    if constexpr (HasStaticNumParams<Module>) {
      return Module::num_params_of(size, options_, data_);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::shared_ptr<Module> make(int64_t size) const {
    if constexpr (TakesSizeOptionsData<Module>) {
      return std::make_shared<Module>(size, options_, data_);
    } else if constexpr (TakesSizeOptions<Module>) {
      return std::make_shared<Module>(size, options_);
    } else {
      return std::make_shared<Module>(size);
    }
  }

  Options options_;
  DatasetInfo data_;
};

}  // namespace detail
}  // namespace sizewise

/// Exports an ordinary torch::nn::Module whose constructor takes (size), (size, options)
/// or (size, options, data), with forward() and num_params(). A static
/// num_params_of(size, options, data) lets the planner count without allocating.
#define SIZEWISE_MODEL(Class)                                                       \
  static_assert(std::derived_from<Class, torch::nn::Module>,                        \
                #Class " must derive publicly from torch::nn::Module");             \
  static_assert(::sizewise::detail::HasNumParamsOfAnyKind<Class> ||                 \
                    !::sizewise::detail::HasCountParameters<Class>,                 \
                #Class                                                              \
                " has no num_params(). Did you mean count_parameters()? Rename it " \
                "to num_params().");                                                \
  static_assert(::sizewise::detail::HasNumParamsOfAnyKind<Class>,                   \
                #Class                                                              \
                " has no num_params(). Add `int64_t num_params() const { return "   \
                "sizewise::count_params(*this); }`.");                              \
  static_assert(::sizewise::detail::HasNumParams<Class>,                            \
                "num_params() of " #Class                                           \
                " must be const and return an integer: "                            \
                "`int64_t num_params() const`");                                    \
  static_assert(::sizewise::detail::HasTensorForward<Class> ||                      \
                    ::sizewise::detail::HasMapForward<Class>,                       \
                #Class                                                              \
                " needs `torch::Tensor forward(const torch::Tensor& input)` or "    \
                "`sizewise::TensorMap forward(const sizewise::TensorMap& batch)`"); \
  static_assert(::sizewise::detail::TakesSizeOptionsData<Class> ||                  \
                    ::sizewise::detail::TakesSizeOptions<Class> ||                  \
                    ::sizewise::detail::TakesSize<Class>,                           \
                #Class                                                              \
                " needs a public constructor from (int64_t size), (int64_t size, "  \
                "const sizewise::Options&) or (int64_t size, const "                \
                "sizewise::Options&, const sizewise::DatasetInfo&)");               \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::ModelFamily,                                   \
                         ::sizewise::detail::ModuleFamily<Class>,                   \
                         SIZEWISE_KIND_MODEL)

/// Exports a class that derives from sizewise::ModelFamily and is made from
/// (const Options&, const DatasetInfo&).
#define SIZEWISE_MODEL_FAMILY(Class)                                           \
  static_assert(std::derived_from<Class, ::sizewise::ModelFamily>,             \
                #Class " must derive publicly from sizewise::ModelFamily");    \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,             \
                #Class                                                         \
                " needs a public constructor from (const sizewise::Options&, " \
                "const sizewise::DatasetInfo&)");                              \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::ModelFamily, Class, SIZEWISE_KIND_MODEL)
