// SPDX-License-Identifier: Apache-2.0
// The row of a cube (STEM.json) and of a summary: any file is a row or nothing, and what is written reads
// back equal.
#include "hyperdefect/engine/results.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/input_file.h"

namespace hyperdefect::fuzz {
namespace {

using engine::StoredRow;

constexpr std::int64_t kLargestCount = std::int64_t{1} << 48;

/// Every field of the row and of what it was made with. Bytes that are not UTF-8 become U+FFFD.
std::string shown(const StoredRow& stored) {
  return engine::summary_json({stored.row}, stored.made_with, "");
}

void check_reads_back(const InputFile& file, const StoredRow& stored) {
  engine::write_row(file.path(), stored.row, stored.made_with);
  const auto again = engine::read_row(file.path());
  require(again.has_value(), "a row that is written reads back", shown(stored));
  require(shown(*again) == shown(stored), "a row reads back equal", shown(stored));
}

/// Two equal rows in a summary, and their totals.
void check_summary_reads_back(const InputFile& file, const StoredRow& stored) {
  const std::vector rows{stored.row, stored.row};
  const auto page = engine::summary_json(rows, stored.made_with, "");
  const auto summary = engine::read_summary(file.holding(page));
  require(summary.has_value(), "a summary that is written reads back", page);
  require(engine::summary_json(summary->rows, summary->made_with, "") == page, "a summary reads back equal",
          page);
}

StoredRow row_from(FuzzedDataProvider& data) {
  StoredRow stored;
  auto& row = stored.row;
  row.file = data.ConsumeRandomLengthString(64);
  row.error = data.ConsumeRandomLengthString(64);
  row.reason = data.ConsumeRandomLengthString(64);
  row.verdict = data.PickValueInArray({decision::Verdict::none, decision::Verdict::accepted,
                                       decision::Verdict::rejected, decision::Verdict::undecided});
  row.valid_share = data.ConsumeProbability<double>();
  row.files = {
      {data.ConsumeRandomLengthString(64), data.ConsumeIntegralInRange<std::int64_t>(0, kLargestCount)},
      {data.ConsumeRandomLengthString(64), 0}};
  row.input.files = {{data.ConsumeRandomLengthString(64),
                      data.ConsumeIntegralInRange<std::int64_t>(0, kLargestCount),
                      data.ConsumeIntegral<std::int64_t>(), 0}};
  for (auto* count :
       {&row.rows, &row.cols, &row.bands, &row.defects, &row.defect_pixels, &row.invalid_pixels}) {
    *count = data.ConsumeIntegralInRange<std::int64_t>(0, kLargestCount);
  }
  for (auto* number : {&row.score_max, &row.score_mean, &row.score_p99, &row.sad_max, &row.sad_mean,
                       &row.sad_p99, &row.threshold}) {
    *number = data.ConsumeFloatingPoint<double>();
  }
  row.seconds = data.ConsumeFloatingPointInRange<double>(0, 1e9);
  stored.made_with.command = data.ConsumeRandomLengthString(64);
  stored.made_with.seed = data.ConsumeIntegral<std::int64_t>();
  return stored;
}

/// The cells of each line of a table (RFC 4180).
std::vector<std::vector<std::string>> cells_of(const std::string& csv) {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const char c = csv[i];
    if (quoted && csv.compare(i, 2, "\"\"") == 0) {
      cells.back() += csv[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c == '\n' && !quoted) {
      lines.push_back(std::exchange(cells, std::vector<std::string>(1)));
    } else {
      cells.back() += c;
    }
  }
  require(!quoted, "a table closes its quotes", csv);
  return lines;
}

/// Whether a spreadsheet would compute the cell.
bool is_formula(const std::string& cell) {
  const bool is_number = nlohmann::json::accept(cell);
  return !cell.empty() && !is_number && std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos;
}

void check_table(const engine::ResultRow& row) {
  const auto csv = engine::scores_csv({row, row});
  const auto lines = cells_of(csv);
  require(lines.size() == 3, "a table has a header and one line a row", csv);
  for (const auto& cells : lines) {
    require(cells.size() == lines[0].size(), "each line of a table has the cells of its header", csv);
    require(std::none_of(cells.begin(), cells.end(), is_formula), "no cell of a table is a formula", csv);
  }
}

/// The row that a JSON object changes in a whole one (RFC 7386), so that a mutation breaks one thing only;
/// any other text as it is.
std::string changed_row(const InputFile& file, const std::string& text) {
  using Json = nlohmann::json;
  static const auto whole = [&file] {
    engine::write_row(file.path(), {}, {});
    return Json::parse(test::read_bytes(file.path()));
  }();
  const auto change = Json::parse(text, nullptr, false);
  if (!change.is_object()) {
    return text;
  }
  auto row = whole;
  row.merge_patch(change);
  return row.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The bytes as a file that somebody else wrote, or, if that is no row, as the values of one.
void check(const std::uint8_t* bytes, std::size_t size) {
  static const InputFile file("scene.json");
  auto stored = engine::read_row(file.holding(changed_row(file, {bytes, bytes + size})));
  if (!stored) {
    FuzzedDataProvider data(bytes, size);
    stored = row_from(data);
  }
  check_reads_back(file, *stored);
  check_summary_reads_back(file, *stored);
  check_table(stored->row);
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check(data, size);
  return 0;
}
