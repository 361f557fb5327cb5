#include "robust_columns.hpp"

#include "machine_lanes.hpp"
#include "packet_math.hpp"

namespace sizewise::fits {
namespace {

template <int Size>
constexpr int kCells = Size * (Size + 1) / 2;

/// Plain sums, the matrix by rows of its lower triangle.
template <int Size>
struct Sums {
  double value;
  double gradient[Size];
  double hessian[kCells<Size>];
};

template <int Size>
struct Pointers {
  const double* weight;
  const double* residual;
  const double* jacobian[Size];
  std::size_t length;
  double delta;
};

template <std::size_t Width, int Size>
SIZEWISE_INLINE void sum_rows(const Pointers<Size>& rows, Sums<Size>& sums) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  const Packet zero{};
  Packet value{};
  Packet gradient[Size] = {};
  Packet hessian[kCells<Size>] = {};
  for (std::size_t i = 0; i < rows.length; i += Width) {
    Packet r;
    Packet weight;
    P::load(r, rows.residual + i);
    P::load(weight, rows.weight + i);
    const Packet size = r < 0.0 ? -r : r;
    const Packet cut = size < rows.delta ? size : zero + rows.delta;
    value += weight * cut * (size - 0.5 * cut);
    const Packet slope = weight * (r < 0.0 ? -cut : cut);
    const Packet bend = size <= rows.delta ? weight : zero;
    Packet j[Size];
    for (int row = 0, cell = 0; row < Size; ++row) {
      P::load(j[row], rows.jacobian[row] + i);
      gradient[row] += slope * j[row];
      const Packet scaled = bend * j[row];
      for (int column = 0; column <= row; ++column, ++cell) {
        hessian[cell] += scaled * j[column];
      }
    }
  }
  sums.value = P::sum(value);
  for (int i = 0; i < Size; ++i) {
    sums.gradient[i] = P::sum(gradient[i]);
  }
  for (int i = 0; i < kCells<Size>; ++i) {
    sums.hessian[i] = P::sum(hessian[i]);
  }
}

template <int Size>
void sum_rows_2(const Pointers<Size>& rows, Sums<Size>& sums) {
  sum_rows<2>(rows, sums);
}
template <int Size>
SIZEWISE_TARGET_4 void sum_rows_4(const Pointers<Size>& rows, Sums<Size>& sums) {
  sum_rows<4>(rows, sums);
}
template <int Size>
SIZEWISE_TARGET_8 void sum_rows_8(const Pointers<Size>& rows, Sums<Size>& sums) {
  sum_rows<8>(rows, sums);
}

template <std::size_t Width, int Size>
SIZEWISE_INLINE void add_columns(const Pointers<Size>& rows,
                                 const double* step,
                                 double* change) {
  using P = Packets<Width>;
  for (std::size_t i = 0; i < rows.length; i += Width) {
    typename P::Packet sum{};
    for (int k = 0; k < Size; ++k) {
      typename P::Packet column;
      P::load(column, rows.jacobian[k] + i);
      sum += step[k] * column;
    }
    P::store(sum, change + i);
  }
}

template <int Size>
void add_columns_2(const Pointers<Size>& rows, const double* step, double* change) {
  add_columns<2>(rows, step, change);
}
template <int Size>
SIZEWISE_TARGET_4 void add_columns_4(const Pointers<Size>& rows,
                                     const double* step,
                                     double* change) {
  add_columns<4>(rows, step, change);
}
template <int Size>
SIZEWISE_TARGET_8 void add_columns_8(const Pointers<Size>& rows,
                                     const double* step,
                                     double* change) {
  add_columns<8>(rows, step, change);
}

struct Line {
  const double* weight;
  const double* residual;
  const double* change;
  std::size_t length;
  double delta;
  double t;
};

template <std::size_t Width>
SIZEWISE_INLINE double slope_along(const Line& line) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet sum{};
  for (std::size_t i = 0; i < line.length; i += Width) {
    Packet r;
    Packet weight;
    Packet change;
    P::load(r, line.residual + i);
    P::load(weight, line.weight + i);
    P::load(change, line.change + i);
    r += line.t * change;
    r = r < line.delta ? r : Packet{} + line.delta;
    r = r > -line.delta ? r : Packet{} - line.delta;
    sum += weight * r * change;
  }
  return P::sum(sum);
}

