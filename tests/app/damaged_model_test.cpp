// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <torch/types.h>

#include <functional>
#include <limits>

#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"
#include "support/program.h"
#include "support/raw_tensors.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// One way to damage a model file, and what the program says of it.
struct Damage {
  const char* name;
  std::function<std::string(RawTensors)> bytes;
  std::string message;
};

/// A damage that leaves the file a safetensors file.
Damage changed(const char* name, const std::function<void(RawTensors&)>& change, const std::string& message) {
  return {name,
          [change](RawTensors file) {
            change(file);
            return tensor_file_bytes(file);
          },
          message};
}

Damage metadata(const char* name, const char* key, const std::string& value, const std::string& message) {
  return changed(
      name, [key, value](RawTensors& file) { file.metadata()[key] = value; },
      "is a damaged model file (its metadata: " + message);
}

/// Sets one value of the configuration that travels with the model: of a section, by a line "key: value".
void set_value(RawTensors& file, const std::string& section, const std::string& line) {
  auto yaml = '\n' + file.metadata()["configuration"].get<std::string>();
  const auto head = yaml.find('\n' + section + ":\n");
  ASSERT_NE(head, std::string::npos) << section;
  const auto begin = yaml.find("\n  " + line.substr(0, line.find(':') + 1), head) + 1;
  ASSERT_NE(begin, 0U) << line;
  yaml.replace(begin, yaml.find('\n', begin) - begin, "  " + line);
  file.metadata()["configuration"] = yaml.substr(1);
}

Damage setting(const char* name, const std::string& section, const std::string& line,
               const std::string& message) {
  return changed(
      name, [=](RawTensors& file) { set_value(file, section, line); }, message);
}

Damage bands(const char* name, const char* key, const Json& value, const std::string& message) {
  return changed(
      name,
      [key, value](RawTensors& file) {
        auto json = Json::parse(file.metadata()["bands"].get<std::string>());
        json[key] = value;
        file.metadata()["bands"] = json.dump();
      },
      message);
}

