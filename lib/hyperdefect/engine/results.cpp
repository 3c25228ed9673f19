// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/json_page.h"

namespace hyperdefect::engine {
namespace {

using Json = nlohmann::ordered_json;

/// Thrown if a file is not what it should be.
class NoRow : public std::exception {};

/// JSON has no NaN.
Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
double number_from(const Json& json) {
  return json.is_null() ? std::nan("") : json.get<double>();
}

/// Converts no fraction and nothing beyond the range, which would be undefined.
std::int64_t integer_at(const Json& json, const char* key) {
  return json.at(key).get_ref<const Json::number_integer_t&>();
}

/// A count of anything that a cube has. So many rows can still be added up.
std::int64_t count_at(const Json& json, const char* key) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  const auto count = integer_at(json, key);
  if (count < 0 || count > kMost) {
    throw NoRow();
  }
  return count;
}

Json to_json(const files::CubeStamp& stamp) {
  auto files = Json::array();
  for (const auto& file : stamp.files) {
    files.push_back({{"path", file.path}, {"size", file.size}, {"modified_ns", file.modified_ns}});
  }
  return files;
}

files::CubeStamp stamp_from(const Json& json) {
  files::CubeStamp stamp;
  for (const auto& file : json) {
    stamp.files.push_back({file.at("path"), count_at(file, "size"), integer_at(file, "modified_ns"), 0});
  }
  return stamp;
}

Json to_json(const std::vector<WrittenFile>& files) {
  auto list = Json::array();
  for (const auto& file : files) {
    list.push_back({{"name", file.name}, {"bytes", file.bytes}});
  }
  return list;
}

std::vector<WrittenFile> written_from(const Json& json) {
  std::vector<WrittenFile> files;
  for (const auto& file : json) {
    files.push_back({file.at("name"), count_at(file, "bytes")});
  }
  return files;
}

/// The fields of an object, in the order of the table.
template <class Object, class Use>
void for_each_field_of_object(Object& object, const Use& use) {
  use("is_defect", object.is_defect);
  use("row", object.row);
  use("col", object.col);
  use("area_px", object.area_px);
  use("peak", object.peak);
  use("mean", object.mean);
  use("evidence", object.evidence);
  use("sad_rad", object.sad_rad);
  use("box_row", object.box.row);
  use("box_col", object.box.col);
  use("box_rows", object.box.rows);
  use("box_cols", object.box.cols);
}

struct ObjectToJson {
  Json& json;
  template <class Value>
  void operator()(const char* name, const Value& value) const {
    json[name] = value;
  }
  void operator()(const char* name, double value) const { json[name] = number_or_null(value); }
};

struct ObjectFromJson {
  const Json& json;
  void operator()(const char* name, bool& value) const { value = json.at(name).get<bool>(); }
  void operator()(const char* name, std::int64_t& count) const { count = count_at(json, name); }
  void operator()(const char* name, double& number) const { number = number_from(json.at(name)); }
};

Json to_json(const decision::DetectedObject& object) {
  Json json;
  for_each_field_of_object(object, ObjectToJson{json});
  return json;
}

Json to_json(const std::vector<decision::DetectedObject>& objects) {
  auto list = Json::array();
  for (const auto& object : objects) {
    list.push_back(to_json(object));
  }
  return list;
}

std::vector<decision::DetectedObject> objects_from(const Json& json) {
  std::vector<decision::DetectedObject> objects;
  for (const auto& one : json) {
    for_each_field_of_object(objects.emplace_back(), ObjectFromJson{one});
  }
  return objects;
}

/// The fields of a row, in the order of the table: use(name, field) of each. JSON has them by these names.
template <class Row, class Use>
void for_each_field(Row& row, const Use& use) {
  use("file", row.file);
  use("status", row.ok);
  use("verdict", row.verdict);
  use("reason", row.reason);
  use("valid_share", row.valid_share);
  use("rows", row.rows);
  use("cols", row.cols);
  use("bands", row.bands);
  use("defects", row.defects);
  use("defect_pixels", row.defect_pixels);
  use("objects", row.objects);
  use("marked_pixels", row.marked_pixels);
  use("invalid_pixels", row.invalid_pixels);
  use("score_max", row.score_max);
  use("score_mean", row.score_mean);
  use("score_p99", row.score_p99);
  use("sad_max", row.sad_max);
  use("sad_mean", row.sad_mean);
  use("sad_p99", row.sad_p99);
  use("threshold", row.threshold);
  use("evidence_max", row.evidence_max);
  use("min_evidence", row.min_evidence);
  use("seconds", row.seconds);
  use("error", row.error);
  use("white_reference", row.white_reference);
  use("dark_reference", row.dark_reference);
  use("dead_elements", row.dead_elements);
  use("region_share", row.region_share);
  use("drift", row.drift);
  use("input", row.input);
  use("strongest_objects", row.strongest_objects);
  use("files", row.files);
}

struct ToJson {
  Json& json;
  void operator()(const char* name, const std::string& text) const { json[name] = text; }
  void operator()(const char* name, bool ok) const { json[name] = ok ? "ok" : "failed"; }
  void operator()(const char* name, std::int64_t count) const { json[name] = count; }
  void operator()(const char* name, double number) const { json[name] = number_or_null(number); }
  void operator()(const char* name, decision::Verdict verdict) const {
    json[name] = to_string(verdict);
    json["accepted"] = verdict == decision::Verdict::accepted;
  }
  template <class List>
  void operator()(const char* name, const List& list) const {
    json[name] = to_json(list);
  }
};

struct FromJson {
  const Json& json;
  void operator()(const char* name, std::string& text) const { text = json.at(name); }
  void operator()(const char* name, bool& ok) const { ok = json.at(name) == "ok"; }
  void operator()(const char* name, std::int64_t& count) const { count = count_at(json, name); }
  void operator()(const char* name, double& number) const { number = number_from(json.at(name)); }
  void operator()(const char* name, decision::Verdict& verdict) const {
    verdict = decision::verdict_named(json.at(name).get<std::string>());
  }
  void operator()(const char* name, files::CubeStamp& stamp) const { stamp = stamp_from(json.at(name)); }
  void operator()(const char* name, std::vector<WrittenFile>& files) const {
    files = written_from(json.at(name));
  }
  void operator()(const char* name, std::vector<decision::DetectedObject>& objects) const {
    objects = objects_from(json.at(name));
  }
};

Json to_json(const ResultRow& row) {
  Json json;
  for_each_field(row, ToJson{json});
  return json;
}

ResultRow row_from(const Json& json) {
  ResultRow row;
  for_each_field(row, FromJson{json});
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
  return {json.at("version"), json.at("command"),       json.at("configuration"),
          json.at("model"),   integer_at(json, "seed"), integer_at(json, "threads")};
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
  std::map<decision::Verdict, std::int64_t> verdicts;
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
          {"accepted", verdicts[decision::Verdict::accepted]},
          {"rejected", verdicts[decision::Verdict::rejected]},
          {"undecided", verdicts[decision::Verdict::undecided]},
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
  } catch (const NoRow&) {
    return std::nullopt;
  }
}

}  // namespace

