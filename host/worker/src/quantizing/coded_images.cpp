#include "quantizing/coded_images.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "kernels/level_functions.hpp"
#include "quantizing/parallel_parts.hpp"
#include "quantizing/turned_blocks.hpp"

namespace sizewise::quantizing {
namespace {

using kernels::CodeParameters;
using kernels::ValueRange;

// What one thread codes at a time stays in its first caches.
constexpr int64_t kChunkValues = int64_t{1} << 15;
constexpr int64_t kChunkChannels = 64;

// The largest 16-bit number is 127 * 256: its upper byte fits 8 bits after rounding.
constexpr float kMostWide = 32512.0F;

[[noreturn]] void refuse_values(const std::string& name) {
  throw Error(ErrorCode::kQuantization,
              fmt::format("layer '{}': its input holds a value that is not finite", name),
              "look for NaN or infinity in the data or in the layers before it");
}

/// Calls work(i) for i below `count` on all threads, in neighbouring runs.
template <class Work>
void run_items(int64_t count, int64_t operations, const Work& work) {
  const int64_t parts = std::min(count, parts_of_work(operations));
  if (parts == 0) {
    return;
  }
  run_parts(parts, [&](int64_t part) {
    for (int64_t i = first_of_part(count, part, parts);
         i < first_of_part(count, part + 1, parts);
         ++i) {
      work(i);
    }
  });
}

/// Whether memory holds the channels of a place next to each other.
bool has_channels_inside(const at::Tensor& input) {
  std::vector<int64_t> order{0};
  for (int64_t axis = 2; axis < input.dim(); ++axis) {
    order.push_back(axis);
  }
  order.push_back(1);
  return input.permute(order).is_contiguous();
}

/// Of equal pieces of memory, one for each of `count` images.
std::vector<ValueRange> ranges_of(const float* values, int64_t count, int64_t size) {
  const int64_t chunks = (size + kChunkValues - 1) / kChunkValues;
  std::vector<ValueRange> parts(static_cast<std::size_t>(count * chunks));
  run_items(count * chunks, 4 * count * size, [&](int64_t i) {
    const int64_t first = i % chunks * kChunkValues;
    const int64_t length = std::min(kChunkValues, size - first);
    parts[static_cast<std::size_t>(i)] =
        kernels::range_of({values + i / chunks * size + first, 1, length, length});
  });
  std::vector<ValueRange> ranges(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ValueRange& range = ranges[i / static_cast<std::size_t>(chunks)];
    range.is_finite = range.is_finite && parts[i].is_finite;
    range.low = std::min(range.low, parts[i].low);
    range.high = std::max(range.high, parts[i].high);
  }
  return ranges;
}

std::vector<CodeParameters> dynamic_parameters(const std::string& name,
                                               const at::Tensor& input,
                                               ActivationTreatment treatment) {
  const bool per_image = treatment == ActivationTreatment::kDynamicPerToken;
  const int64_t count = per_image ? input.size(0) : 1;
  std::vector<CodeParameters> parameters;
  for (const ValueRange& range :
       ranges_of(input.const_data_ptr<float>(), count, input.numel() / count)) {
    if (!range.is_finite) {
      refuse_values(name);
    }
    if (treatment == ActivationTreatment::kNone) {
      const float most = std::max(-range.low, range.high);
      const float scale = std::max(most / kMostWide, std::numeric_limits<float>::min());
      parameters.push_back({most == 0.0F ? 1.0F : scale, 128});
    } else {
      parameters.push_back(
          kernels::choose_parameters(range, kernels::CodeRange::kAsymmetric));
    }
  }
  return parameters;
}

/// Writes round(value / scale) as 256 * (upper - 128) + (lower - 128).
void encode_wide(
    const float* values, int64_t count, float scale, uint8_t* upper, uint8_t* lower) {
  // Adding 1.5 * 2^23 leaves the rounded number in the lower bits of the float.
  constexpr float kShift = 12582912.0F;
  const auto base = std::bit_cast<int32_t>(kShift);
  for (int64_t i = 0; i < count; ++i) {
    const int32_t code = std::bit_cast<int32_t>(values[i] / scale + kShift) - base;
    upper[i] = static_cast<uint8_t>(((code + 128) >> 8) + 128);
    lower[i] = static_cast<uint8_t>(code + 128);
  }
}

/// Codes one batch, a chunk of places and channels at a time.
class ImageCoder {
 public:
  ImageCoder(const at::Tensor& input,
             const std::vector<AxisFrame>& frame,
             std::vector<CodedImages>& coded,
             bool checks_values)
      : values_(input.const_data_ptr<float>()),
        images_(input.size(0)),
        channels_(input.size(1)),
        width_(input.size(-1)),
        channels_inside_(has_channels_inside(input)),
        checks_values_(checks_values),
        coded_(coded) {
    places_ = input.numel() / std::max<int64_t>(images_ * channels_, 1);
    set_line_starts(input.sizes().slice(2), frame);
  }

