// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "support/envi_files.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"
#include "support/tiff_files.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

constexpr int kGood = 180;
constexpr std::int64_t kBands = 6;

/// A cube that cannot be judged: what makes it so, and a part of the reason that the table must give.
struct Broken {
  std::string name;
  std::function<void(const fs::path& stem)> make;
  std::string reason;
};

double pixel(std::int64_t band, std::int64_t row, std::int64_t col) {
  return 100.0 + 10.0 * static_cast<double>((7 * band + 3 * row + 5 * col + row * col) % 11);
}

RawCube float_cube() {
  RawCube cube;
  cube.rows = cube.cols = 8;
  cube.bands = kBands;
  cube.data_type = 4;
  return cube;
}

/// Writes STEM.img and STEM.hdr, the values and the header changed.
void write_pair(
    const fs::path& stem, const std::function<std::string(std::string)>& header,
    const std::function<double(std::int64_t, std::int64_t, std::int64_t)>& value = pixel,
    const std::function<std::string(std::string)>& data = [](auto bytes) { return bytes; }) {
  const auto cube = float_cube();
  write_bytes(stem.string() + ".img", data(cube.bytes<float>(value)));
  write_bytes(stem.string() + ".hdr", header(cube.header()));
}

std::string unchanged(std::string header) {
  return header;
}

std::function<std::string(std::string)> with(const std::string& old, const std::string& fresh) {
  return [=](std::string header) {
    const auto place = header.find(old);
    return place == std::string::npos ? header + fresh : header.replace(place, old.size(), fresh);
  };
}

std::function<std::string(std::string)> and_line(const std::string& line) {
  return [=](const std::string& header) { return header + line + '\n'; };
}

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<Broken> all_kinds() {
  const auto header = [](auto change) {
    return [change](const fs::path& stem) { write_pair(stem, change); };
  };
  const auto values = [](auto value) {
    return [value](const fs::path& stem) { write_pair(stem, unchanged, value); };
  };
  return {
      {"data_cut_off",
       [](const fs::path& stem) {
         write_pair(stem, unchanged, pixel, [](auto bytes) { return bytes.substr(0, bytes.size() / 2); });
       },
       "truncated"},
      {"header_without_data",
       [](const fs::path& stem) { write_bytes(stem.string() + ".hdr", float_cube().header()); }, "missing"},
      {"data_without_header",
       [](const fs::path& stem) { write_bytes(stem.string() + ".img", std::string(512, 'x')); }, "header"},
      {"broken_link", [](const fs::path& stem) { fs::create_symlink("nowhere.img", stem.string() + ".img"); },
       "link"},
      {"no_interleave", header(with("interleave = bsq\n", "")), "interleave"},
      {"samples_nan", header(with("samples = 8", "samples = nan")), "samples"},
      {"complex_values", header(with("data type = 4", "data type = 6")), "complex"},
      {"too_few_wavelengths", header(and_line("wavelength = {500, 600}")), "wavelength"},
      {"open_list", header(and_line("wavelength = {500, 600")), "wavelength"},
      {"gain_infinite", header(and_line("data gain values = {inf, 1, 1, 1, 1, 1}")), "gain"},
      {"byte_order_7", header(with("byte order = 0", "byte order = 7")), "byte order"},
      {"byte_order_mark", header([](const std::string& text) { return "\xEF\xBB\xBF" + text; }),
       "byte order mark"},
      {"all_nan", values([](auto, auto, auto) { return kNan; }), "valid"},
      {"all_zero", values([](auto, auto, auto) { return 0.0; }), "valid"},
      {"hole_of_nan", values([](auto band, auto row, auto col) {
         return row >= 3 && row < 5 && col >= 3 && col < 5 ? kNan : pixel(band, row, col);
       }),
       "island"},
      {"half_is_missing",
       values([](auto band, auto row, auto col) { return row < 4 ? 0.0 : pixel(band, row, col); }), "valid"},
      {"other_bands", header(with("bands = 6", "bands = 4")), "bands"},
      {"tiff_cut_off",
       [](const fs::path& stem) {
         const auto file = stem.string() + ".tif";
         write_tiff_cube(file, {8, 8, static_cast<int>(kBands), GDT_Float32, {}, {}, -1}, pixel);
         fs::resize_file(file, fs::file_size(file) / 2);
       },
       ""},
      {"tiff_is_vrt",
       [](const fs::path& stem) {
         write_bytes(stem.string() + ".tif",
                     "<VRTDataset rasterXSize=\"8\" rasterYSize=\"8\"><VRTRasterBand dataType=\"Byte\" "
                     "band=\"1\"/></VRTDataset>");
       },
       "VRT"},
      {std::string(245, 'n'), header(unchanged), "name"},
  };
}

/// The rows of a run by the stems of their cubes.
std::map<std::string, nlohmann::json> rows_by_stem(const fs::path& output) {
  std::map<std::string, nlohmann::json> rows;
  const auto summary = nlohmann::json::parse(read_bytes(output / "summary.json"));
  for (const auto& row : summary["cubes"]) {
    rows[fs::path(row["file"].get<std::string>()).stem()] = row;
  }
  return rows;
}

TEST(BrokenCubes, HaveRowsWithReasonsAndStopNoOther) {
  const TempDir folder;
  for (int i = 0; i < kGood; ++i) {
    write_pair(folder / "in" / ("good_" + std::to_string(i)), unchanged);
  }
  const auto kinds = all_kinds();
  for (const auto& kind : kinds) {
    kind.make(folder / "in" / kind.name);
  }
  const auto model = (folder / "m.safetensors").string();
  const auto trained = run_program(joined({"train", folder / "in/good_0.img", "-o", model}, rx()));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;

  const auto outcome = run_program({"infer", "-m", model, folder / "in", "-o", folder / "out", "--threads",
                                    "1", "--set", "output.overlay=false", "--set", "output.sad=false"});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  auto rows = rows_by_stem(folder / "out");
  EXPECT_EQ(rows.size(), kGood + kinds.size());
  for (const auto& kind : kinds) {
    const auto row = rows[kind.name];
    ASSERT_TRUE(row.is_object()) << kind.name << " has no row";
    const auto reason = row["error"].get<std::string>() + row["reason"].get<std::string>();
    EXPECT_TRUE(row["status"] == "failed" || row["verdict"] == "undecided") << row.dump();
    EXPECT_FALSE(reason.empty()) << kind.name;
    EXPECT_TRUE(contains(reason, kind.reason)) << kind.name;
    rows.erase(kind.name);
  }
  for (const auto& [name, row] : rows) {
    EXPECT_EQ(row["status"], "ok") << row.dump();
    EXPECT_EQ(row["verdict"], "accepted") << row.dump();
  }
}

}  // namespace
}  // namespace hyperdefect::test
