#pragma once

#include <functional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "serving/plugin_store.hpp"

namespace sizewise::serving {

/// Sends an event of the request in progress: its fields, without `id`.
using EventSink = std::function<void(const nlohmann::json&)>;

/// Answers the methods of docs/worker-protocol.md, one at a time.
class Worker {
 public:
  /// @throws Error kConfiguration for a method or a field that is not allowed, else what
  ///   the method meets
  [[nodiscard]] nlohmann::json answer(std::string_view method,
                                      const nlohmann::json& params,
                                      const EventSink& send_event);

 private:
  /// A model family and what stands around it, so far as the request names it.
  struct Setting {
    training::Ingredients parts;
    DatasetInfo data;
    PluginRequest model;
  };

  [[nodiscard]] nlohmann::json hello(const nlohmann::json& params);
  [[nodiscard]] nlohmann::json dataset(const nlohmann::json& params);
  [[nodiscard]] nlohmann::json describe(const nlohmann::json& params,
                                        const EventSink& send_event);
  [[nodiscard]] nlohmann::json invert(const nlohmann::json& params,
                                      const EventSink& send_event);
  [[nodiscard]] nlohmann::json train(const nlohmann::json& params,
                                     const EventSink& send_event);
  [[nodiscard]] nlohmann::json evaluate(const nlohmann::json& params,
                                        const EventSink& send_event);

  /// The setting of `describe` and `invert`, where dataset and loss may be absent.
  [[nodiscard]] Setting setting(const nlohmann::json& params);
  /// The setting of `train`, complete.
  [[nodiscard]] Setting whole_setting(const nlohmann::json& params);
  void check_contract(const Setting& setting, const nlohmann::json& params);
  [[nodiscard]] nlohmann::json checkpoint_facts(const nlohmann::json& params,
                                                const Setting& setting,
                                                const training::TrialResult& result);

  PluginStore plugins_;
};

}  // namespace sizewise::serving
