// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/region_reader.h"

#include <gtest/gtest.h>
#include <ogr_spatialref.h>

#include <string>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/mask_writer.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;

std::string wkt_of(int epsg) {
  OGRSpatialReference crs;
  crs.importFromEPSG(epsg);
  char* text = nullptr;
  crs.exportToWkt(&text);
  std::string wkt = text;
  CPLFree(text);
  return wkt;
}

/// 10 x 8 pixels.
format::CubeInfo image() {
  format::CubeInfo info;
  info.path = "scan.img";
  info.rows = 10;
  info.cols = 8;
  return info;
}

std::string geojson(const std::string& geometry) {
  return R"({"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":)" +
         geometry + "}]}";
}

std::string box(double left, double top, double right, double bottom) {
  const auto point = [](double x, double y) {
    return "[" + std::to_string(x) + "," + std::to_string(y) + "]";
  };
  return R"({"type":"Polygon","coordinates":[[)" + point(left, top) + "," + point(right, top) + "," +
         point(right, bottom) + "," + point(left, bottom) + "," + point(left, top) + "]]}";
}

class ReadRegion : public ::testing::Test {
 protected:
  torch::Tensor of(const std::string& text, const format::CubeInfo& cube = image()) const {
    test::write_bytes(folder_ / "region.geojson", text);
    check_region_file(folder_ / "region.geojson");
    return read_region(folder_ / "region.geojson", cube);
  }

  TempDir folder_;
};

torch::Tensor rectangle(Window window) {
  auto region = torch::zeros({10, 8}, torch::kBool);
  region.slice(0, window.row, window.end_row()).slice(1, window.col, window.end_col()).fill_(true);
  return region;
}

TEST_F(ReadRegion, TakesPixelCoordinatesWithoutAGeoreference) {
  EXPECT_TRUE(of(geojson(box(2, 1, 5, 7))).equal(rectangle({1, 2, 6, 3})));
  // The centres of column 1 and row 0 lie outside.
  EXPECT_TRUE(of(geojson(box(1.6, 0.6, 5, 7))).equal(rectangle({1, 2, 6, 3})));
  EXPECT_TRUE(of(geojson(box(-100, -100, 100, 100))).all().item<bool>());
}

TEST_F(ReadRegion, JoinsPolygonsAndLeavesTheirHolesOut) {
  const std::string with_hole =
      R"({"type":"MultiPolygon","coordinates":[[[[0,0],[6,0],[6,6],[0,6],[0,0]],[[2,2],[4,2],[4,4],[2,4],[2,2]]],)"
      R"([[[7,9],[8,9],[8,10],[7,10],[7,9]]]]})";
  auto expected = rectangle({0, 0, 6, 6});
  expected.slice(0, 2, 4).slice(1, 2, 4).fill_(false);
  expected[9][7] = true;
  EXPECT_TRUE(of(geojson(with_hole)).equal(expected));
}

/// 0.001 degrees a pixel, north up, from 10 E 50 N.
TEST_F(ReadRegion, TakesCoordinatesOfTheCrs) {
  auto cube = image();
  cube.georeference.wkt = wkt_of(4326);
  cube.georeference.transform = {10, 0.001, 0, 50, 0, -0.001};
  EXPECT_TRUE(of(geojson(box(10.002, 49.999, 10.005, 49.993)), cube).equal(rectangle({1, 2, 6, 3})));
}

TEST_F(ReadRegion, TransformsToTheCrsOfTheImage) {
  auto cube = image();
  cube.georeference.wkt = wkt_of(3857);
  cube.georeference.transform = {1113194.9, 100, 0, 6446275.8, 0, -100};  // 10 E 50 N, spherical Mercator
  const auto region = of(geojson(box(9.9, 50.1, 10.0045, 49.9)), cube);
  EXPECT_TRUE(region.equal(rectangle({0, 0, 10, 5})));
}

TEST_F(ReadRegion, TakesAnImageWithoutACrsByItsTransform) {
  auto cube = image();
  cube.georeference.transform = {100, 2, 0, 50, 0, -2};
  EXPECT_TRUE(of(geojson(box(104, 48, 110, 36)), cube).equal(rectangle({1, 2, 6, 3})));
}

TEST_F(ReadRegion, RefusesControlPointsAlone) {
  auto cube = image();
  cube.georeference.gcps.resize(4);
  HYPERDEFECT_EXPECT_ERROR(of(geojson(box(0, 0, 1, 1)), cube), InputError,
                           "scan.img: only control points say where it lies");
}

TEST_F(ReadRegion, SaysWherePolygonsLieThatMissTheImage) {
  HYPERDEFECT_EXPECT_ERROR(
      of(geojson(box(20, 1, 25, 7))), InputError,
      "region.geojson: no pixel of scan.img lies in its polygons: the polygons cover x 20 to "
      "25, y 1 to 7, the image x 0 to 8, y 0 to 10");
}

TEST_F(ReadRegion, RefusesWhatEnclosesNothing) {
  HYPERDEFECT_EXPECT_ERROR(of(geojson(R"({"type":"Point","coordinates":[1,2]})")), InputError,
                           "region.geojson: holds a POINT, which encloses nothing");
  HYPERDEFECT_EXPECT_ERROR(of(R"({"type":"FeatureCollection","features":[]})"), InputError,
                           "region.geojson: ");
}

TEST_F(ReadRegion, RefusesWhatIsNeitherShapesNorAnImage) {
  HYPERDEFECT_EXPECT_ERROR(of("no region"), InputError, "region.geojson: the mask cannot be read: ");
}

TEST_F(ReadRegion, TakesTheMaskPixelsThatAreNotZero) {
  write_mask(folder_ / "mask.png", rectangle({1, 2, 6, 3}));
  check_region_file(folder_ / "mask.png");
  EXPECT_TRUE(read_region(folder_ / "mask.png", image()).equal(rectangle({1, 2, 6, 3})));
}

TEST_F(ReadRegion, RefusesAMaskOfAnotherSizeOrWithoutAPixel) {
  write_mask(folder_ / "mask.png", torch::ones({3, 4}, torch::kBool));
  HYPERDEFECT_EXPECT_ERROR(read_region(folder_ / "mask.png", image()), InputError,
                           "mask.png has 3 x 4 pixels (rows x cols), but scan.img has 10 x 8");
  write_mask(folder_ / "mask.png", torch::zeros({10, 8}, torch::kBool));
  HYPERDEFECT_EXPECT_ERROR(read_region(folder_ / "mask.png", image()), InputError,
                           "mask.png: the mask marks no pixel");
}

}  // namespace
}  // namespace hyperdefect::io
