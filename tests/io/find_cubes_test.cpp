// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/find_cubes.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/envi_files.h"
#include "support/expect_error.h"

namespace hyperdefect::io {
namespace {

using test::RawCube;
using test::TempDir;
using test::write_bytes;

void touch_cube(const std::filesystem::path& data) {
  write_bytes(data, "pixels");
  auto header = data;
  write_bytes(header.replace_extension(".hdr"), RawCube().header());
}

std::vector<std::string> names(const std::vector<std::string>& inputs) {
  std::vector<std::string> found;
  for (const auto& cube : find_cubes(inputs).cubes) {
    found.push_back(cube.relative.generic_string());
  }
  return found;
}

using Names = std::vector<std::string>;

/// The argument that names a list of inputs.
std::string list_argument(const std::filesystem::path& list) {
  return text::cat('@', list.string());
}

TEST(FindCubes, FindsEveryCubeBelowAFolder) {
  const TempDir dir;
  touch_cube(dir / "b.img");
  touch_cube(dir / "day2/run.1/c.raw");
  write_bytes(dir / "day1/a.tif", "x");
  write_bytes(dir / "day1/plain", "pixels");
  write_bytes(dir / "day1/plain.hdr", RawCube().header());
  EXPECT_EQ(names({dir.path().string()}), (Names{"b", "day1/a", "day1/plain", "day2/run.1/c"}));
  EXPECT_EQ(names({dir.path().string() + "/"}), (Names{"b", "day1/a", "day1/plain", "day2/run.1/c"}));
  EXPECT_EQ(find_cubes({dir.path().string()}).cubes[0].path, dir / "b.img");
}

TEST(FindCubes, LeavesOutWhatIsNoCube) {
  const TempDir dir;
  touch_cube(dir / "scan.img");
  touch_cube(dir / "scan_WHITEREF.img");
  touch_cube(dir / "DARKREF_scan.img");
  touch_cube(dir / "camera_darkReference.img");
  touch_cube(dir / "white ref.img");
  touch_cube(dir / "dark.img");
  for (const auto* name :
       {"scan_mask.png", "scan_mask.tif", "scan_score.tif", "scan_sad.tif", "scan_defects.tif",
        "scan_overlay.png", "scan_objects.gpkg", "scan_part_rx.tif", "scan.png", "scan.json", "notes.txt",
        "scan.zip", "unknown.dat", ".hidden.tif", ".git/x.tif"}) {
    write_bytes(dir / name, "x");
  }
  auto classes = RawCube().header();
  classes.replace(classes.find("Standard"), 8, "Classification");
  write_bytes(dir / "classes.img", "x");
  write_bytes(dir / "classes.hdr", classes);
  auto library = RawCube().header();
  library.replace(library.find("Standard"), 8, "Spectral Library");
  write_bytes(dir / "library.sli", "x");
  write_bytes(dir / "library.hdr", library);
  write_bytes(dir / "esri.bil", "x");
  write_bytes(dir / "esri.hdr", "NROWS 1\nNCOLS 1\n");
  EXPECT_EQ(names({dir.path().string()}), Names{"scan"});
}

TEST(FindCubes, KeepsNamesThatOnlyResembleReferences) {
  const TempDir dir;
  touch_cube(dir / "dark_reflective_part.img");
  touch_cube(dir / "white_paint.img");
  EXPECT_EQ(names({dir.path().string()}), (Names{"dark_reflective_part", "white_paint"}));
}

TEST(FindCubes, KeepsBrokenPairsSoThatReadingNamesThem) {
  const TempDir dir;
  write_bytes(dir / "lonely.hdr", RawCube().header());
  write_bytes(dir / "raw.img", "pixels");
  const auto found = find_cubes({dir.path().string()}).cubes;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, dir / "lonely.hdr");
  EXPECT_EQ(found[1].path, dir / "raw.img");
}

TEST(FindCubes, TakesNamedFilesAsTheyAreAndHeadersAsTheirData) {
  const TempDir dir;
  touch_cube(dir / "scan_WHITEREF.img");
  touch_cube(dir / "scan.img");
  const auto found = find_cubes({(dir / "scan_WHITEREF.img").string(), (dir / "scan.hdr").string()}).cubes;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, dir / "scan_WHITEREF.img");
  EXPECT_EQ(found[1].path, dir / "scan.img");
  EXPECT_EQ(found[1].relative, "scan");
}