void write_row(const std::filesystem::path& path, const ResultRow& row, const Provenance& made_with) {
  auto json = to_json(row);
  json["made_with"] = to_json(made_with);
  write_file(path, json_page(json));
}

std::optional<StoredRow> read_row(const std::filesystem::path& path) {
  return read_json(path, [](const Json& json) {
    return StoredRow{row_from(json), provenance_from(json.at("made_with"))};
  });
}

std::optional<Provenance> read_provenance(const std::filesystem::path& path) {
  return read_json(path, [](const Json& json) { return provenance_from(json.at("made_with")); });
}

files::CubeStamp as_stored(const files::CubeStamp& stamp) {
  return stamp_from(Json::parse(json_page(to_json(stamp))));
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

std::string objects_csv(const std::vector<ResultRow>& rows) {
  struct Line {
    double evidence;
    std::string text;
  };
  std::vector<Line> lines;
  for (const auto& row : rows) {
    std::int64_t rank = 0;
    for (const auto& object : row.strongest_objects) {
      std::vector<std::string> fields{csv_field(Json(row.file)), std::to_string(++rank)};
      const auto json = to_json(object);
      for (const auto& item : json.items()) {
        fields.push_back(csv_field(item.value()));
      }
      lines.push_back({object.evidence, text::join(fields, ",")});
    }
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.evidence > b.evidence; });
  std::vector<std::string> names{"file", "id"};
  const auto columns = to_json(decision::DetectedObject());
  for (const auto& item : columns.items()) {
    names.push_back(item.key());
  }
  std::string csv = text::join(names, ",") + '\n';
  for (const auto& line : lines) {
    csv += line.text + '\n';
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