  /// @returns whether all values were finite, if they are checked
  bool run() {
    const int64_t channels =
        channels_inside_ ? std::max<int64_t>(channels_, 1) : kChunkChannels;
    const int64_t slabs = (channels_ + channels - 1) / channels;
    const int64_t places = std::max<int64_t>(
        1, kChunkValues / std::max<int64_t>(std::min(channels, channels_), 1));
    const int64_t chunks = (places_ + places - 1) / places;
    const int64_t items = images_ * chunks * slabs;
    run_items(items, 8 * images_ * channels_ * places_, [&](int64_t i) {
      const int64_t place = i / slabs % chunks * places;
      const int64_t channel = i % slabs * channels;
      code_chunk({i / slabs / chunks,
                  place,
                  std::min(places_, place + places),
                  channel,
                  std::min(channels_, channel + channels)});
    });
    return is_finite_;
  }

 private:
  struct Chunk {
    int64_t image;
    int64_t first;
    int64_t last;
    int64_t first_channel;
    int64_t last_channel;
  };

  void set_line_starts(c10::IntArrayRef sizes, const std::vector<AxisFrame>& frame) {
    const CodedImages& coded = coded_.front();
    const auto axes = static_cast<int64_t>(sizes.size());
    const int64_t lines = width_ == 0 ? 0 : places_ / width_;
    for (int64_t line = 0; line < lines; ++line) {
      int64_t rest = line;
      int64_t step = channels_;
      int64_t start = frame.back().low * step;
      for (int64_t axis = axes - 2; axis >= 0; --axis) {
        const auto at = static_cast<std::size_t>(axis);
        step *= coded.framed_sizes[at + 1];
        start += (rest % sizes[at] + frame[at].low) * step;
        rest /= sizes[at];
      }
      line_starts_.push_back(start);
    }
  }

  /// Calls write(first place, how many, where its codes start) for pieces of lines.
  template <class Write>
  void for_each_piece(const Chunk& chunk, const Write& write) const {
    for (int64_t place = chunk.first; place < chunk.last;) {
      const int64_t line = place / width_;
      const int64_t count = std::min(chunk.last, (line + 1) * width_) - place;
      const int64_t start = chunk.image * coded_.front().image_bytes() +
                            line_starts_[static_cast<std::size_t>(line)] +
                            (place - line * width_) * channels_;
      write(place, count, start);
      place += count;
    }
  }

  /// Codes neighbouring values.
  /// @param lower where the lower bytes of 16-bit numbers go
  void encode(
      const float* values, int64_t count, int64_t image, uint8_t* upper, uint8_t* lower) {
    const kernels::LevelFunctions& level = kernels::used_functions();
    if (checks_values_ && !kernels::range_of({values, 1, count, count}).is_finite) {
      is_finite_ = false;
    }
    if (coded_.size() == 2) {
      encode_wide(values, count, coded_[1].parameters[0].scale, upper, lower);
    } else {
      const CodeParameters& parameters = coded_[0].of_image(image);
      level.encode(values, count, parameters.scale, parameters.zero_point, upper);
    }
  }

