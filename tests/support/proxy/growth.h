// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>

namespace crivet::proxy {

/// How many times the processor time of `work(size)` does `work(8 * size)` take, by the best of
/// three of each: 8 where it grows with the size, 64 where it grows with its square. So that a test
/// holds on a slow machine and under sanitizers as on any other.
template <typename Work>
double GrowthOverEight(std::size_t size, Work work) {
  const auto best_of_three = [&work](std::size_t of) {
    std::clock_t best = 0;
    for (int round = 0; round < 3; ++round) {
      const std::clock_t before = std::clock();
      work(of);
      const std::clock_t took = std::clock() - before;
      best = round == 0 ? took : std::min(best, took);
    }
    return static_cast<double>(std::max<std::clock_t>(best, 1));
  };
  const double small = best_of_three(size);
  return best_of_three(8 * size) / small;
}

/// Between what is linear and what is quadratic.
constexpr double kLinearOverEight = 24;

}  // namespace crivet::proxy
