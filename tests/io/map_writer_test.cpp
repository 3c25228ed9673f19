// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/map_writer.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/io/map_reader.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"
#include "support/tiff_files.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;

torch::Tensor noise(std::int64_t rows, std::int64_t cols) {
  torch::manual_seed(7);
  return torch::randn({rows, cols});
}

/// While it lives, files of this process cannot grow beyond the limit: the disk seems full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST(WriteMap, IsReadBackWithNanWhereThereIsNoData) {
  const TempDir dir;
  auto map = noise(300, 70);
  map[5][6] = std::numeric_limits<float>::quiet_NaN();
  write_map(dir / "a_score.tif", map, {}, {}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(read_map(dir / "a_score.tif").nan_to_num(99).equal(map.nan_to_num(99)));

  const auto flags = torch::tensor({{0, 1, 255}, {1, 0, 0}}, torch::kUInt8);
  write_map(dir / "a_defects.tif", flags, {}, {}, 255.0);
  const auto read = read_map(dir / "a_defects.tif");
  EXPECT_EQ(read[0][1].item<float>(), 1);
  EXPECT_TRUE(read[0][2].isnan().item<bool>());
}

TEST(WriteMap, IsATiledDeflatedTiffWithTags) {
  const TempDir dir;
  write_map(dir / "a.tif", noise(300, 300), {}, {{"threshold", "3.5"}, {"model", "0f"}}, std::nullopt);
  auto* dataset = static_cast<GDALDataset*>(GDALOpen((dir / "a.tif").c_str(), GA_ReadOnly));
  EXPECT_STREQ(dataset->GetMetadataItem("threshold"), "3.5");
  EXPECT_STREQ(dataset->GetMetadataItem("model"), "0f");
  EXPECT_STREQ(dataset->GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
  EXPECT_STREQ(dataset->GetMetadataItem("PREDICTOR", "IMAGE_STRUCTURE"), "3");
  int cols = 0;
  int rows = 0;
  dataset->GetRasterBand(1)->GetBlockSize(&cols, &rows);
  GDALClose(dataset);
  EXPECT_EQ(cols, 256);
  EXPECT_EQ(rows, 256);
}

TEST(WriteMap, CarriesTheGeoreferenceAndInventsNone) {
  const TempDir dir;
  OGRSpatialReference crs;
  crs.importFromEPSG(32633);
  char* wkt = nullptr;
  crs.exportToWkt(&wkt);
  format::Georeference utm;
  utm.wkt = wkt;
  CPLFree(wkt);
  utm.transform = {500000, 30, 1, 5800000, 2, -30};
  write_map(dir / "utm.tif", noise(4, 5), utm, {}, std::nullopt);
  EXPECT_EQ(format::read_cube_info(dir / "utm.tif").georeference, utm);

  format::Georeference points;
  points.gcp_wkt = utm.wkt;
  points.gcps = {{"1", 0, 0, 10, 50, 0}, {"2", 5, 0, 11, 50, 0}, {"3", 0, 4, 10, 49, 2}};
  write_map(dir / "points.tif", noise(4, 5), points, {}, std::nullopt);
  EXPECT_EQ(format::read_cube_info(dir / "points.tif").georeference, points);

  write_map(dir / "plain.tif", noise(4, 5), {}, {}, std::nullopt);
  EXPECT_TRUE(format::read_cube_info(dir / "plain.tif").georeference.empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 3);
}

TEST(WriteMap, WritesTheSameBytesForTheSameMap) {
  const TempDir dir;
  write_map(dir / "a.tif", noise(50, 60), {}, {{"a", "b"}}, 0.0);
  write_map(dir / "b.tif", noise(50, 60), {}, {{"a", "b"}}, 0.0);
  EXPECT_EQ(test::read_bytes(dir / "a.tif"), test::read_bytes(dir / "b.tif"));
}

TEST(WriteMap, LeavesNothingBehindOnAFullDisk) {
  const TempDir dir;
  write_map(dir / "a.tif", torch::zeros({2, 2}), {}, {}, std::nullopt);
  const auto before = test::read_bytes(dir / "a.tif");
  testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(4096);
    HYPERDEFECT_EXPECT_ERROR(write_map(dir / "a.tif", noise(200, 200), {}, {}, std::nullopt), Error,
                             "a.tif: ");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(test::read_bytes(dir / "a.tif"), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(WriteMap, RefusesWhatIsNoMap) {
  const TempDir dir;
  EXPECT_THROW(write_map(dir / "a.tif", torch::zeros({2, 2, 2}), {}, {}, std::nullopt), c10::Error);
  EXPECT_THROW(write_map(dir / "a.tif", torch::zeros({2, 2}, torch::kInt64), {}, {}, std::nullopt),
               c10::Error);
  HYPERDEFECT_EXPECT_ERROR(write_map(dir / "no" / "a.tif", noise(2, 2), {}, {}, std::nullopt), Error,
                           "cannot write ");
}

TEST(ReadMap, RefusesWhatIsNoMap) {
  const TempDir dir;
  test::write_tiff_cube(dir / "cube.tif", {}, [](int, int, int) { return 1.0; });
  HYPERDEFECT_EXPECT_ERROR(read_map(dir / "cube.tif"), InputError,
                           "cube.tif: a map has one band, but this file has 3");
  HYPERDEFECT_EXPECT_ERROR(read_map(dir / "no.tif"), InputError, "no.tif: the map cannot be read: ");
}

}  // namespace
}  // namespace hyperdefect::io
