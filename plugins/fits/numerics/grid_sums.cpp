#include "grid_sums.hpp"

#include <cmath>

#include "machine_lanes.hpp"
#include "packet_math.hpp"

namespace sizewise::fits {
namespace {

struct GridRows {
  const double* weight;
  const double* per;
  const double* target;
  const double* u;
  const double* v;
  std::size_t length;
  double terms[3];
  double delta;
};

/// The matrix by rows of its upper triangle, then the vector.
struct EquationSums {
  double at[9];
};

/// The rows of one packet.
template <std::size_t Width>
struct RowPacket {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet weight;
  Packet per;
  Packet target;
  Packet u;
  Packet v;

  SIZEWISE_INLINE RowPacket(const GridRows& rows, std::size_t i) {
    P::load(weight, rows.weight + i);
    P::load(per, rows.per + i);
    P::load(target, rows.target + i);
    P::load(u, rows.u + i);
    P::load(v, rows.v + i);
    u *= per;
    v *= per;
  }

  SIZEWISE_INLINE void predict(const GridRows& rows, Packet& predicted) const {
    predicted = rows.terms[0] * per + rows.terms[1] * u + rows.terms[2] * v;
  }
};

template <std::size_t Width>
SIZEWISE_INLINE void sum_equations(const GridRows& rows, EquationSums& sums) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet total[9] = {};
  const Packet delta = Packet{} + rows.delta;
  for (std::size_t i = 0; i < rows.length; i += Width) {
    const RowPacket<Width> row(rows, i);
    Packet r;
    row.predict(rows, r);
    r -= row.target;
    const Packet size = r < 0.0 ? -r : r;
    const Packet weight = size > delta ? row.weight * delta / size : row.weight;
    const Packet of_one = weight * row.per;
    const Packet of_u = weight * row.u;
    const Packet of_v = weight * row.v;
    total[0] += of_one * row.per;
    total[1] += of_one * row.u;
    total[2] += of_one * row.v;
    total[3] += of_u * row.u;
    total[4] += of_u * row.v;
    total[5] += of_v * row.v;
    total[6] += of_one * row.target;
    total[7] += of_u * row.target;
    total[8] += of_v * row.target;
  }
  for (int i = 0; i < 9; ++i) {
    sums.at[i] = P::sum(total[i]);
  }
}

void sum_equations_2(const GridRows& rows, EquationSums& sums) {
  sum_equations<2>(rows, sums);
}
SIZEWISE_TARGET_4 void sum_equations_4(const GridRows& rows, EquationSums& sums) {
  sum_equations<4>(rows, sums);
}
SIZEWISE_TARGET_8 void sum_equations_8(const GridRows& rows, EquationSums& sums) {
  sum_equations<8>(rows, sums);
}

template <std::size_t Width, bool OfLogarithms>
SIZEWISE_INLINE double sum_losses(const GridRows& rows) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet total{};
  for (std::size_t i = 0; i < rows.length; i += Width) {
    const RowPacket<Width> row(rows, i);
    Packet r;
    row.predict(rows, r);
    if constexpr (OfLogarithms) {
      P::logarithm(r);
    } else {
      r -= row.target;
    }
    const Packet size = r < 0.0 ? -r : r;
    const Packet cut = size < rows.delta ? size : Packet{} + rows.delta;
    total += row.weight * cut * (size - 0.5 * cut);
  }
  return P::sum(total);
}

template <bool OfLogarithms>
double sum_losses_2(const GridRows& rows) {
  return sum_losses<2, OfLogarithms>(rows);
}
template <bool OfLogarithms>
SIZEWISE_TARGET_4 double sum_losses_4(const GridRows& rows) {
  return sum_losses<4, OfLogarithms>(rows);
}
template <bool OfLogarithms>
SIZEWISE_TARGET_8 double sum_losses_8(const GridRows& rows) {
  return sum_losses<8, OfLogarithms>(rows);
}

GridRows grid_rows(const GridColumns& columns,
                   const std::vector<double>& u,
                   const std::vector<double>& v,
                   const Eigen::Vector3d& terms,
                   double delta) {
  return {columns.weight.data(),
          columns.per.data(),
          columns.target.data(),
          u.data(),
          v.data(),
          columns.weight.size(),
          {terms[0], terms[1], terms[2]},
          delta};
}

}  // namespace

NormalEquations reweighted_equations(const GridColumns& columns,
                                     const std::vector<double>& u,
                                     const std::vector<double>& v,
                                     const Eigen::Vector3d& terms,
                                     double delta) {
  static const auto kKernel = fastest(sum_equations_2, sum_equations_4, sum_equations_8);
  EquationSums sums;
  kKernel(grid_rows(columns, u, v, terms, delta), sums);
  const double* at = sums.at;
  NormalEquations equations;
  equations.matrix << at[0], at[1], at[2], at[1], at[3], at[4], at[2], at[4], at[5];
  equations.vector << at[6], at[7], at[8];
  return equations;
}

double grid_value(const GridColumns& columns,
                  const std::vector<double>& u,
                  const std::vector<double>& v,
                  const Eigen::Vector3d& terms,
                  double delta,
                  bool of_logarithms) {
  static const auto kKernel =
      fastest(sum_losses_2<false>, sum_losses_4<false>, sum_losses_8<false>);
  static const auto kOfLogarithms =
      fastest(sum_losses_2<true>, sum_losses_4<true>, sum_losses_8<true>);
  const GridRows rows = grid_rows(columns, u, v, terms, delta);
  return of_logarithms ? kOfLogarithms(rows) : kKernel(rows);
}

}  // namespace sizewise::fits