double slope_along_2(const Line& line) {
  return slope_along<2>(line);
}
SIZEWISE_TARGET_4 double slope_along_4(const Line& line) {
  return slope_along<4>(line);
}
SIZEWISE_TARGET_8 double slope_along_8(const Line& line) {
  return slope_along<8>(line);
}

template <std::size_t Width>
SIZEWISE_INLINE double value_of(const Line& line) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet sum{};
  for (std::size_t i = 0; i < line.length; i += Width) {
    Packet r;
    Packet weight;
    P::load(r, line.residual + i);
    P::load(weight, line.weight + i);
    const Packet size = r < 0.0 ? -r : r;
    const Packet cut = size < line.delta ? size : Packet{} + line.delta;
    sum += weight * cut * (size - 0.5 * cut);
  }
  return P::sum(sum);
}

double value_of_2(const Line& line) {
  return value_of<2>(line);
}
SIZEWISE_TARGET_4 double value_of_4(const Line& line) {
  return value_of<4>(line);
}
SIZEWISE_TARGET_8 double value_of_8(const Line& line) {
  return value_of<8>(line);
}

template <int Size>
Pointers<Size> pointers_to(const RobustColumns<Size>& columns) {
  Pointers<Size> rows{
      columns.weight.data(), columns.residual.data(), {}, columns.weight.size(), 0.0};
  for (std::size_t k = 0; k < Size; ++k) {
    rows.jacobian[k] = columns.jacobian[k].data();
  }
  return rows;
}

}  // namespace

template <int Size>
RobustSums<Size> robust_sums(const RobustColumns<Size>& columns,
                             const std::vector<double>& residual,
                             double delta) {
  static const auto kKernel =
      fastest(sum_rows_2<Size>, sum_rows_4<Size>, sum_rows_8<Size>);
  Pointers<Size> rows = pointers_to(columns);
  rows.residual = residual.data();
  rows.delta = delta;
  Sums<Size> sums;
  kKernel(rows, sums);
  RobustSums<Size> result;
  result.value = sums.value;
  for (int row = 0, cell = 0; row < Size; ++row) {
    result.gradient[row] = sums.gradient[row];
    for (int column = 0; column <= row; ++column, ++cell) {
      result.hessian(row, column) = result.hessian(column, row) = sums.hessian[cell];
    }
  }
  return result;
}

template <int Size>
void residual_change(const RobustColumns<Size>& columns,
                     const Eigen::Matrix<double, Size, 1>& step,
                     std::vector<double>& change) {
  static const auto kKernel =
      fastest(add_columns_2<Size>, add_columns_4<Size>, add_columns_8<Size>);
  change.resize(columns.weight.size());
  kKernel(pointers_to(columns), step.data(), change.data());
}

double robust_slope(const std::vector<double>& weight,
                    const std::vector<double>& residual,
                    const std::vector<double>& change,
                    double delta,
                    double t) {
  static const auto kKernel = fastest(slope_along_2, slope_along_4, slope_along_8);
  return kKernel(
      {weight.data(), residual.data(), change.data(), weight.size(), delta, t});
}

double robust_value(const std::vector<double>& weight,
                    const std::vector<double>& residual,
                    double delta) {
  static const auto kKernel = fastest(value_of_2, value_of_4, value_of_8);
  return kKernel({weight.data(), residual.data(), nullptr, weight.size(), delta, 0.0});
}

#define SIZEWISE_INSTANTIATE(SIZE)                                           \
  template RobustSums<SIZE> robust_sums<SIZE>(                               \
      const RobustColumns<SIZE>&, const std::vector<double>&, double);       \
  template void residual_change<SIZE>(const RobustColumns<SIZE>&,            \
                                      const Eigen::Matrix<double, SIZE, 1>&, \
                                      std::vector<double>&);
SIZEWISE_INSTANTIATE(3)
SIZEWISE_INSTANTIATE(4)
SIZEWISE_INSTANTIATE(5)
SIZEWISE_INSTANTIATE(6)
SIZEWISE_INSTANTIATE(7)
#undef SIZEWISE_INSTANTIATE

}  // namespace sizewise::fits
