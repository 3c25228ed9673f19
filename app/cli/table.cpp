// SPDX-License-Identifier: Apache-2.0
#include "app/cli/table.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace hyperdefect::app {
namespace {

constexpr int kGap = 2;

void write_row(std::ostream& stream, const std::vector<std::string>& row,
               const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i == 0) {
      stream << std::left << std::setw(static_cast<int>(widths[i])) << row[i] << std::right;
    } else {
      stream << std::setw(static_cast<int>(widths[i]) + kGap) << row[i];
    }
  }
  stream << '\n';
}

}  // namespace

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(header.size(), 0);
  for (std::size_t i = 0; i < header.size(); ++i) {
    widths[i] = header[i].size();
    for (const auto& row : rows) {
      widths[i] = std::max(widths[i], row.at(i).size());
    }
  }
  std::ostringstream text;
  write_row(text, header, widths);
  for (const auto& row : rows) {
    write_row(text, row, widths);
  }
  return text.str();
}

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) {
    return "-";
  }
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << value;
  return text.str();
}

}  // namespace hyperdefect::app
