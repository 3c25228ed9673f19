// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace hyperdefect::app {

/// A table as text: a header line, then a line a row, control characters escaped; the first column is
/// left-aligned, the others right-aligned.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

/// The number with so many decimals; "-" for NaN.
std::string fixed(double value, int decimals);

}  // namespace hyperdefect::app
