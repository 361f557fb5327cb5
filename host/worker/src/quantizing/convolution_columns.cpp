#include "quantizing/convolution_columns.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "kernels/level_functions.hpp"
#include "quantizing/parallel_parts.hpp"
#include "quantizing/placed_phase.hpp"
#include "quantizing/turned_blocks.hpp"

namespace sizewise::quantizing {
namespace {

// Rows of columns of one block, which stay in a core's second cache beside weights.
constexpr int64_t kBlockBytes = int64_t{1} << 17;
constexpr int64_t kMostRows = 192;
// Results of a task: so many neighbouring places of a channel are written at a time.
constexpr int64_t kResultFloats = int64_t{1} << 16;
constexpr int64_t kLeastRows = 24;
// So many tasks for each thread even out what else the machine does.
constexpr int64_t kTasksPerThread = 4;
// Rows of results are no power of two apart, which would share places of a cache.
constexpr int64_t kResultSlack = 16;
constexpr int64_t kCopyBytes = 16;

/// May write up to 15 bytes more, which are written again or mean nothing.
void copy_codes(uint8_t* to, const uint8_t* from, int64_t count) {
  if (count > 4 * kCopyBytes) {
    std::memcpy(to, from, static_cast<std::size_t>(count));
    return;
  }
  for (int64_t i = 0; i < count; i += kCopyBytes) {
    std::memcpy(to + i, from + i, kCopyBytes);
  }
}

/// How a phase is cut: tasks of rows, each in blocks of rows, and parts of the channels.
struct Cut {
  int64_t block_rows;
  int64_t task_rows;
  int64_t tasks;  ///< of an image and a part
  int64_t parts;

  Cut(const PlacedPhase& phase, const PackedConvolution& packed, int64_t images) {
    const int64_t threads = at::get_num_threads();
    const int64_t row_bytes = std::max<int64_t>(phase.row_bytes, 64);
    block_rows = std::clamp<int64_t>(kBlockBytes / row_bytes, 6, kMostRows);
    const int64_t even = phase.rows * images / (kTasksPerThread * threads);
    const int64_t most_rows =
        std::max(block_rows, kResultFloats / (packed.unit_outputs + kResultSlack));
    task_rows = std::min(most_rows, std::max(even, kLeastRows));
    tasks = (phase.rows + task_rows - 1) / task_rows;
    task_rows = tasks == 0 ? 0 : (phase.rows + tasks - 1) / tasks;
    const int64_t blocks = (task_rows + block_rows - 1) / block_rows;
    block_rows = blocks == 0 ? 0 : (task_rows + blocks - 1) / blocks;
    const int64_t channel_blocks =
        (packed.unit_outputs + kernels::kBlockChannels - 1) / kernels::kBlockChannels;
    const int64_t all = std::max<int64_t>(images * tasks, 1);
    parts = std::clamp<int64_t>(
        (threads + all - 1) / all, 1, packed.units > 1 ? packed.units : channel_blocks);
  }
};

/// What one thread computes with.
class BlockProduct {
 public:
  BlockProduct(const PackedConvolution& packed,
               const PlacedPhase& phase,
               const std::vector<CodedImages>& coded,
               const at::Tensor& bias,
               const at::Tensor& output,
               bool channels_last,
               const Cut& cut)
      : packed_(packed),
        phase_(phase),
        coded_(coded),
        bias_(bias.defined() ? bias.const_data_ptr<float>() : nullptr),
        output_(output.mutable_data_ptr<float>()),
        outputs_(packed.outputs()),
        places_(output.numel() / (output.size(0) * outputs_)),
        channels_last_(channels_last),
        stride_(packed.unit_outputs + kResultSlack),
        block_rows_(cut.block_rows),
        codes_(at::empty({cut.block_rows * phase.row_bytes + kCodeSlack}, at::kByte)),
        result_(at::empty({cut.task_rows * stride_}, at::kFloat)),
        more_(at::empty({cut.block_rows * stride_}, at::kFloat)),
        source_(static_cast<std::size_t>(cut.task_rows)),
        places_of_rows_(static_cast<std::size_t>(cut.task_rows)),
        sums_(static_cast<std::size_t>(cut.block_rows)) {}