TEST(FindCubes, NamesEachCubeOnce) {
  const TempDir dir;
  touch_cube(dir / "scan.img");
  EXPECT_EQ(names({(dir / "scan.img").string(), (dir / "scan.hdr").string(), dir.path().string(),
                   (dir / "../" / dir.path().filename() / "scan.img").string()}),
            Names{"scan"});
}

TEST(FindCubes, ExpandsPatternsAndKeepsTheFoldersBehindTheirFixedPart) {
  const TempDir dir;
  touch_cube(dir / "day1/scan.img");
  touch_cube(dir / "day2/scan.img");
  touch_cube(dir / "day2/other.img");
  write_bytes(dir / "day2/scan_mask.png", "x");
  EXPECT_EQ(names({(dir / "day*/scan*").string()}), (Names{"day1/scan", "day2/scan"}));
  EXPECT_EQ(names({(dir / "day2/*.img").string()}), (Names{"other", "scan"}));
  EXPECT_EQ(names({(dir / "day?").string()}), (Names{"day1/scan", "day2/other", "day2/scan"}));
}

TEST(FindCubes, ReadsListsRelativeToThemselves) {
  const TempDir dir;
  touch_cube(dir / "day1/a.img");
  touch_cube(dir / "day2/b.img");
  write_bytes(dir / "list.txt", "# two days\r\nday1/a.img\r\n\n" + (dir / "day2").string() + "\n");
  EXPECT_EQ(names({list_argument(dir / "list.txt")}), (Names{"a", "b"}));
}

TEST(FindCubes, KeepsEqualStemsApart) {
  const TempDir dir;
  touch_cube(dir / "x/a.img");
  write_bytes(dir / "x/a.tif", "x");
  write_bytes(dir / "x/b.tif", "x");
  EXPECT_EQ(names({(dir / "x").string()}), (Names{"a.img", "a.tif", "b"}));
  touch_cube(dir / "y/a.img");
  EXPECT_EQ(names({(dir / "x/a.img").string(), (dir / "y/a.img").string()}), (Names{"x/a", "y/a"}));
  EXPECT_EQ(names({(dir / "x").string(), (dir / "y").string()}), (Names{"a.img", "a.tif", "b", "a"}));
}

TEST(FindCubes, NamesWhatIsMissing) {
  const TempDir dir;
  write_bytes(dir / "empty/notes.txt", "x");
  write_bytes(dir / "none.txt", "# nothing\n");
  write_bytes(dir / "nested.txt", "@none.txt\n");
  const auto find = [&](const std::string& name) { return [=] { find_cubes({name}); }; };
  HYPERDEFECT_EXPECT_ERROR(find((dir / "no.img").string())(), InputError,
                           "no.img: there is no such file or folder");
  HYPERDEFECT_EXPECT_ERROR(
      find((dir / "empty").string())(), InputError,
      "empty: the folder holds no cube; looked for GeoTIFF files (.tif, .tiff) and files with an "
      "ENVI header (.hdr)");
  HYPERDEFECT_EXPECT_ERROR(find((dir / "*.img").string())(), InputError,
                           "*.img: no cube matches the pattern");
  HYPERDEFECT_EXPECT_ERROR(find(list_argument(dir / "no.txt"))(), InputError,
                           "no.txt: the list of inputs cannot be read");
  HYPERDEFECT_EXPECT_ERROR(find(list_argument(dir / "none.txt"))(), InputError,
                           "none.txt: the list names no input");
  HYPERDEFECT_EXPECT_ERROR(find(list_argument(dir / "nested.txt"))(), InputError,
                           "nested.txt line 1: a list cannot name another list (@none.txt)");
}

}  // namespace
}  // namespace hyperdefect::io
