#include "training/flop_counter.hpp"

#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>

#include <ATen/record_function.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include "training/flop_formulas.hpp"

namespace sizewise::training {
namespace {

constexpr std::string_view kSlotName = "SIZEWISE_FLOP_COUNTER";
constexpr c10::DebugInfoKind kSlot(&kSlotName);

/// What is counted so far. LibTorch hands it to the threads that run the backward pass.
class Tally final : public c10::DebugInfoBase {
 public:
  /// Counts an operator that has a formula, unless this thread is inside one that has:
  /// a convolution's own matrix products are part of it.
  void enter_counted(int64_t flops) {
    const std::scoped_lock lock(mutex_);
    int& depth = depth_[std::this_thread::get_id()];
    if (depth == 0) {
      flops_ += flops;
    }
    ++depth;
  }
  void leave_counted() {
    const std::scoped_lock lock(mutex_);
    --depth_[std::this_thread::get_id()];
  }
  bool is_inside_counted() {
    const std::scoped_lock lock(mutex_);
    return depth_[std::this_thread::get_id()] > 0;
  }
  void add_uncounted(std::string name) {
    const std::scoped_lock lock(mutex_);
    uncounted_.insert(std::move(name));
  }
  int64_t flops() {
    const std::scoped_lock lock(mutex_);
    return flops_;
  }
  FlopCount count() {
    const std::scoped_lock lock(mutex_);
    return {flops_, {uncounted_.begin(), uncounted_.end()}};
  }

 private:
  std::mutex mutex_;
  int64_t flops_ = 0;
  std::set<std::string> uncounted_;
  std::map<std::thread::id, int> depth_;
};

Tally* current_tally() {
  return static_cast<Tally*>(c10::ThreadLocalDebugInfo::get(kSlot));
}

/// What the end of an operator must know of its start.
struct OperatorContext final : at::ObserverContext {
  bool counted = false;
  int64_t flops_before = 0;  ///< of a suspect: did anything inside it count?
};

std::unique_ptr<at::ObserverContext> on_enter(const at::RecordFunction& call) {
  Tally* tally = current_tally();
  if (tally == nullptr) {
    return nullptr;
  }
  const std::string_view name = call.name();
  auto context = std::make_unique<OperatorContext>();
  if (const std::optional<int64_t> flops = operator_flops(name, call.inputs())) {
    tally->enter_counted(*flops);
    context->counted = true;
    return context;
  }
  if (!tally->is_inside_counted() && looks_like_matrix_work(name, call.inputs())) {
    context->flops_before = tally->flops();
    return context;
  }
  return nullptr;
}

void on_leave(const at::RecordFunction& call, at::ObserverContext* observed) {
  Tally* tally = current_tally();
  if (tally == nullptr || observed == nullptr) {
    return;
  }
  const auto* context = static_cast<OperatorContext*>(observed);
  if (context->counted) {
    tally->leave_counted();
  } else if (tally->flops() == context->flops_before) {
    tally->add_uncounted(call.name());
  }
}

}  // namespace

struct FlopCounter::Observation {
  std::shared_ptr<Tally> tally = std::make_shared<Tally>();
  c10::DebugInfoGuard slot{kSlot, tally};
  at::RecordFunctionGuard enable{true};
  at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&on_enter, &on_leave)
                                     .needsInputs(true)
                                     .scopes({at::RecordScope::FUNCTION}));
};

FlopCounter::FlopCounter() : observation_(std::make_unique<Observation>()) {}

FlopCounter::~FlopCounter() {
  at::removeCallback(observation_->handle);
}

FlopCount FlopCounter::count() const {
  return observation_->tally->count();
}

}  // namespace sizewise::training
