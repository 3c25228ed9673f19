// SPDX-License-Identifier: Apache-2.0
#include "app/cli/table.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iterator>
#include <sstream>

#include "hyperdefect/core/utf8.h"

namespace hyperdefect::app {
namespace {

constexpr std::size_t kGap = 2;

using Row = std::vector<std::string>;

/// As many blanks as the cell is narrower than its column.
std::string padding(const std::string& cell, std::size_t width) {
  return std::string(width - std::min(width, text::characters(cell)), ' ');
}

std::string line_of(const Row& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto blanks = padding(row[i], widths[i]);
    line += i == 0 ? row[i] + blanks : std::string(kGap, ' ') + blanks + row[i];
  }
  return line + '\n';
}

/// A line end in a name would break the row.
Row printable(Row row) {
  std::transform(row.begin(), row.end(), row.begin(), [](const auto& cell) { return text::printable(cell); });
  return row;
}

}  // namespace

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<Row> all{header};
  std::transform(rows.begin(), rows.end(), std::back_inserter(all), printable);
  std::vector<std::size_t> widths(header.size(), 0);
  for (const auto& row : all) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], text::characters(row.at(i)));
    }
  }
  std::string page;
  for (const auto& row : all) {
    page += line_of(row, widths);
  }
  return page;
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
