// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/json_page.h"

namespace hyperdefect::engine {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no NaN.
Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
double number_from(const Json& json) {
  return json.is_null() ? std::nan("") : json.get<double>();
}

Json to_json(const ResultRow& row) {
  return {{"file", row.file},
          {"status", row.ok ? "ok" : "failed"},
          {"accepted", row.accepted},
          {"rows", row.rows},
          {"cols", row.cols},
          {"bands", row.bands},
          {"defects", row.defects},
          {"defect_pixels", row.defect_pixels},
          {"invalid_pixels", row.invalid_pixels},
          {"score_max", number_or_null(row.score_max)},
          {"score_mean", number_or_null(row.score_mean)},
          {"score_p99", number_or_null(row.score_p99)},
          {"sad_max", number_or_null(row.sad_max)},
          {"sad_mean", number_or_null(row.sad_mean)},
          {"sad_p99", number_or_null(row.sad_p99)},
          {"threshold", number_or_null(row.threshold)},
          {"seconds", row.seconds},
          {"error", row.error}};
}

ResultRow row_from(const Json& json) {
  ResultRow row;
  row.file = json.at("file");
  row.ok = json.at("status") == "ok";
  row.accepted = json.at("accepted");
  row.rows = json.at("rows");
  row.cols = json.at("cols");
  row.bands = json.at("bands");
  row.defects = json.at("defects");
  row.defect_pixels = json.at("defect_pixels");
  row.invalid_pixels = json.at("invalid_pixels");
  row.score_max = number_from(json.at("score_max"));
  row.score_mean = number_from(json.at("score_mean"));
  row.score_p99 = number_from(json.at("score_p99"));
  row.sad_max = number_from(json.at("sad_max"));
  row.sad_mean = number_from(json.at("sad_mean"));
  row.sad_p99 = number_from(json.at("sad_p99"));
  row.threshold = number_from(json.at("threshold"));
  row.seconds = json.at("seconds");
  row.error = json.at("error");
  return row;
}

Json to_json(const Provenance& made_with) {
  return {{"version", made_with.version},
          {"command", made_with.command},
          {"configuration", made_with.configuration},
          {"model", made_with.model},
          {"seed", made_with.seed},
          {"threads", made_with.threads}};
}

Provenance provenance_from(const Json& json) {
  return {json.at("version"), json.at("command"), json.at("configuration"),
          json.at("model"),   json.at("seed"),    json.at("threads")};
}

/// Whether a spreadsheet would take the text for a formula, by what it begins with (OWASP, CSV injection; the
/// last four are the wide forms of the first ones).
bool begins_a_formula(std::string_view text) {
  constexpr std::array<std::string_view, 11> kBeginnings{"=",  "+",  "-",  "@",  "\t", "\r",
                                                         "\n", "＝", "＋", "－", "＠"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [text](std::string_view beginning) { return text.starts_with(beginning); });
}

/// A text that begins a formula gets a ' before it, which spreadsheets show as text; STEM.json has the text
/// as it is.
std::string csv_field(const Json& value) {
  if (value.is_null()) {
    return {};
  }
  if (!value.is_string()) {
    return value.dump();
  }
  const auto& text = value.get_ref<const std::string&>();
  const bool formula = begins_a_formula(text);
  if (!formula && text.find_first_of(",;\t\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = formula ? "\"'" : "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + '"';
}

Json totals_of(const std::vector<ResultRow>& rows) {
  std::int64_t ok = 0, accepted = 0, defects = 0, defect_pixels = 0;
  double seconds = 0;
  for (const auto& row : rows) {
    ok += row.ok ? 1 : 0;
    accepted += row.ok && row.accepted ? 1 : 0;
    defects += row.defects;
    defect_pixels += row.defect_pixels;
    seconds += row.seconds;
  }
  return {{"cubes", rows.size()}, {"failed", static_cast<std::int64_t>(rows.size()) - ok},
          {"accepted", accepted}, {"rejected", ok - accepted},
          {"defects", defects},   {"defect_pixels", defect_pixels},
          {"seconds", seconds}};
}

}  // namespace

void write_row(const std::filesystem::path& path, const ResultRow& row, const Provenance& made_with) {
  auto json = to_json(row);
  json["made_with"] = to_json(made_with);
  write_file(path, json_page(json));
}

std::optional<StoredRow> read_row(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) {
    return std::nullopt;
  }
  try {
    const auto json = Json::parse(stream);
    return StoredRow{row_from(json), provenance_from(json.at("made_with"))};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string scores_csv(const std::vector<ResultRow>& rows) {
  std::vector<std::string> names;
  const auto empty = to_json(ResultRow{});
  for (const auto& item : empty.items()) {
    names.push_back(item.key());
  }
  std::string csv = text::join(names, ",") + '\n';
  for (const auto& row : rows) {
    std::vector<std::string> fields;
    const auto json = to_json(row);
    for (const auto& item : json.items()) {
      fields.push_back(csv_field(item.value()));
    }
    csv += text::join(fields, ",") + '\n';
  }
  return csv;
}

std::string summary_json(const std::vector<ResultRow>& rows, const Provenance& made_with,
                         const std::string& configuration_yaml) {
  auto json = to_json(made_with);
  json["configuration_yaml"] = configuration_yaml;
  json["totals"] = totals_of(rows);
  json["cubes"] = Json::array();
  for (const auto& row : rows) {
    json["cubes"].push_back(to_json(row));
  }
  return json_page(json);
}

}  // namespace hyperdefect::engine
