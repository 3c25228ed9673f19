// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hyperdefect::metric {

/// The probability that Student's t with so many degrees of freedom lies further from 0 than `t`, on both
/// sides together (Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4). It
/// is exact to about 1e-15, so that a smaller probability is 0.
/// @throws UsageError if `freedom` is below 1.
double student_tails(double t, std::int64_t freedom);

/// The t beyond which these tails lie. @param tails in (0, 1]
double student_limit(double tails, std::int64_t freedom);

}  // namespace hyperdefect::metric