  void run(int64_t image, int64_t first, int64_t last, int64_t part, int64_t parts) {
    rows_ = last - first;
    find_places(first);
    if (packed_.units > 1) {
      for (int64_t unit = packed_.units * part / parts;
           unit < packed_.units * (part + 1) / parts;
           ++unit) {
        run_unit(image, unit, {0, packed_.unit_outputs});
      }
    } else {
      run_unit(image, 0, kernels::part_of_channels(outputs_, part, parts));
    }
  }

 private:
  /// Where the windows of the rows start, and where their outputs go.
  void find_places(int64_t first) {
    const std::size_t axes = phase_.counts.size();
    std::vector<int64_t> at(axes);
    int64_t source = 0;
    int64_t place = phase_.first_output;
    for (std::size_t axis = axes; axis-- > 0;) {
      at[axis] = first % phase_.counts[axis];
      first /= phase_.counts[axis];
      source += at[axis] * phase_.source_steps[axis];
      place += at[axis] * phase_.output_steps[axis];
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows_); ++i) {
      source_[i] = source;
      places_of_rows_[i] = place;
      for (std::size_t axis = axes; axis-- > 0;) {
        source += phase_.source_steps[axis];
        place += phase_.output_steps[axis];
        if (++at[axis] < phase_.counts[axis]) {
          break;
        }
        source -= at[axis] * phase_.source_steps[axis];
        place -= at[axis] * phase_.output_steps[axis];
        at[axis] = 0;
      }
    }
  }

  void run_unit(int64_t image, int64_t unit, kernels::ChannelRange range) {
    const int64_t channel = unit * packed_.unit_outputs;
    const bool is_direct = channels_last_ && phase_.is_whole;
    float* result = result_.mutable_data_ptr<float>();
    int64_t stride = stride_;
    if (is_direct) {
      result = output_ + (image * places_ + places_of_rows_.front()) * outputs_ + channel;
      stride = outputs_;
    }
    for (int64_t first = 0; first < rows_; first += block_rows_) {
      const int64_t rows = std::min(block_rows_, rows_ - first);
      run_block(image, unit, range, first, rows, result + first * stride, stride);
    }
    if (!is_direct) {
      store(result, image, channel, range);
    }
  }

  void run_block(int64_t image,
                 int64_t unit,
                 kernels::ChannelRange range,
                 int64_t first,
                 int64_t rows,
                 float* result,
                 int64_t stride) {
    const float* bias = bias_ == nullptr ? nullptr : bias_ + unit * packed_.unit_outputs;
    float* more = more_.mutable_data_ptr<float>();
    bool is_first = true;
    for (const CodedImages& coded : coded_) {
      for (const PlacedSegment& segment : phase_.units[static_cast<std::size_t>(unit)]) {
        const kernels::CodedRows x = gather(segment, coded, image, first, rows);
        if (is_first) {
          kernels::multiply(*segment.weights, x, range, bias, result, stride);
        } else {
          kernels::multiply(*segment.weights, x, range, nullptr, more, stride_);
          add(more, rows, range, result, stride);
        }
        is_first = false;
      }
    }
    if (is_first) {
      fill(bias, rows, range, result, stride);
    }
  }

  /// The columns that some of the rows see.
  kernels::CodedRows gather(const PlacedSegment& segment,
                            const CodedImages& coded,
                            int64_t image,
                            int64_t first,
                            int64_t rows) {
    const int64_t columns = segment.weights->columns();
    const int64_t stride = kernels::padded_columns(columns);
    const uint8_t* images =
        coded.codes.const_data_ptr<uint8_t>() + image * coded.image_bytes();
    auto* codes = codes_.mutable_data_ptr<uint8_t>();
    for (int64_t i = 0; i < rows; ++i) {
      const uint8_t* from = images + source_[static_cast<std::size_t>(first + i)];
      for (const Copy& copy : segment.copies) {
        copy_codes(codes + i * stride + copy.column, from + copy.source, copy.count);
      }
    }
    const bool needs_sums = segment.weights->has_zero_points();
    for (int64_t i = 0; needs_sums && i < rows; ++i) {
      sums_[static_cast<std::size_t>(i)] =
          kernels::used_functions().code_sum(codes + i * stride, columns);
    }
    const kernels::CodeParameters& parameters = coded.of_image(image);
    return {codes,
            rows,
            columns,
            stride,
            &parameters.scale,
            &parameters.zero_point,
            false,
            needs_sums ? sums_.data() : nullptr};
  }

