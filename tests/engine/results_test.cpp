// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/results.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

const Provenance kMadeWith{"1.2.3", "infer", "00ff", "abcd", 7, 2};

ResultRow example() {
  ResultRow row;
  row.file = "day 1/scan.img";
  row.verdict = decision::Verdict::rejected;
  row.reason = "1 defect";
  row.valid_share = 0.5;
  row.region_share = 0.25;
  row.input.files = {{"/day 1/scan.img", 240, 1'700'000'000'123'456'789, 7}, {"/day 1/scan.hdr", 90, 5, 8}};
  row.files = {{"scan_score.tif", 700}, {"scan_sad.tif", 650}};
  row.rows = 3;
  row.cols = 4;
  row.bands = 5;
  row.defects = 1;
  row.defect_pixels = 2;
  row.objects = 3;
  row.marked_pixels = 4;
  row.evidence_max = 7.5;
  row.min_evidence = 2.5;
  row.strongest_objects = {{true, 1.5, 2, {1, 2, 2, 1}, 2, 6, 5.25, 7.5, 0.125},
                           {false, 0, 3, {0, 3, 1, 1}, 1, 5, 5, 0.5, 0.25}};
  row.invalid_pixels = 6;
  row.score_max = 9.25;
  row.score_mean = 1.0 / 3;
  row.score_p99 = 8.5;
  row.sad_max = row.sad_mean = row.sad_p99 = std::nan("");
  row.threshold = 4.5;
  row.seconds = 0.125;
  row.white_reference = "/day 1/white.img";
  row.dark_reference = "/day 1/dark.img";
  row.dead_elements = 7;
  row.drift = 0.75;
  return row;
}

