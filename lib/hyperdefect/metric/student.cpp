// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/student.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::metric {
namespace {

constexpr double kLargest = 1e15;
constexpr int kHalvings = 200;

}  // namespace

double student_tails(double t, std::int64_t freedom) {
  if (freedom < 1) {
    throw UsageError(text::concat("Student's t needs at least 1 degree of freedom, not ", freedom));
  }
  const double angle = std::atan(std::abs(t) / std::sqrt(static_cast<double>(freedom)));
  const double cosine2 = std::cos(angle) * std::cos(angle);
  const bool is_odd = freedom % 2 == 1;
  double term = is_odd ? std::cos(angle) : 1.0;
  double sum = freedom == 1 ? 0.0 : term;
  for (std::int64_t k = is_odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= cosine2 * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  const double inside =
      is_odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
  return std::clamp(1 - inside, 0.0, 1.0);
}

double student_limit(double tails, std::int64_t freedom) {
  double low = 0;
  double high = kLargest;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (student_tails(middle, freedom) > tails ? low : high) = middle;
  }
  return high;
}

}  // namespace hyperdefect::metric