  void add(const float* more,
           int64_t rows,
           kernels::ChannelRange range,
           float* to,
           int64_t stride) const {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t n = range.first; n < range.last; ++n) {
        to[i * stride + n] += more[i * stride_ + n];
      }
    }
  }

  /// Outputs that see no input.
  static void fill(const float* bias,
                   int64_t rows,
                   kernels::ChannelRange range,
                   float* to,
                   int64_t stride) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t n = range.first; n < range.last; ++n) {
        to[i * stride + n] = bias == nullptr ? 0.0F : bias[n];
      }
    }
  }

  void store(const float* result,
             int64_t image,
             int64_t channel,
             kernels::ChannelRange range) {
    float* output = output_ + image * outputs_ * places_;
    if (channels_last_) {
      for (int64_t i = 0; i < rows_; ++i) {
        const int64_t place = places_of_rows_[static_cast<std::size_t>(i)];
        std::copy(result + i * stride_ + range.first,
                  result + i * stride_ + range.last,
                  output + place * outputs_ + channel + range.first);
      }
      return;
    }
    float* planes = output + (channel + range.first) * places_;
    if (phase_.is_whole) {
      turn_floats(result + range.first,
                  stride_,
                  rows_,
                  range.last - range.first,
                  planes + places_of_rows_.front(),
                  places_);
      return;
    }
    for (int64_t n = range.first; n < range.last; ++n, planes += places_) {
      for (int64_t i = 0; i < rows_; ++i) {
        planes[places_of_rows_[static_cast<std::size_t>(i)]] = result[i * stride_ + n];
      }
    }
  }

  const PackedConvolution& packed_;
  const PlacedPhase& phase_;
  const std::vector<CodedImages>& coded_;
  const float* bias_;
  float* output_;
  int64_t outputs_;
  int64_t places_;  // of an image's output
  bool channels_last_;
  int64_t stride_;
  int64_t block_rows_;
  at::Tensor codes_;   // of a block
  at::Tensor result_;  // of a task
  at::Tensor more_;    // of a block, to be added
  std::vector<int64_t> source_;
  std::vector<int64_t> places_of_rows_;
  std::vector<int32_t> sums_;
  int64_t rows_ = 0;
};

}  // namespace

void convolve_columns(const PackedConvolution& packed,
                      const std::vector<CodedImages>& coded,
                      const at::Tensor& bias,
                      const at::Tensor& output,
                      bool channels_last) {
  const int64_t images = output.size(0);
  const std::vector<int64_t> output_sizes = output.sizes().slice(2).vec();
  for (const ConvolutionPhase& of_phase : packed.phases) {
    const PlacedPhase phase = placed(of_phase, coded.front(), output_sizes);
    const Cut cut(phase, packed, images);
    const int64_t tasks = images * cut.tasks * cut.parts;
    const int64_t operations = images * phase.rows * phase.row_bytes * packed.outputs();
    const int64_t threads = std::min(parts_of_work(operations), tasks);
    if (threads == 0) {
      continue;
    }
    std::atomic<int64_t> next{0};
    run_parts(threads, [&](int64_t /*thread*/) {
      BlockProduct product(packed, phase, coded, bias, output, channels_last, cut);
      for (int64_t task = next++; task < tasks; task = next++) {
        const int64_t first = task / cut.parts % cut.tasks * cut.task_rows;
        product.run(task / cut.parts / cut.tasks,
                    first,
                    std::min(phase.rows, first + cut.task_rows),
                    task % cut.parts,
                    cut.parts);
      }
    });
  }
}

}  // namespace sizewise::quantizing