  void code_chunk(const Chunk& chunk) {
    uint8_t* upper = coded_.front().codes.mutable_data_ptr<uint8_t>();
    uint8_t* lower = coded_.back().codes.mutable_data_ptr<uint8_t>();
    if (channels_inside_) {
      const float* values = values_ + chunk.image * places_ * channels_;
      for_each_piece(chunk, [&](int64_t place, int64_t count, int64_t start) {
        encode(values + place * channels_,
               count * channels_,
               chunk.image,
               upper + start,
               lower + start);
      });
      return;
    }
    alignas(64) uint8_t room[2 * kChunkValues];
    const int64_t length = chunk.last - chunk.first;
    const int64_t channels = chunk.last_channel - chunk.first_channel;
    for (int64_t i = 0; i < channels; ++i) {
      const int64_t plane = chunk.image * channels_ + chunk.first_channel + i;
      encode(values_ + plane * places_ + chunk.first,
             length,
             chunk.image,
             room + i * length,
             room + kChunkValues + i * length);
    }
    for_each_piece(chunk, [&](int64_t place, int64_t count, int64_t start) {
      const uint8_t* from = room + place - chunk.first;
      const int64_t to = start + chunk.first_channel;
      turn_bytes(from, length, channels, count, upper + to, channels_);
      if (coded_.size() == 2) {
        turn_bytes(from + kChunkValues, length, channels, count, lower + to, channels_);
      }
    });
  }

  const float* values_;
  int64_t images_;
  int64_t channels_;
  int64_t width_;
  int64_t places_ = 0;
  bool channels_inside_;
  bool checks_values_;
  std::atomic<bool> is_finite_{true};
  std::vector<CodedImages>& coded_;
  std::vector<int64_t> line_starts_;
};

CodedImages framed_images(const at::Tensor& input,
                          const std::vector<AxisFrame>& frame,
                          std::vector<CodeParameters> parameters) {
  CodedImages coded;
  coded.images = input.size(0);
  coded.channels = input.size(1);
  coded.frame = frame;
  coded.parameters = std::move(parameters);
  bool has_frame = false;
  for (std::size_t axis = 0; axis < frame.size(); ++axis) {
    const int64_t added = frame[axis].low + frame[axis].high;
    has_frame = has_frame || added > 0;
    coded.framed_sizes.push_back(input.size(static_cast<int64_t>(axis) + 2) + added);
  }
  const int64_t images = input.size(0);
  const int64_t bytes = coded.image_bytes();
  coded.codes =
      at::empty({images * bytes + kCodeSlack}, input.options().dtype(at::kByte));
  if (has_frame) {
    auto* codes = coded.codes.mutable_data_ptr<uint8_t>();
    run_items(images, images * bytes, [&](int64_t image) {
      std::memset(codes + image * bytes,
                  coded.of_image(image).zero_point,
                  static_cast<std::size_t>(bytes));
    });
  }
  return coded;
}

}  // namespace

int64_t CodedImages::image_bytes() const {
  int64_t bytes = channels;
  for (const int64_t size : framed_sizes) {
    bytes *= size;
  }
  return bytes;
}

std::vector<CodedImages> code_images(const std::string& name,
                                     const at::Tensor& input,
                                     const std::vector<AxisFrame>& frame,
                                     const ImageCoding& coding) {
  const at::Tensor dense = has_channels_inside(input) ? input : input.contiguous();
  const bool is_static = coding.treatment == ActivationTreatment::kStatic;
  std::vector<CodeParameters> parameters =
      is_static ? std::vector{coding.fixed}
                : dynamic_parameters(name, dense, coding.treatment);
  std::vector<CodedImages> coded;
  if (coding.treatment == ActivationTreatment::kNone) {
    const CodeParameters lower = parameters[0];
    coded.push_back(framed_images(dense, frame, {{256.0F * lower.scale, 128}}));
  }
  coded.push_back(framed_images(dense, frame, std::move(parameters)));
  if (!ImageCoder(dense, frame, coded, is_static).run()) {
    refuse_values(name);
  }
  return coded;
}

}  // namespace sizewise::quantizing
