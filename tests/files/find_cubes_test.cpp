// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/find_cubes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <ostream>
#include <stdexcept>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_access.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/tiff_files.h"

namespace hyperdefect::files {
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
  return text::concat('@', list.string());
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

/// What a search left out, as "NAME: 1 mask (NAME)".
std::string left_out_text(const std::vector<std::string>& inputs) {
  return describe(find_cubes(inputs).left_out);
}

RawCube map_of(std::int64_t bands, int data_type, const std::string& more = "") {
  RawCube cube;
  cube.bands = bands;
  cube.data_type = data_type;
  cube.more = more;
  return cube;
}

const std::string kWavelengths = "wavelength = {500, 600, 700, 800}\n";

/// A file beside a cube, and what it is for.
struct RoleCase {
  std::string name;
  std::string header;
  FileRole role = FileRole::cube;
};

void PrintTo(const RoleCase& c, std::ostream* stream) {
  *stream << c.name;
}

class EnviRoles : public ::testing::TestWithParam<RoleCase> {};

TEST_P(EnviRoles, AreToldByTheHeaderBeforeTheName) {
  const TempDir dir;
  const auto data = dir / GetParam().name;
  write_bytes(data, "pixels");
  auto header = data;
  write_bytes(header += ".hdr", GetParam().header);
  touch_cube(dir / "partner.img");
  const auto found = find_cubes({dir.path().string()});
  if (GetParam().role == FileRole::cube) {
    EXPECT_EQ(found.cubes.size(), 2U);
    EXPECT_EQ(describe(found.left_out), "");
  } else {
    EXPECT_EQ(found.cubes.size(), 1U);
    EXPECT_EQ(found.left_out, (std::vector<LeftOut>{{data, GetParam().role}}));
  }
  EXPECT_EQ(find_cubes({data.string()}).cubes.size(), 1U) << "a file that is named is always taken";
}

std::string with_type(std::string header, const std::string& type) {
  return header.replace(header.find("Standard"), 8, type);
}

INSTANTIATE_TEST_SUITE_P(
    Names, EnviRoles,
    ::testing::Values(
        RoleCase{"flight_loc.img", map_of(3, 5).header(), FileRole::geometry},
        RoleCase{"flight_igm", map_of(2, 5).header(), FileRole::geometry},
        RoleCase{"flight_ort_glt", map_of(2, 3).header(), FileRole::geometry},
        RoleCase{"obs_07.img", map_of(10, 5).header(), FileRole::geometry},
        RoleCase{"flight_obs_ort", map_of(11, 4).header(), FileRole::geometry},
        RoleCase{"f110.igm", map_of(3, 5).header(), FileRole::geometry},
        RoleCase{
            "plain_name.img",
            map_of(3, 5, "band names = {Longitude (WGS-84), Latitude (WGS-84), Elevation (m)}\n").header(),
            FileRole::geometry},
        RoleCase{"plain_too.img",
                 map_of(2, 3, "band names = {GLT Sample Lookup, GLT Line Lookup}\n").header(),
                 FileRole::geometry},
        RoleCase{"scan_badpix.img", map_of(1, 1).header(), FileRole::bad_pixel_map},
        RoleCase{"BadPixelMap.img", map_of(4, 1).header(), FileRole::bad_pixel_map},
        RoleCase{"camera_BPR.raw", map_of(1, 12).header(), FileRole::bad_pixel_map},
        RoleCase{"scan_mask.img", map_of(1, 1).header(), FileRole::mask},
        RoleCase{"preview.img", map_of(3, 1).header(), FileRole::picture},
        RoleCase{"WHITEREF_scan.raw", RawCube().header(), FileRole::white_reference},
        RoleCase{"WHITEDARKREF_scan.raw", RawCube().header(), FileRole::white_reference},
        RoleCase{"scan_DARKREF.raw", RawCube().header(), FileRole::dark_reference},
        RoleCase{"whiteReference", RawCube().header(), FileRole::white_reference},
        RoleCase{"dark.raw", RawCube().header(), FileRole::dark_reference},
        RoleCase{"white ref.img", RawCube().header(), FileRole::white_reference},
        RoleCase{"scan-dark-ref_02.img", RawCube().header(), FileRole::dark_reference},
        RoleCase{"white_ref_partner.img", RawCube().header(), FileRole::white_reference},
        RoleCase{"classes.img", with_type(map_of(1, 1).header(), "Classification"), FileRole::class_map},
        RoleCase{"library.sli", with_type(RawCube().header(), "Spectral Library"),
                 FileRole::spectral_library},
        RoleCase{"heights.bil", "NROWS 1\nNCOLS 1\n", FileRole::esri_image},
        RoleCase{"heights_too.bil", "NBANDS 004\nNROWS 1\nNCOLS 1\n", FileRole::esri_image}));

INSTANTIATE_TEST_SUITE_P(Cubes, EnviRoles,
                         ::testing::Values(RoleCase{"esri.bil", "NROWS 1\nNCOLS 1\nNBANDS 12\n"},
                                           RoleCase{"white_ref_7_part.img", RawCube().header()},
                                           RoleCase{"dark_reflective_part.img", RawCube().header()},
                                           RoleCase{"white_weathering_crust.img", RawCube().header()},
                                           RoleCase{"glt_scan.img", map_of(12, 12).header()},
                                           RoleCase{"part_obs.img", map_of(40, 12).header()},
                                           RoleCase{"wafer_obs.img", map_of(12, 12).header()},
                                           RoleCase{"obs12.img", map_of(12, 4).header()},
                                           RoleCase{"obs_2.img", map_of(11, 12).header()},
                                           RoleCase{"wafer_geo.img", map_of(4, 12).header()},
                                           RoleCase{"scan_loc.img", map_of(4, 12, kWavelengths).header()},
                                           RoleCase{"scan_mask.img", map_of(12, 12).header()},
                                           RoleCase{"exam_score.img", map_of(12, 12).header()},
                                           RoleCase{"bad_pixel_part.img", map_of(12, 12).header()},
                                           RoleCase{"eight_bit.img", map_of(96, 1).header()},
                                           RoleCase{"one_band.img", map_of(1, 4).header()},
                                           RoleCase{"damaged_loc.img", "ENVI\nbands = {3\n"},
                                           RoleCase{"no_header.img", "nothing of the kind"},
                                           RoleCase{"empty_header.img", ""}));

struct TiffCase {
  std::string name;
  int bands = 1;
  GDALDataType type = GDT_Byte;
  FileRole role = FileRole::cube;
  std::function<void(GDALDataset&)> describe = {};
};

void PrintTo(const TiffCase& c, std::ostream* stream) {
  *stream << c.name;
}

class TiffRoles : public ::testing::TestWithParam<TiffCase> {};

TEST_P(TiffRoles, AreToldByTheContent) {
  const TempDir dir;
  test::TiffCube cube{2, 3, GetParam().bands, GetParam().type, {}, GetParam().describe};
  test::write_tiff_cube(dir / GetParam().name, cube, [](int, int, int) { return 7.0; });
  touch_cube(dir / "partner.img");
  const auto found = find_cubes({dir.path().string()});
  EXPECT_EQ(found.cubes.size(), GetParam().role == FileRole::cube ? 2U : 1U);
  if (GetParam().role != FileRole::cube) {
    EXPECT_EQ(found.left_out, (std::vector<LeftOut>{{dir / GetParam().name, GetParam().role}}));
  }
}

void tag_as_result(GDALDataset& dataset) {
  dataset.SetMetadataItem("HYPERDEFECT_VERSION", "1.0");
}

void state_wavelength(GDALDataset& dataset) {
  dataset.GetRasterBand(1)->SetMetadataItem("wavelength", "500");
}

INSTANTIATE_TEST_SUITE_P(
    Names, TiffRoles,
    ::testing::Values(TiffCase{"renamed.tif", 1, GDT_Float32, FileRole::result, tag_as_result},
                      TiffCase{"scan_score.tif", 1, GDT_Float32, FileRole::result},
                      TiffCase{"scan_part_rx.tif", 1, GDT_Float32, FileRole::result},
                      TiffCase{"scan_mask.tif", 1, GDT_Byte, FileRole::mask},
                      TiffCase{"quicklook.tif", 3, GDT_Byte, FileRole::picture},
                      TiffCase{"quicklook.dat", 4, GDT_Byte, FileRole::picture},
                      TiffCase{"L2A-QL_PIXELMASK_SWIR.TIF", 12, GDT_Byte, FileRole::mask},
                      TiffCase{"scan_igm.tif", 2, GDT_Float64, FileRole::geometry},
                      TiffCase{"whiteref.tif", 12, GDT_UInt16, FileRole::white_reference},
                      TiffCase{"partner.img.ovr", 12, GDT_UInt16, FileRole::sidecar},
                      TiffCase{"partner.img.msk", 1, GDT_Byte, FileRole::sidecar}));

INSTANTIATE_TEST_SUITE_P(
    Cubes, TiffRoles,
    ::testing::Values(TiffCase{"scan.tif", 3, GDT_UInt16}, TiffCase{"scan", 12, GDT_UInt16},
                      TiffCase{"scan.dat", 12, GDT_UInt16}, TiffCase{"scan.png", 12, GDT_UInt16},
                      TiffCase{"scan_mask.tif", 12, GDT_UInt16}, TiffCase{"scan_score.tif", 12, GDT_UInt16},
                      TiffCase{"eight_bit.tif", 96, GDT_Byte},
                      TiffCase{"few.tif", 4, GDT_Byte, FileRole::cube, state_wavelength}));

TEST(FindCubes, NamesEveryFileThatOnlyItsNameLeavesOut) {
  const TempDir dir;
  touch_cube(dir / "scan.img");
  for (const auto* name : {"a_loc.img", "b_loc.img", "c_loc.img", "d_loc.img", "e_loc.img"}) {
    write_bytes(dir / name, "pixels");
    write_bytes(dir / (std::string(name) + ".hdr"), map_of(3, 5).header());
  }
  EXPECT_EQ(left_out_text({dir.path().string()}),
            "left out 5 files that are not cubes: 5 geometry files (a_loc.img, b_loc.img, c_loc.img, "
            "d_loc.img, e_loc.img)");
}

TEST(FindCubes, LeavesOutASecondHeaderOfAnImage) {
  for (const auto* extension : {"img", "raw", "dat", "bil"}) {
    const TempDir dir;
    const auto image = text::concat("scan.", extension);
    write_bytes(dir / image, RawCube().bytes<std::uint16_t>(test::distinct_value));
    write_bytes(dir / (image + ".hdr"), RawCube().header());
    write_bytes(dir / "scan.hdr", RawCube().header());
    const auto found = find_cubes({dir.path().string()});
    ASSERT_EQ(found.cubes.size(), 1U);
    EXPECT_EQ(found.cubes[0].path, dir / image);
    EXPECT_EQ(describe(found.left_out),
              "left out 1 file that is not a cube: 1 header of an image with another header (scan.hdr)");
    HYPERDEFECT_EXPECT_ERROR(
        format::find_envi_data(dir / "scan.hdr"), InputError,
        text::concat("scan.hdr: ", image, " has a header of its own, ", image, ".hdr: give ", image));
  }
}

TEST(FindCubes, TakesOtherFormatsByTheirContent) {
  const TempDir dir;
  write_bytes(dir / "a.dat", std::string("\x89HDF\r\n\x1A\n") + std::string(600, '.'));
  write_bytes(dir / "b", "CDF\x01....");
  write_bytes(dir / "EMIT_L1B_OBS_001.nc", std::string("\x89HDF\r\n\x1A\n") + std::string(600, '.'));
  write_bytes(dir / "damaged.nc", "no netCDF at all");
  write_bytes(dir / "photo.img", "\xFF\xD8\xFF\xE0....");
  EXPECT_EQ(names({dir.path().string()}), (Names{"a", "b", "damaged"}));
  EXPECT_EQ(
      left_out_text({dir.path().string()}),
      "left out 2 files that are not cubes: 1 picture (photo.img), 1 geometry file (EMIT_L1B_OBS_001.nc)");
}

TEST(FindCubes, LeavesNoFileOfAFolderUnmentioned) {
  const TempDir dir;
  touch_cube(dir / "day1/a.img");
  touch_cube(dir / "day1/whiteref.img");
  write_bytes(dir / "day1/raw.bil", "pixels");
  write_bytes(dir / "day1/lonely.hdr", RawCube().header());
  write_bytes(dir / "notes.txt", "x");
  write_bytes(dir / "unknown", std::string("\0\1\2", 3));
  write_bytes(dir / ".hidden.tif", "x");
  write_bytes(dir / ".git/config", "x");
  std::filesystem::create_symlink("nowhere", dir / "broken");
  ::mkfifo((dir / "pipe.img").c_str(), 0600);
  const auto found = find_cubes({dir.path().string()});
  std::vector<std::string> cubes;
  for (const auto& cube : found.cubes) {
    cubes.push_back(cube.path.lexically_relative(dir.path()).string());
  }
  EXPECT_EQ(cubes, (Names{"broken", "day1/a.img", "day1/lonely.hdr", "day1/raw.bil"}));
  EXPECT_EQ(
      describe(found.left_out),
      "left out 6 files that are not cubes: 1 white reference (whiteref.img), 2 hidden files or folders "
      "(.git, .hidden.tif), 1 pipe, socket or device (pipe.img), 2 other files (notes.txt, unknown)");
}

TEST(FindCubes, NamesTheFirstOfManyFilesThatItLeavesOut) {
  std::vector<LeftOut> files;
  for (const auto* name : {"a.png", "b.png", "c.png", "d.png", "e.png"}) {
    files.push_back({name, FileRole::mask});
  }
  files.push_back({"x.sli", FileRole::spectral_library});
  EXPECT_EQ(
      describe(files),
      "left out 6 files that are not cubes: 5 masks (a.png, b.png, c.png and 2 more), 1 spectral library "
      "(x.sli)");
  EXPECT_EQ(describe({files[0]}), "left out 1 file that is not a cube: 1 mask (a.png)");
  EXPECT_EQ(describe({}), "");
}

TEST(FindCubes, DoesNotLeaveOutWhatAnotherInputNames) {
  const TempDir dir;
  touch_cube(dir / "scan.img");
  touch_cube(dir / "white.img");
  const auto found = find_cubes({dir.path().string(), (dir / "white.hdr").string()});
  EXPECT_EQ(found.cubes.size(), 2U);
  EXPECT_TRUE(found.left_out.empty());
}

class OneCube : public ::testing::TestWithParam<std::string> {};

TEST_P(OneCube, IsOneHoweverItIsNamed) {
  const TempDir dir;
  touch_cube(dir / GetParam());
  const auto data = dir / GetParam();
  write_bytes(data, RawCube().bytes<std::uint16_t>(test::distinct_value));
  auto header = data;
  header.replace_extension(".hdr");
  const auto folder = dir.path().string();
  const std::vector<std::vector<std::string>> ways{{data.string()},
                                                   {header.string()},
                                                   {folder},
                                                   {folder + "/*"},
                                                   {folder + "/*.hdr"},
                                                   {folder + "/leaf*"},
                                                   {folder, data.string(), header.string()}};
  for (const auto& way : ways) {
    const auto found = find_cubes(way);
    ASSERT_EQ(found.cubes.size(), 1U) << text::join(way, " ");
    EXPECT_EQ(found.cubes[0], (CubeInput{data, "leaf"})) << text::join(way, " ");
    EXPECT_EQ(describe(found.left_out), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Extensions, OneCube,
                         ::testing::Values("leaf.img", "leaf.raw", "leaf.envi", "leaf.hyspex", "leaf.x1",
                                           "leaf"));

TEST(FindCubes, FollowsLinksButTakesEachCubeOnce) {
  const TempDir dir;
  const TempDir store;
  namespace fs = std::filesystem;
  touch_cube(store / "far.img");
  touch_cube(dir / "in/scan.img");
  fs::create_symlink("scan.img", dir / "in/a_link.img");
  touch_cube(dir / "in/middle.img");
  fs::create_symlink("../in", dir / "in/again");
  fs::create_symlink(".", dir / "in/dot");
  fs::create_symlink("..", dir / "in/up");
  fs::create_symlink(store.path(), dir / "in/store");
  fs::create_symlink("store", dir / "in/to_store");
  const auto folder = (dir / "in").string();
  EXPECT_EQ(names({folder}), (Names{"middle", "scan", "store/far"}));
  EXPECT_EQ(left_out_text({folder}),
            "left out 4 files that are not cubes: 4 links to folders that are searched anyway (again, dot, "
            "to_store "
            "and 1 more)");
  EXPECT_EQ(names({folder + "/*/*/*/*/*/*/*/*/scan.img"}).size(), 1U);
}

TEST(FindCubes, HasARowForHalfOfACubeBehindABrokenLink) {
  const TempDir dir;
  namespace fs = std::filesystem;
  write_bytes(dir / "data_lost.hdr", RawCube().header());
  fs::create_symlink("nowhere.img", dir / "data_lost.img");
  write_bytes(dir / "header_lost.img", "pixels");
  fs::create_symlink("nowhere.hdr", dir / "header_lost.hdr");
  fs::create_symlink("loop.img", dir / "loop.img");
  touch_cube(dir / "whole.img");
  fs::create_symlink("nowhere.xml", dir / "whole.xml");
  std::vector<std::string> rows;
  for (const auto& cube : find_cubes({dir.path().string()}).cubes) {
    rows.push_back(cube.path.filename().string() + " as " + cube.relative.string());
  }
  EXPECT_EQ(rows, (Names{"data_lost.hdr as data_lost", "header_lost.hdr as header_lost", "loop.img as loop",
                         "whole.img as whole.img", "whole.xml as whole.xml"}));
}

/// While it lives, the process has the rights of somebody else, if it had all rights.
class WithoutRoot {
 public:
  WithoutRoot() {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) {
      throw std::runtime_error("the rights cannot be given up");
    }
  }
  ~WithoutRoot() {
    if (::geteuid() != ::getuid()) {
      static_cast<void>(::seteuid(::getuid()));
    }
  }
};

TEST(FindCubes, HasARowForWhatItHasNoPermissionToRead) {
  const TempDir dir;
  namespace fs = std::filesystem;
  fs::permissions(dir.path(), fs::perms::all);
  touch_cube(dir / "in/locked_header.img");
  fs::permissions(dir / "in/locked_header.hdr", fs::perms::none);
  touch_cube(dir / "in/scan.img");
  touch_cube(dir / "in/secret/scan.img");
  fs::permissions(dir / "in/secret", fs::perms::none);
  {
    const WithoutRoot guard;
    EXPECT_EQ(names({(dir / "in").string()}), (Names{"locked_header", "scan", "secret"}));
    EXPECT_EQ(names({(dir / "in/*/*.img").string()}), Names{"secret"});
    HYPERDEFECT_EXPECT_ERROR(format::check_is_readable_file(dir / "in/secret"), InputError,
                             "secret: the folder cannot be searched: Permission denied");
    HYPERDEFECT_EXPECT_ERROR(format::check_is_readable_file(dir / "in/secret/scan.img"), InputError,
                             "scan.img: cannot be read: Permission denied");
    HYPERDEFECT_EXPECT_ERROR(format::check_is_readable_file(dir / "in/locked_header.hdr"), InputError,
                             "locked_header.hdr: cannot be read: Permission denied");
  }
  fs::permissions(dir / "in/secret", fs::perms::all);
}

TEST(FindCubes, RefusesNamedFilesThatCannotBeACube) {
  const TempDir dir;
  ::mkfifo((dir / "pipe").c_str(), 0600);
  std::filesystem::create_symlink("nowhere", dir / "broken.img");
  HYPERDEFECT_EXPECT_ERROR(find_cubes({(dir / "pipe").string()}), InputError,
                           "pipe: is a pipe, a socket or a device, not a file");
  HYPERDEFECT_EXPECT_ERROR(
      find_cubes({(dir / "broken.img").string()}), InputError,
      "broken.img: is a link to nowhere, which cannot be reached: No such file or directory");
}

TEST(FindCubes, TakesWhatExistsByItsName) {
  const TempDir dir;
  for (const auto* name : {"a[1].img", "scan{2}.img", "star*.img", "q?.img", "{a,b}.img", "@list.txt.img"}) {
    touch_cube(dir / name);
    EXPECT_EQ(find_cubes({(dir / name).string()}).cubes.size(), 1U) << name;
  }
  write_bytes(dir / "in[1]/list.txt", "*.img\n");
  touch_cube(dir / "in[1]/x.img");
  EXPECT_EQ(names({list_argument(dir / "in[1]/list.txt")}), Names{"x"});
}

TEST(FindCubes, KeepsTheBytesOfNames) {
  const TempDir dir;
  const Names odd{" blank",           "-dash",           "new\nline", "quo\"te'", "tab\t",
                  "\xC3\xA4\xE4\xFF", "\xF0\x9F\x8D\x83"};
  for (const auto& name : odd) {
    touch_cube(dir / ("in/" + name + ".img"));
  }
  EXPECT_EQ(names({(dir / "in").string()}), odd);
  EXPECT_EQ(names({(dir / "in/*.img").string()}), odd);
}

TEST(FindCubes, ReadsListsWithinTheirLimits) {
  const TempDir dir;
  touch_cube(dir / "a.img");
  touch_cube(dir / " b .img");
  const auto list = dir / "list.txt";
  const auto find = [&](const std::string& bytes) {
    write_bytes(list, bytes);
    return names({list_argument(list)});
  };
  EXPECT_EQ(find("\xEF\xBB\xBF"
                 "a.img\r\n"),
            Names{"a"});
  EXPECT_EQ(find("  a.img \t\n a.img"), Names{"a"});
  EXPECT_EQ(find(" b .img\n"), Names{" b "});
  HYPERDEFECT_EXPECT_ERROR(find(std::string("a\0.\0i\0", 6)), InputError,
                           "list.txt line 1: holds a NUL byte, which no name can have");
  HYPERDEFECT_EXPECT_ERROR(find("a.img\n" + std::string(4097, 'x')), InputError,
                           "list.txt line 2: is longer than 4096 bytes");
  HYPERDEFECT_EXPECT_ERROR(find(std::string(std::size_t{1} << 22, 'x')), InputError,
                           "list.txt line 1: is longer than 4096 bytes");
  std::string many;
  for (std::size_t line = 0; line <= 1'000'000; ++line) {
    many += "#\n";
  }
  HYPERDEFECT_EXPECT_ERROR(find(many), InputError,
                           "list.txt line 1000001: the list is too long: at most 1000000 lines and 256 MiB");
  HYPERDEFECT_EXPECT_ERROR(names({list_argument(dir.path())}), InputError,
                           "the list of inputs cannot be read");
  EXPECT_EQ(find(std::string(4096, '#') + "\na.img"), Names{"a"});
}

TEST(FindCubes, StopsWhenItIsAskedTo) {
  const TempDir dir;
  for (int i = 0; i < 5; ++i) {
    touch_cube(dir / ("in/" + std::to_string(i) + ".img"));
  }
  write_bytes(dir / "list.txt", "in/0.img\nin/1.img\nin/2.img\nin/3.img\n");
  for (const auto& input : {(dir / "in").string(), (dir / "in/*").string(),
                            (dir / "in/{0,1,2,3}.img").string(), list_argument(dir / "list.txt")}) {
    int asked = 0;
    EXPECT_THROW(find_cubes({input}, [&] { return ++asked > 3; }), Interrupted) << input;
    EXPECT_EQ(asked, 4) << input;
  }
}

TEST(FindCubes, KeepsResultsOfPatternsBelowTheOutput) {
  const TempDir dir;
  touch_cube(dir / "day1/p.img");
  touch_cube(dir / "day2/q.img");
  touch_cube(dir / "x/r.img");
  const auto d = dir.path().string();
  EXPECT_EQ(names({"{" + d + "/day1," + d + "/day2}/*.img"}), (Names{"day1/p", "day2/q"}));
  EXPECT_EQ(names({d + "/day{1,2}/*.img"}), (Names{"day1/p", "day2/q"}));
  EXPECT_EQ(names({d + "/day1/../x/*.img"}), Names{"r"});
  EXPECT_EQ(names({d + "/*/../x/*.img"}), Names{"x/r"});
  EXPECT_EQ(names({d + "/day*/../x/r.img", d + "/x/r.img"}), Names{"x/r"});
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
}  // namespace hyperdefect::files
