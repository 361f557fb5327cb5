#include "quantizing/parallel_parts.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

namespace sizewise::quantizing {
namespace {

// One thread does so much in about 10 us; to wake another takes 2 to 5.
constexpr int64_t kLeastOperations = int64_t{1} << 19;

}  // namespace

int64_t parts_of_work(int64_t operations) {
  return operations < kLeastOperations || at::in_parallel_region()
             ? 1
             : at::get_num_threads();
}

// at::parallel_for() is a template that runs in one thread unless it is compiled with
// OpenMP, and then needs the very OpenMP library that this LibTorch has. Its iterators
// are compiled.
void run_parts(int64_t parts, c10::function_ref<void(int64_t)> work) {
  if (parts == 1) {
    work(0);
    return;
  }
  const at::Tensor places = at::empty({parts}, at::kByte);
  const char* first = static_cast<const char*>(places.const_data_ptr());
  at::TensorIterator iterator = at::TensorIteratorConfig()
                                    .check_all_same_dtype(false)
                                    .resize_outputs(false)
                                    .add_output(places)
                                    .build();
  iterator.for_each(
      [&](char** data, const int64_t* /*strides*/, int64_t count) {
        const int64_t part = data[0] - first;
        for (int64_t i = part; i < part + count; ++i) {
          work(i);
        }
      },
      /*grain_size=*/1);
}

}  // namespace sizewise::quantizing
