// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/results.h"

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::engine {
namespace {

using Json = nlohmann::ordered_json;

/// A file's name may be in any encoding, JSON is UTF-8: what is not becomes U+FFFD.
std::string page_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// JSON has no NaN.
Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
double number_from(const Json& json) {
  return json.is_null() ? std::nan("") : json.get<double>();
}

Json to_json(const io::CubeStamp& stamp) {
  auto files = Json::array();
  for (const auto& file : stamp.files) {
    files.push_back({{"path", file.path}, {"size", file.size}, {"modified_ns", file.modified_ns}});
  }
  return files;
}

io::CubeStamp stamp_from(const Json& json) {
  io::CubeStamp stamp;
  for (const auto& file : json) {
    stamp.files.push_back({file.at("path"), file.at("size"), file.at("modified_ns"), 0});
  }
  return stamp;
}

Json to_json(const ResultRow& row) {
  return {{"file", row.file},
          {"status", row.ok ? "ok" : "failed"},
          {"verdict", to_string(row.verdict)},
          {"reason", row.reason},
          {"valid_share", number_or_null(row.valid_share)},
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
          {"error", row.error},
          {"input", to_json(row.input)},
          {"files", row.files}};
}

ResultRow row_from(const Json& json) {
  ResultRow row;
  row.file = json.at("file");
  row.ok = json.at("status") == "ok";
  row.verdict = verdict_named(json.at("verdict").get<std::string>());
  row.reason = json.at("reason");
  row.valid_share = number_from(json.at("valid_share"));
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
  row.input = stamp_from(json.at("input"));
  row.files = json.at("files").get<std::vector<std::string>>();
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

std::string csv_field(const Json& value) {
  if (value.is_null()) {
    return {};
  }
  if (!value.is_string()) {
    return value.dump();
  }
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + '"';
}

/// The columns of the table: what a row holds but for its lists.
template <class Use>
void for_each_column(const ResultRow& row, const Use& use) {
  const auto json = to_json(row);
  for (const auto& item : json.items()) {
    if (item.value().is_primitive()) {
      use(item);
    }
  }
}

Json totals_of(const std::vector<ResultRow>& rows) {
  std::int64_t failed = 0, defects = 0, defect_pixels = 0;
  std::map<Verdict, std::int64_t> verdicts;
  double seconds = 0;
  for (const auto& row : rows) {
    failed += row.ok ? 0 : 1;
    ++verdicts[row.verdict];
    defects += row.defects;
    defect_pixels += row.defect_pixels;
    seconds += row.seconds;
  }
  return {{"cubes", rows.size()},
          {"failed", failed},
          {"accepted", verdicts[Verdict::accepted]},
          {"rejected", verdicts[Verdict::rejected]},
          {"undecided", verdicts[Verdict::undecided]},
          {"defects", defects},
          {"defect_pixels", defect_pixels},
          {"seconds", seconds}};
}

/// What `use` makes of a JSON file; nothing where the file is none, or not what `use` expects.
template <class Use>
auto read_json(const std::filesystem::path& path, const Use& use) -> std::optional<decltype(use(Json()))> {
  std::ifstream stream(path);
  if (!stream) {
    return std::nullopt;
  }
  try {
    return use(Json::parse(stream));
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

void write_row(const std::filesystem::path& path, const ResultRow& row, const Provenance& made_with) {
  auto json = to_json(row);
  json["made_with"] = to_json(made_with);
  write_file(path, page_of(json));
}

std::optional<StoredRow> read_row(const std::filesystem::path& path) {
  return read_json(path, [](const Json& json) {
    return StoredRow{row_from(json), provenance_from(json.at("made_with"))};
  });
}

std::optional<Provenance> read_provenance(const std::filesystem::path& path) {
  return read_json(path, [](const Json& json) { return provenance_from(json.at("made_with")); });
}

io::CubeStamp as_stored(const io::CubeStamp& stamp) {
  return stamp_from(Json::parse(page_of(to_json(stamp))));
}

std::string scores_csv(const std::vector<ResultRow>& rows) {
  std::vector<std::string> names;
  for_each_column({}, [&](const auto& item) { names.push_back(item.key()); });
  std::string csv = text::join(names, ",") + '\n';
  for (const auto& row : rows) {
    std::vector<std::string> fields;
    for_each_column(row, [&](const auto& item) { fields.push_back(csv_field(item.value())); });
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
  return page_of(json);
}

std::optional<StoredSummary> read_summary(const std::filesystem::path& path) {
  return read_json(path, [](const Json& json) {
    StoredSummary summary{{}, provenance_from(json)};
    for (const auto& row : json.at("cubes")) {
      summary.rows.push_back(row_from(row));
    }
    return summary;
  });
}

}  // namespace hyperdefect::engine