TEST(StoredRow, RoundTripKeepsNumbersAndNan) {
  const test::TempDir folder;
  write_row(folder / "scan.json", example(), kMadeWith);
  const auto stored = read_row(folder / "scan.json");
  ASSERT_TRUE(stored.has_value());
  const auto row = stored->row;
  EXPECT_EQ(row.file, "day 1/scan.img");
  EXPECT_TRUE(row.ok);
  EXPECT_EQ(row.verdict, decision::Verdict::rejected);
  EXPECT_EQ(row.reason, "1 defect");
  EXPECT_EQ(row.valid_share, 0.5);
  EXPECT_EQ(row.region_share, 0.25);
  EXPECT_EQ(row.drift, 0.75);
  EXPECT_EQ(row.files, example().files);
  EXPECT_EQ(files::change_between(example().input, row.input), "");
  EXPECT_EQ(row.input.files[0].modified_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(row.rows, 3);
  EXPECT_EQ(row.cols, 4);
  EXPECT_EQ(row.bands, 5);
  EXPECT_EQ(row.defects, 1);
  EXPECT_EQ(row.defect_pixels, 2);
  EXPECT_EQ(row.objects, 3);
  EXPECT_EQ(row.marked_pixels, 4);
  EXPECT_EQ(row.strongest_objects, example().strongest_objects);
  EXPECT_EQ(row.invalid_pixels, 6);
  EXPECT_EQ(row.score_max, 9.25);
  EXPECT_EQ(row.score_mean, 1.0 / 3);
  EXPECT_EQ(row.score_p99, 8.5);
  EXPECT_TRUE(std::isnan(row.sad_max) && std::isnan(row.sad_mean) && std::isnan(row.sad_p99));
  EXPECT_EQ(row.threshold, 4.5);
  EXPECT_EQ(row.seconds, 0.125);
  EXPECT_EQ(row.white_reference, "/day 1/white.img");
  EXPECT_EQ(row.dark_reference, "/day 1/dark.img");
  EXPECT_EQ(row.dead_elements, 7);
  EXPECT_EQ(row.error, "");
  const auto& made_with = stored->made_with;
  EXPECT_EQ(made_with.version, "1.2.3");
  EXPECT_EQ(made_with.command, "infer");
  EXPECT_EQ(made_with.configuration, "00ff");
  EXPECT_EQ(made_with.model, "abcd");
  EXPECT_EQ(made_with.seed, 7);
  EXPECT_EQ(made_with.threads, 2);
}

TEST(StoredRow, IsNothingWhereTheFileIsNotWhole) {
  const test::TempDir folder;
  const auto path = folder / "scan.json";
  EXPECT_FALSE(read_row(path).has_value());
  write_row(path, example(), kMadeWith);
  const auto bytes = test::read_bytes(path);
  for (const auto& damaged : {std::string(), bytes.substr(0, bytes.size() / 2), std::string("[]"),
                              std::string(R"({"file": "a"})"), std::string("null")}) {
    test::write_bytes(path, damaged);
    EXPECT_FALSE(read_row(path).has_value()) << damaged;
  }
}

/// Such a row would not add up, or would be undefined behaviour to read.
TEST(StoredRow, IsNothingWhereACountIsNone) {
  const test::TempDir folder;
  const auto path = folder / "scan.json";
  write_row(path, example(), kMadeWith);
  const auto whole = nlohmann::json::parse(test::read_bytes(path));
  for (const auto* key :
       {"rows", "cols", "bands", "defects", "defect_pixels", "invalid_pixels", "dead_elements"}) {
    for (const auto* value :
         {"-1", "1.5", "1e300", "9223372036854775807", "18446744073709551615", "null", "true"}) {
      auto row = whole;
      row[key] = nlohmann::json::parse(value);
      test::write_bytes(path, row.dump());
      EXPECT_FALSE(read_row(path).has_value()) << key << " = " << value;
    }
  }
}

TEST(StoredRow, EscapesBytesThatAreNotUtf8) {
  const test::TempDir folder;
  auto row = example();
  row.file = "caf\xe9.img";
  write_row(folder / "scan.json", row, kMadeWith);
  EXPECT_EQ(read_row(folder / "scan.json")->row.file, "caf\\xe9.img");
  EXPECT_NE(scores_csv({row}).find("caf\xe9.img"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(summary_json({row}, kMadeWith, ""))["cubes"][0]["file"], "caf\\xe9.img");
}

TEST(StoredRow, SaysWhatItWasMadeWithWhicheverVersionWroteIt) {
  const test::TempDir folder;
  write_row(folder / "scan.json", example(), kMadeWith);
  EXPECT_EQ(read_provenance(folder / "scan.json"), kMadeWith);
  auto json = nlohmann::json::parse(test::read_bytes(folder / "scan.json"));
  json.erase("verdict");
  test::write_bytes(folder / "scan.json", json.dump());
  EXPECT_FALSE(read_row(folder / "scan.json").has_value());
  EXPECT_EQ(read_provenance(folder / "scan.json"), kMadeWith);
}

TEST(StoredRow, KeepsTheStampOfANameThatIsNotUtf8) {
  const test::TempDir folder;
  auto row = example();
  row.input.files = {{"caf\xe9.img", 3, 4, 5}};
  write_row(folder / "scan.json", row, kMadeWith);
  const auto stored = read_row(folder / "scan.json")->row.input;
  EXPECT_EQ(files::change_between(stored, as_stored(row.input)), "");
  EXPECT_NE(files::change_between(stored, row.input), "");
}

TEST(StoredSummary, IsReadBack) {
  const test::TempDir folder;
  test::write_bytes(folder / "summary.json", summary_json({example()}, kMadeWith, "x"));
  const auto stored = read_summary(folder / "summary.json");
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->made_with, kMadeWith);
  ASSERT_EQ(stored->rows.size(), 1U);
  EXPECT_EQ(stored->rows[0].reason, "1 defect");
  EXPECT_FALSE(read_summary(folder / "missing.json").has_value());
}

TEST(ScoresCsv, HasTheContractsColumns) {
  EXPECT_EQ(scores_csv({}),
            "file,status,verdict,accepted,reason,valid_share,rows,cols,bands,defects,defect_pixels,objects,"
            "marked_pixels,invalid_pixels,"
            "score_max,score_mean,"
            "score_p99,sad_max,sad_mean,sad_p99,threshold,evidence_max,min_evidence,seconds,error,white_"
            "reference,dark_reference,"
            "dead_elements,region_share,drift\n");
}

TEST(ObjectsCsv, ListsTheObjectsOfAllCubesBestFirst) {
  auto other = example();
  other.file = "other.img";
  other.strongest_objects.resize(1);
  other.strongest_objects[0].evidence = 3;
  EXPECT_EQ(objects_csv({example(), other}),
            "file,id,is_defect,row,col,area_px,peak,mean,evidence,sad_rad,box_row,box_col,box_rows,box_cols\n"
            "day 1/scan.img,1,true,1.5,2.0,2,6.0,5.25,7.5,0.125,1,2,2,1\n"
            "other.img,1,true,1.5,2.0,2,6.0,5.25,3.0,0.125,1,2,2,1\n"
            "day 1/scan.img,2,false,0.0,3.0,1,5.0,5.0,0.5,0.25,0,3,1,1\n");
}

TEST(ScoresCsv, LeavesNanEmpty) {
  const auto csv = scores_csv({example()});
  EXPECT_EQ(csv.substr(csv.find('\n') + 1),
            "day 1/scan.img,ok,rejected,false,1 "
            "defect,0.5,3,4,5,1,2,3,4,6,9.25,0.3333333333333333,8.5,,,,4.5,7.5,2.5,0.125,,/day "
            "1/white.img,/day 1/dark.img,7,0.25,0.75\n");
}

TEST(ScoresCsv, QuotesWhatWouldBreakALine) {
  auto row = example();
  row.ok = false;
  row.file = "a,b.img";
  row.error = "says \"no\",\ntwice";
  const auto csv = scores_csv({row});
  EXPECT_NE(csv.find("\n\"a,b.img\",failed,"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",\"says \"\"no\"\",\ntwice\","), std::string::npos) << csv;
}

struct Cell {
  std::string text;
  std::string written;
};

TEST(ScoresCsv, LetsNoSpreadsheetExecuteACell) {
  for (const auto& [text, written] : std::vector<Cell>{{"=1+1", "\"'=1+1\""},
                                                       {"+1", "\"'+1\""},
                                                       {"-x.img", "\"'-x.img\""},
                                                       {"@SUM(A1)", "\"'@SUM(A1)\""},
                                                       {"\t=1", "\"'\t=1\""},
                                                       {"\r=1", "\"'\r=1\""},
                                                       {"\n=1", "\"'\n=1\""},
                                                       {"＝1", "\"'＝1\""},
                                                       {"=a\",\"b", "\"'=a\"\",\"\"b\""},
                                                       {"a;=1", "\"a;=1\""},
                                                       {"a=1", "a=1"},
                                                       {"", ""}}) {
    auto row = example();
    row.file = row.error = text;
    const auto csv = scores_csv({row});
    const auto line = csv.substr(csv.find('\n') + 1);
    EXPECT_EQ(line, written +
                        ",ok,rejected,false,1 "
                        "defect,0.5,3,4,5,1,2,3,4,6,9.25,0.3333333333333333,8.5,,,,4.5,7.5,2.5,0.125," +
                        written + ",/day 1/white.img,/day 1/dark.img,7,0.25,0.75\n");
  }
}

TEST(ScoresCsv, KeepsNegativeNumbers) {
  auto row = example();
  row.score_mean = -1.5;
  EXPECT_NE(scores_csv({row}).find(",-1.5,"), std::string::npos);
}

TEST(Summary, AddsUp) {
  auto accepted = example();
  accepted.verdict = decision::Verdict::accepted;
  accepted.defects = accepted.defect_pixels = 0;
  ResultRow undecided;
  undecided.verdict = decision::Verdict::undecided;
  ResultRow failed;
  failed.ok = false;
  failed.error = "is truncated";
  const auto json = nlohmann::json::parse(
      summary_json({example(), accepted, undecided, failed}, kMadeWith, "run:\n  seed: 7\n"));
  EXPECT_EQ(json.at("version"), "1.2.3");
  EXPECT_EQ(json.at("command"), "infer");
  EXPECT_EQ(json.at("model"), "abcd");
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_EQ(json.at("configuration_yaml"), "run:\n  seed: 7\n");
  const auto totals = json.at("totals");
  EXPECT_EQ(totals.at("cubes"), 4);
  EXPECT_EQ(totals.at("undecided"), 1);
  EXPECT_EQ(totals.at("failed"), 1);
  EXPECT_EQ(totals.at("accepted"), 1);
  EXPECT_EQ(totals.at("rejected"), 1);
  EXPECT_EQ(totals.at("defects"), 1);
  EXPECT_EQ(totals.at("defect_pixels"), 2);
  EXPECT_EQ(totals.at("seconds"), 0.25);
  ASSERT_EQ(json.at("cubes").size(), 4U);
  EXPECT_EQ(json.at("cubes")[3].at("error"), "is truncated");
  EXPECT_TRUE(json.at("cubes")[0].at("sad_max").is_null());
}

}  // namespace
}  // namespace hyperdefect::engine