std::string entry(const char* shape, const char* offsets, const char* type = "F32") {
  return std::string(R"({"dtype": ")") + type + R"(", "shape": )" + shape + R"(, "data_offsets": )" +
         offsets + "}";
}

/// A file of one tensor x, or of whatever else the header states, and 16 bytes of data.
Damage header(const char* name, const std::string& json, const std::string& message) {
  return {name, [json](const RawTensors&) { return tensor_file_bytes(json, std::string(16, '\1')); },
          "not a whole safetensors file (" + message};
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

std::vector<Damage> damages_of_files() {
  const std::string not_json = "its header is not the JSON that the format asks for";
  return {
      {"Empty", [](const RawTensors&) { return std::string(); }, "(0 bytes)"},
      {"SevenBytes", [](const RawTensors&) { return std::string(7, 'x'); }, "(7 bytes)"},
      {"HeaderLongerThanFile", [](const RawTensors&) { return std::string(100, '\1'); },
       "(its header is longer than the file)"},
      {"Truncated",
       [](const RawTensors& file) {
         const auto bytes = tensor_file_bytes(file);
         return bytes.substr(0, bytes.size() - 1);
       },
       " bytes of data, but its header describes "},
      {"BytesAtTheEnd", [](const RawTensors& file) { return tensor_file_bytes(file) + "more"; },
       " bytes of data, but its header describes "},
      header("NotJson", "not JSON", not_json),
      header("Nested", std::string(1 << 20, '['), not_json),
      header("NestedObjects", repeated(R"({"x":)", 1 << 18), not_json),
      header("LongList", '[' + repeated("1,", 1 << 22) + "1]", not_json),
      header("NumberInMetadata", R"({"__metadata__": {"format": 1}})", not_json),
      header("FieldMissing", R"({"x": {"dtype": "F32", "shape": [4]}})", not_json),
      header("ThreeOffsets", R"({"x": )" + entry("[4]", "[0, 16, 16]") + "}", not_json),
      header("FractionOfARow", R"({"x": )" + entry("[4.5]", "[0, 16]") + "}", not_json),
      header("NegativeShape", R"({"x": )" + entry("[-4]", "[0, 16]") + "}", not_json),
      header("TooLargeNumber", R"({"x": )" + entry("[4]", "[0, 36893488147419103232]") + "}", not_json),
      header("TensorTwice",
             R"({"x": )" + entry("[2]", "[0, 8]") + R"(, "x": )" + entry("[2]", "[8, 16]") + "}",
             "its header holds x twice)"),
      header("MetadataTwice", R"({"__metadata__": {}, "__metadata__": {}})",
             "its header holds __metadata__ twice)"),
      header("KeyTwice", R"({"__metadata__": {"format": "a", "format": "b"}})",
             "its header holds format twice)"),
      header("ShapeOverflows", R"({"x": )" + entry("[4294967296, 4294967296, 4]", "[0, 16]") + "}",
             "the shape of x does not fit the file)"),
      header("ShapeTooLarge", R"({"x": )" + entry("[5]", "[0, 16]") + "}",
             "the shape of x asks for 20 bytes, but it has those from 0 to 16)"),
      header("NineDimensions", R"({"x": )" + entry("[1,1,1,1,1,1,1,1,4]", "[0, 16]") + "}",
             "x has more than 8 dimensions)"),
      header("EndBeforeBegin", R"({"x": )" + entry("[2]", "[8, 0]") + "}",
             "8 bytes before x belong to no tensor)"),
      header("UnknownType", R"({"x": )" + entry("[16]", "[0, 16]", "F8_E4M3") + "}",
             "tensor type F8_E4M3 is unknown)"),
      header("Overlap", R"({"x": )" + entry("[3]", "[0, 12]") + R"(, "y": )" + entry("[2]", "[8, 16]") + "}",
             "y overlaps another tensor)"),
      header("Hole", R"({"x": )" + entry("[1]", "[0, 4]") + R"(, "y": )" + entry("[2]", "[8, 16]") + "}",
             "4 bytes before y belong to no tensor)"),
      header("ControlCharacters", "{\"\\n\\u001b[31mx\": " + entry("[5]", "[0, 16]") + "}",
             "the shape of '\\n\\x1b[31mx' asks for 20 bytes"),
      {"ManyOverlaps",
       [](RawTensors file) {
         for (int i = 0; i < 3000; ++i) {
           file.header[text::concat('x', i)] = {
               {"dtype", "U8"}, {"shape", {1 << 20}}, {"data_offsets", {0, 1 << 20}}};
         }
         file.data.resize(1 << 20);
         return tensor_file_bytes(file);
       },
       " overlaps another tensor)"},
      {"ManyTensors",
       [](RawTensors file) {
         for (int i = 0; i < 70'000; ++i) {
           file.header[text::concat('x', i)] = {
               {"dtype", "U8"}, {"shape", {0}}, {"data_offsets", {file.data.size(), file.data.size()}}};
         }
         return tensor_file_bytes(file);
       },
       "(it holds more than 65536 tensors)"},
  };
}

std::vector<Damage> damages_of_metadata() {
  std::vector<Damage> all{
      changed(
          "NotAModel", [](RawTensors& file) { file.metadata().erase("format"); },
          ": is a safetensors file, but not a model of this program"),
      metadata("VersionWithLetters", "format_version", "2abc", "format_version is not a version number)"),
      metadata("VersionEmpty", "format_version", "", "format_version is not a version number)"),
      metadata("VersionNegative", "format_version", "-2", "format_version is not a version number)"),
      metadata("VersionHuge", "format_version", "99999999999999999999",
               "format_version is not a version number)"),
      changed(
          "VersionOld", [](RawTensors& file) { file.metadata()["format_version"] = "2"; },
          "was written in format 2, but this program (" + version() +
              ") reads format 3: train the model again"),
      changed(
          "VersionNew", [](RawTensors& file) { file.metadata()["format_version"] = "4"; },
          "reads format 3: use a newer version of the program"),
      metadata("ThresholdNotJson", "threshold", "NaN", "threshold is not JSON)"),
      metadata("ThresholdNull", "threshold", "null", "threshold is not a finite number)"),
      metadata("ThresholdText", "threshold", "\"1\"", "threshold is not a finite number)"),
      metadata("ThresholdTooLarge", "threshold", "1e999", "threshold is not JSON)"),
      metadata("QuantilesNull", "score_quantiles", "[0, 1, 2, null, 4, 5, 6]",
               "an element of score_quantiles is not a finite number)"),
      metadata("QuantilesNoList", "score_quantiles", "{}", "score_quantiles is not a list of numbers)"),
      metadata("CalibrationUnknown", "score_calibration", R"({"kind": "odd"})",
               "score_calibration.kind is neither false_alarm_probability nor mad)"),
      metadata("CalibrationLacks", "score_calibration", R"({"kind": "mad", "median": 1})",
               "score_calibration lacks deviation)"),
      metadata("CalibrationTwice", "score_calibration", R"({"kind": "mad", "kind": "pareto_tail"})",
               "score_calibration holds a key twice)"),
      metadata("CalibrationNested", "score_calibration", "[[[[[[1]]]]]]",
               "score_calibration nests more than 4 levels deep)"),
      metadata("NoCubes", "training_cubes", "0", "training_cubes is not a whole number from 1 to 1e+09)"),
      metadata("HalfACube", "training_cubes", "1.5", "training_cubes is not a whole number from 1 to 1e+09)"),
      metadata("MoreThanAllValid", "training_valid_share", "1.5",
               "training_valid_share is not a number from 0 to 1)"),
      metadata("LongVersion", "version", std::string(2000, 'x'),
               "version is 2000 bytes long, but at most 1000"),
      metadata("LongText", "threshold", std::string(5'000'000, ' '), "threshold is 5000000 bytes long"),
      bands("NoBands", "count", 0, "bands.count is not a whole number from 1 to 1e+06)"),
      bands("NegativeBands", "count", -3, "bands.count is not a whole number from 1 to 1e+06)"),
      bands("HalfABand", "count", 2.5, "bands.count is not a whole number from 1 to 1e+06)"),
      bands("BillionBands", "count", 1'000'000'000, "bands.count is not a whole number from 1 to 1e+06)"),
      bands("OtherBands", "count", 9, "bands.wavelengths_nm has 8 elements, but bands.count is 9)"),
      bands("NegativeWavelength", "wavelengths_nm", {-1, 2, 3, 4, 5, 6, 7, 8},
            "an element of bands.wavelengths_nm is not a finite number above 0)"),
      changed(
          "MillionBands",
          [](RawTensors& file) {
            file.metadata()["bands"] = R"({"count": 1000000, "wavelengths_nm": [], "fwhm_nm": []})";
          },
          "(its configuration describes a "),
      changed(
          "UnknownSetting",
          [](RawTensors& file) { file.metadata()["configuration"] = "model:\n  wings: 2\n"; },
          ": its configuration is not one that this program reads: "),
      setting("SettingNotFinite", "preprocess", "wavelength_tolerance_nm: .nan", "wavelength_tolerance_nm"),
      setting("OtherDetector", "model", "detector: ensemble", "is missing"),
      changed(
          "HugeNetworks",
          [](RawTensors& file) {
            set_value(file, "model", "detector: segmenter");
            set_value(file, "segmenter", "features: [1024, 1024, 1024, 1024, 1024, 1024]");
          },
          "its configuration describes a larger model than its tensors hold"),
  };
  for (const char* key :
       {"format_version", "version", "configuration", "bands", "threshold", "score_calibration",
        "score_quantiles", "training", "training_cubes", "training_valid_share"}) {
    all.push_back(changed(
        "Missing", [key](RawTensors& file) { file.metadata().erase(key); },
        std::string("its metadata: lacks ") + key));
  }
  return all;
}

std::vector<Damage> damages_of_values() {
  const auto damaged = [](const std::string& what) { return "is a damaged model file (" + what; };
  return {
      changed(
          "QuantilesTooFew", [](RawTensors& file) { file.metadata()["score_quantiles"] = "[1, 2]"; },
          damaged("it has 2 score quantiles instead of 7)")),
      changed(
          "QuantilesFall",
          [](RawTensors& file) { file.metadata()["score_quantiles"] = "[7, 6, 5, 4, 3, 2, 1]"; },
          damaged("its score quantiles are not finite and ascending)")),
      changed(
          "NoCalibration", [](RawTensors& file) { file.metadata()["score_calibration"] = "null"; },
          damaged("its calibration is not the one that its configuration asks for)")),
      changed(
          "OtherCalibration",
          [](RawTensors& file) {
            file.metadata()["score_calibration"] = R"({"kind": "mad", "median": 1, "deviation": 1})";
          },
          damaged("its calibration is not the one that its configuration asks for)")),
      changed(
          "NoScale",
          [](RawTensors& file) {
            file.metadata()["score_calibration"] =
                R"({"kind": "pareto_tail", "median": 1, "start": 2, "scale": 0, "shape": 0})";
          },
          damaged("its score calibration holds impossible values)")),
      changed(
          "NanInATensor",
          [](RawTensors& file) {
            set_first_value(file, "detector.mean", std::numeric_limits<double>::quiet_NaN());
          },
          damaged("detector.mean holds values that are not finite)")),
      changed(
          "InfinityInATensor",
          [](RawTensors& file) {
            set_first_value(file, "detector.precision", -std::numeric_limits<double>::infinity());
          },
          damaged("detector.precision holds values that are not finite)")),
      changed(
          "TensorMissing", [](RawTensors& file) { remove_tensor(file, "detector.mean"); },
          "detector.mean is missing"),
      changed(
          "TensorUnknown", [](RawTensors& file) { add_tensor(file, "extra", "U8", {4}, "1234"); },
          "extra is unknown"),
      changed(
          "OtherShape",
          [](RawTensors& file) {
            file.header["detector.precision"]["shape"] = {4, 16};
          },
          "detector.precision is (4, 16) Double instead of (8, 8) Double"),
      changed(
          "OtherType", [](RawTensors& file) { file.header["detector.mean"]["dtype"] = "I64"; },
          "detector.mean is (8) Long instead of (8) Double"),
  };
}

std::int64_t most_memory_of_runs_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

class DamagedModel : public ::testing::Test {
 protected:
  void SetUp() override {
    write_cube(folder_ / "in/a.img", mixtures(8, 16, 12, 1));
    ASSERT_EQ(run_program(joined({"train", folder_ / "in", "-o", model_}, rx())).exit_code, 0);
    sound_ = read_raw_tensors(model_);
    ASSERT_EQ(run_program({"info", model_}).exit_code, 0);
    memory_kb_ = most_memory_of_runs_kb();
  }

  void expect_refused(const std::vector<Damage>& damages) const {
    for (const auto& damage : damages) {
      SCOPED_TRACE(damage.name);
      write_bytes(model_, damage.bytes(sound_));
      const auto outcome = run_program({"info", model_});
      expect_failure(outcome, 4, "error: " + model_.string());
      EXPECT_TRUE(contains(outcome.err, damage.message));
    }
    EXPECT_LT(most_memory_of_runs_kb() - memory_kb_, 300'000);
  }

  TempDir folder_;
  fs::path model_ = folder_ / "m.safetensors";
  RawTensors sound_;
  std::int64_t memory_kb_ = 0;
};

TEST_F(DamagedModel, FilesAreRefused) {
  expect_refused(damages_of_files());
}

TEST_F(DamagedModel, MetadataIsRefused) {
  expect_refused(damages_of_metadata());
}

TEST_F(DamagedModel, ValuesAreRefused) {
  expect_refused(damages_of_values());
}

TEST_F(DamagedModel, NothingIsJudgedByIt) {
  set_first_value(sound_, "detector.mean", std::numeric_limits<double>::quiet_NaN());
  write_bytes(model_, tensor_file_bytes(sound_));
  expect_failure(run_program({"infer", folder_ / "in", "-m", model_, "-o", folder_ / "maps"}), 4,
                 "detector.mean holds values that are not finite");
  EXPECT_FALSE(fs::exists(folder_ / "maps/scores.csv"));
}

TEST_F(DamagedModel, WhatIsNoFileIsRefused) {
  fs::remove(model_);
  ASSERT_EQ(::mkfifo(model_.c_str(), 0600), 0);
  expect_failure(run_program({"info", model_}), 4, model_.string() + ": is not a regular file");
  fs::remove(model_);
  fs::create_directory(model_);
  expect_failure(run_program({"info", model_}), 4, model_.string() + ": is a folder");
}

TEST_F(DamagedModel, SparseFilesCostNoMemory) {
  constexpr std::uint64_t kTerabyte = std::uint64_t{1} << 40;
  auto grown = sound_;
  const auto begin = grown.data.size();
  grown.header["x"] = {{"dtype", "U8"}, {"shape", {kTerabyte}}, {"data_offsets", {begin, begin + kTerabyte}}};
  for (const auto& bytes : {tensor_file_bytes(sound_), tensor_file_bytes(grown)}) {
    write_bytes(model_, bytes);
    std::error_code unsupported;
    fs::resize_file(model_, bytes.size() + kTerabyte, unsupported);
    if (unsupported) {
      GTEST_SKIP() << "no sparse file of a terabyte can be made here";
    }
    expect_failure(run_program({"info", model_}), 4, "error: " + model_.string());
  }
  EXPECT_LT(most_memory_of_runs_kb() - memory_kb_, 300'000);
}

}  // namespace
}  // namespace hyperdefect::test
