// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/reference_names.h"

#include <gtest/gtest.h>

#include "hyperdefect/files/find_cubes.h"
#include "support/envi_files.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

class Beside : public ::testing::Test {
 protected:
  void put(const Names& names) const {
    for (const auto& name : names) {
      test::write_bytes(folder_ / name, "pixels");
      test::write_bytes((folder_ / name).replace_extension(".hdr"), test::RawCube().header());
    }
  }

  static Names names_of(const std::vector<fs::path>& files) {
    Names names;
    for (const auto& file : files) {
      names.push_back(file.filename().string());
    }
    return names;
  }
  Names white(const std::string& cube = "scan.img") const {
    return names_of(references_beside(folder_ / cube).white);
  }
  Names dark(const std::string& cube = "scan.img") const {
    return names_of(references_beside(folder_ / cube).dark);
  }
  Names cubes() const {
    std::vector<fs::path> files;
    for (const auto& cube : find_cubes({folder_.path().string()}).cubes) {
      files.push_back(cube.path);
    }
    return names_of(files);
  }

  test::TempDir folder_;
};

class UsualNames : public Beside, public ::testing::WithParamInterface<const char*> {};

TEST_P(UsualNames, AreFoundAndAreNoCubes) {
  std::string of_dark = GetParam();
  const bool capitals = of_dark.find("WHITE") != std::string::npos;
  const auto place = capitals ? of_dark.find("WHITE") : of_dark.find("hite") - 1;
  const bool capital = of_dark[place] == 'W';
  of_dark.replace(place, 5, capitals ? "DARK" : capital ? "Dark" : "dark");
  put({"scan.img", "other.img", GetParam(), of_dark});
  EXPECT_EQ(white(), Names{GetParam()});
  EXPECT_EQ(dark(), Names{of_dark});
  EXPECT_EQ(cubes(), (Names{"other.img", "scan.img"}));
}

INSTANTIATE_TEST_SUITE_P(Names, UsualNames,
                         ::testing::Values("scan_WHITEREF.img", "WHITEREF_scan.img", "scan_white.img",
                                           "white_scan.img", "scan-White_Reference.img", "White ref scan.img",
                                           "scan.whiteReference.img", "white.img", "WhiteRef.img",
                                           "white_references.img"));

TEST_F(Beside, AreThoseOfTheCubeBeforeThoseOfTheFolder) {
  put({"scan.img", "part.img", "scan_WHITEREF.img", "whiteref.img", "dark.img"});
  EXPECT_EQ(white(), Names{"scan_WHITEREF.img"});
  EXPECT_EQ(dark(), Names{"dark.img"});
  EXPECT_EQ(white("part.img"), Names{"whiteref.img"});
}

TEST_F(Beside, AreAllNamedIfTheNamesDoNotDecide) {
  put({"scan.img", "white_scan.img", "scan_WHITEREF.img"});
  EXPECT_EQ(white(), (Names{"scan_WHITEREF.img", "white_scan.img"}));
}

TEST_F(Beside, AreNotThoseOfOthers) {
  put({"scan.img", "scan_2.img", "scan_2_WHITEREF.img", "WHITEDARKREF_scan.img", "my_scan_white.img"});
  test::write_bytes(folder_ / "scan_WHITEREF.png", "a picture");
  test::write_bytes(folder_ / "white.txt", "notes");
  EXPECT_EQ(white(), Names());
  EXPECT_EQ(dark(), Names());
  EXPECT_EQ(white("scan_2.img"), Names{"scan_2_WHITEREF.img"});
  EXPECT_EQ(cubes(), (Names{"my_scan_white.img", "scan.img", "scan_2.img"}));
}

TEST_F(Beside, AReferenceHasNone) {
  put({"scan.img", "scan_WHITEREF.img", "white.img", "dark.img"});
  for (const auto* reference : {"scan_WHITEREF.img", "white.img", "dark.img"}) {
    EXPECT_EQ(white(reference), Names()) << reference;
    EXPECT_EQ(dark(reference), Names()) << reference;
  }
}

TEST_F(Beside, AreReadFromTheNamesAsTheyMostLikelyAreMeant) {
  put({"white_cup.img", "white_cup_DARKREF.img"});
  EXPECT_EQ(role_of_name(folder_ / "white_cup_DARKREF.img"), FileRole::dark_reference);
  EXPECT_EQ(dark("white_cup.img"), Names{"white_cup_DARKREF.img"});
  EXPECT_EQ(white("white_cup.img"), Names());
}

}  // namespace
}  // namespace hyperdefect::files
