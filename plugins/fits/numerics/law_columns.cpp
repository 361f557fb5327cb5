#include "law_columns.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "machine_lanes.hpp"
#include "packet_math.hpp"

// Here a fit spends its time. The code is written once over packets of 2, 4 or 8 rows and
// compiled for three kinds of machine.

namespace sizewise::fits {
namespace {

/// A point's plain numbers: E, then of each falling term its size at x = 0 and its rate.
struct Law {
  double e;
  double size[2];
  double rate[2];
  double delta;
};

/// How many rows are worked on at a time. Each step runs over all of them before the next
/// begins: the steps' long chains of dependent operations then overlap.
constexpr std::size_t kChunk = 64;

/// One number a row of a chunk.
struct alignas(64) Column {
  double at[kChunk];
};

/// The rows of a chunk; past the table's end they weigh nothing.
struct Chunk {
  const double* x[2];
  const double* z;
  const double* weight;
  Column padded[4];

  SIZEWISE_INLINE void load(const LawRows& rows, std::size_t first) {
    x[0] = rows.x.data() + first;
    x[1] = rows.y.data() + first;
    z = rows.z.data() + first;
    weight = rows.weight.data() + first;
    if (first + kChunk <= rows.size()) {
      return;
    }
    std::memset(padded, 0, sizeof padded);
    const double** const columns[4] = {&x[0], &x[1], &z, &weight};
    for (int i = 0; i < 4; ++i) {
      std::copy_n(*columns[i], rows.size() - first, padded[i].at);
      *columns[i] = padded[i].at;
    }
  }
};

/// The law and its residuals at the rows of a chunk.
template <std::size_t Width, ResidualKind Kind>
struct Terms {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Column power[2];  // e^(-rate x)
  Column per;       // 1 / predicted, or 1: what turns slopes of L into those of residuals
  Column residual;

  SIZEWISE_INLINE void fill(const Law& law, const Chunk& rows) {
    for (int term = 0; term < 2; ++term) {
      for (std::size_t i = 0; i < kChunk; i += Width) {
        Packet value;
        P::load(value, rows.x[term] + i);
        value *= -law.rate[term];
        P::exponential(value);
        P::store(value, power[term].at + i);
      }
    }
    for (std::size_t i = 0; i < kChunk; i += Width) {
      Packet u;
      Packet v;
      Packet z;
      P::load(u, power[0].at + i);
      P::load(v, power[1].at + i);
      P::load(z, rows.z + i);
      Packet predicted = law.e + law.size[0] * u + law.size[1] * v;
      if constexpr (Kind == ResidualKind::kLog) {
        P::store(1.0 / predicted, per.at + i);
        P::logarithm(predicted);
      } else {
        P::store(Packet{} + 1.0, per.at + i);
        P::exponential(z);
      }
      P::store(predicted - z, residual.at + i);
    }
  }
};

/// What a law's second derivatives add up to: by (size, ln rate) and twice by ln rate of
/// each term, and the products of first derivatives by rows of the lower triangle.
template <std::size_t Width>
struct Bends {
  using Packet = typename Packets<Width>::Packet;
  Packet mixed[2] = {};
  Packet twice[2] = {};
  Packet products[15] = {};
};

/// One packet of rows: writes the derivatives, adds up the bends.
template <std::size_t Width, ResidualKind Kind>
SIZEWISE_INLINE void differentiate(const Law& law,
                                   const Chunk& rows,
                                   const Terms<Width, Kind>& terms,
                                   std::size_t i,
                                   const typename Packets<Width>::Packet& slope,
                                   Bends<Width>& bends,
                                   double* const* jacobian) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  Packet j[5];
  P::load(j[0], terms.per.at + i);
  for (int term = 0; term < 2; ++term) {
    Packet fall;
    P::load(fall, rows.x[term] + i);
    fall *= -law.rate[term];
    Packet& by_size = j[1 + term];
    P::load(by_size, terms.power[term].at + i);
    by_size *= j[0];
    const Packet mixed = fall * by_size;
    j[3 + term] = law.size[term] * mixed;
    bends.mixed[term] += slope * mixed;
    bends.twice[term] += slope * (1.0 + fall) * j[3 + term];
  }
  for (int row = 0, cell = 0; row < 5; ++row) {
    P::store(j[row], jacobian[row] + i);
    if constexpr (Kind == ResidualKind::kLog) {
      const Packet scaled = slope * j[row];
      for (int column = 0; column <= row; ++column, ++cell) {
        bends.products[cell] += scaled * j[column];
      }
    }
  }
}

template <std::size_t Width>
SIZEWISE_INLINE void write_curvature(const Bends<Width>& bends,
                                     RobustColumns<5>& columns) {
  using P = Packets<Width>;
  auto& matrix = columns.curvature;
  for (int row = 0, cell = 0; row < 5; ++row) {
    for (int column = 0; column <= row; ++column, ++cell) {
      matrix(row, column) = matrix(column, row) = -P::sum(bends.products[cell]);
    }
  }
  for (int term = 0; term < 2; ++term) {
    const double mixed = P::sum(bends.mixed[term]);
    matrix(3 + term, 1 + term) += mixed;
    matrix(1 + term, 3 + term) += mixed;
    matrix(3 + term, 3 + term) += P::sum(bends.twice[term]);
  }
}

template <std::size_t Width, ResidualKind Kind>
SIZEWISE_INLINE void write_columns(const LawRows& rows,
                                   const Law& law,
                                   const double* expected,
                                   RobustColumns<5>& columns) {
  using P = Packets<Width>;
  using Packet = typename P::Packet;
  const Packet zero{};
  Bends<Width> bends;
  Chunk chunk;
  Terms<Width, Kind> terms;
  for (std::size_t first = 0; first < rows.size(); first += kChunk) {
    chunk.load(rows, first);
    terms.fill(law, chunk);
    double* jacobian[5];
    for (std::size_t k = 0; k < 5; ++k) {
      jacobian[k] = columns.jacobian[k].data() + first;
    }
    const double* const slopes =
        expected != nullptr ? expected + first : terms.residual.at;
    const std::size_t count = std::min(kChunk, columns.weight.size() - first);
    for (std::size_t i = 0; i < count; i += Width) {
      Packet residual;
      Packet slope;
      Packet weight;
      P::load(residual, terms.residual.at + i);
      P::load(slope, slopes + i);
      P::load(weight, chunk.weight + i);
      P::store(residual, columns.residual.data() + first + i);
      slope = slope < law.delta ? slope : zero + law.delta;
      slope = weight * (slope > -law.delta ? slope : zero - law.delta);
      differentiate<Width, Kind>(law, chunk, terms, i, slope, bends, jacobian);
    }
  }
  write_curvature<Width>(bends, columns);
}

template <ResidualKind Kind>
void write_2(const LawRows& rows,
             const Law& law,
             const double* expected,
             RobustColumns<5>& columns) {
  write_columns<2, Kind>(rows, law, expected, columns);
}
template <ResidualKind Kind>
SIZEWISE_TARGET_4 void write_4(const LawRows& rows,
                               const Law& law,
                               const double* expected,
                               RobustColumns<5>& columns) {
  write_columns<4, Kind>(rows, law, expected, columns);
}
template <ResidualKind Kind>
SIZEWISE_TARGET_8 void write_8(const LawRows& rows,
                               const Law& law,
                               const double* expected,
                               RobustColumns<5>& columns) {
  write_columns<8, Kind>(rows, law, expected, columns);
}

}  // namespace

void law_columns(const LawRows& rows,
                 ResidualKind kind,
                 double delta,
                 const LawPoint& point,
                 const std::vector<double>* expected,
                 RobustColumns<5>& columns) {
  static const auto log_kernel = fastest(write_2<ResidualKind::kLog>,
                                         write_4<ResidualKind::kLog>,
                                         write_8<ResidualKind::kLog>);
  static const auto linear_kernel = fastest(write_2<ResidualKind::kLinear>,
                                            write_4<ResidualKind::kLinear>,
                                            write_8<ResidualKind::kLinear>);
  const Law law{
      point[0], {point[1], point[2]}, {std::exp(point[3]), std::exp(point[4])}, delta};
  (kind == ResidualKind::kLog ? log_kernel : linear_kernel)(
      rows, law, expected != nullptr ? expected->data() : nullptr, columns);
}

}  // namespace sizewise::fits
