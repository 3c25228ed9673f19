// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "hyperdefect/core/error.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/io/mask_reader.h"
#include "support/expect_error.h"
#include "support/test_data.h"

namespace hyperdefect::io {
namespace {

using test::data_dir;

std::size_t cubes_in(const std::string& folder) {
  return files::find_cubes({(data_dir() / folder).string()}).cubes.size();
}

/// Rows, cols, bands, data type and interleave in one line.
std::string described(const format::CubeInfo& info) {
  return std::to_string(info.rows) + "x" + std::to_string(info.cols) + "x" +
         std::to_string(info.bands.count) + " " + info.data_type + " " + format::to_string(info.interleave);
}

format::CubeInfo info_of(const std::string& file) {
  return format::read_cube_info(data_dir() / file);
}

TEST(RealData, EveryFolderHoldsTheCubesItNames) {
  HYPERDEFECT_NEEDS_DATA();
  EXPECT_EQ(cubes_in("scenes"), 10U);
  EXPECT_EQ(cubes_in("wafer"), 11U);
  EXPECT_EQ(cubes_in("implants"), 12U);
  EXPECT_EQ(cubes_in("calibration"), 1U);
  EXPECT_EQ(cubes_in("spaceborne"), 4U);
  // One of them has an ESRI header: it is found, so that a run names it.
  EXPECT_EQ(cubes_in("envi"), 11U);
  HYPERDEFECT_EXPECT_ERROR(cubes_in("libraries"), InputError, "the folder holds no cube");
}

TEST(RealData, EveryCubeIsReadWhole) {
  HYPERDEFECT_NEEDS_DATA();
  for (const auto* folder : {"scenes", "wafer", "calibration", "spaceborne", "envi"}) {
    for (const auto& input : files::find_cubes({(data_dir() / folder).string()}).cubes) {
      if (input.path.stem() == "ort_img") {
        HYPERDEFECT_EXPECT_ERROR(format::read_cube_info(input.path), InputError, "is an ESRI header");
        continue;
      }
      CubeReader reader(format::read_cube_info(input.path));
      const auto block = reader.read(whole(reader.info().size()));
      const auto pixels = block.values.flatten(1).index_select(1, block.valid.flatten().nonzero().squeeze(1));
      EXPECT_TRUE(pixels.isfinite().all().item<bool>()) << input.path;
      const Window middle{block.image.rows / 2, block.image.cols / 2, 1, 1};
      EXPECT_TRUE(torch::allclose(reader.read(middle).values, image::crop(block.values, middle), 0, 0, true))
          << input.path;
      EXPECT_GT(block.valid.sum().item<std::int64_t>(), block.valid.numel() / 2) << input.path;
    }
  }
}

TEST(RealData, ScenesAreWhatTheirTableSays) {
  HYPERDEFECT_NEEDS_DATA();
  const std::map<std::string, std::string> table{
      {"abu-airport-2.img", "100x100x205 uint16 bip"}, {"abu-airport-4.bil", "100x100x191 uint16 bil"},
      {"abu-beach-1.img", "150x150x188 int16 bsq"},    {"abu-beach-3.tif", "100x100x188 int16 bip"},
      {"abu-urban-3.tif", "100x100x191 uint16 bsq"},   {"pavia-bridge.img", "100x100x102 float32 bsq"},
      {"hydice-urban.img", "80x100x175 uint16 bip"}};
  for (const auto& [file, line] : table) {
    EXPECT_EQ(described(info_of("scenes/" + file)), line) << file;
  }
  EXPECT_EQ(read_mask(data_dir() / "scenes/hydice-urban_mask.png").sum().item<std::int64_t>(), 21);
  EXPECT_EQ(read_mask(data_dir() / "scenes/abu-airport-2_mask.png").sum().item<std::int64_t>(), 87);
}

TEST(RealData, HeadersFromTheWildAreUnderstood) {
  HYPERDEFECT_NEEDS_DATA();
  const auto jasper = info_of("envi/jasperRidge2_R198.img");
  EXPECT_EQ(jasper.scale, std::vector<double>(198, 1e-4));
  EXPECT_DOUBLE_EQ(jasper.bands.wavelengths_nm[0], 399.369995);
  EXPECT_EQ(jasper.bands.fwhm_nm.size(), 198U);
  EXPECT_EQ(info_of("envi/samson_1.img").header.filename(), "samson_1.img.hdr");
  EXPECT_EQ(described(info_of("envi/cubus_gamsberg_subset")), "25x10x189 float32 bsq");
  const auto hymap = info_of("envi/hymap_10x7");
  EXPECT_DOUBLE_EQ(hymap.bands.wavelengths_nm[0], 460);
  EXPECT_TRUE(hymap.georeference.transform.has_value());
  EXPECT_EQ(info_of("envi/envi_wl_fwhm.bsq").bands,
            (spectral::Bands{2, {400, 500}, {10, 20}, {false, true}}));
  EXPECT_EQ(info_of("envi/envi_wl_implicit_nm.bsq").bands.wavelengths_nm, (std::vector<double>{400, 500}));
  EXPECT_EQ(info_of("envi/envi_wl_implicit_um.bsq").bands.wavelengths_nm, (std::vector<double>{400, 500}));
  EXPECT_EQ(described(info_of("envi/plantcv_darkReference")), "1x1600x978 uint16 bil");
  EXPECT_EQ(described(info_of("envi/fenix_Radiometric_8x2.dat")), "1x384x363 float32 bil");
  EXPECT_TRUE(info_of("envi/misi_board5_16band_noise_sub.img").bands.wavelengths_nm.empty());
  EXPECT_TRUE(info_of("envi/toy_4band.bil").georeference.transform.has_value());
  EXPECT_EQ(described(info_of("calibration/corn_kernel.raw")), "31x43x580 uint16 bil");
}

TEST(RealData, WhatIsNoCubeIsRefusedForItsReason) {
  HYPERDEFECT_NEEDS_DATA();
  HYPERDEFECT_EXPECT_ERROR(info_of("envi/rit_thor_classmap.img"), InputError,
                           "is a classification map, not a cube");
  HYPERDEFECT_EXPECT_ERROR(info_of("envi/aviris_tiny_scene/ort_img"), InputError,
                           "is an ESRI header, not an ENVI");
  HYPERDEFECT_EXPECT_ERROR(info_of("envi/aviris_tiny_scene/ort_img.hdr"), InputError, "is an ESRI header");
  for (const auto* file :
       {"roberts2017_urban.sli", "gamsberg_field_library", "SLI-N-1.sli", "speclib_small.hdr"}) {
    HYPERDEFECT_EXPECT_ERROR(info_of(std::string("libraries/") + file), InputError,
                             "is a spectral library, not a cube");
  }
}

TEST(RealData, BigEndianCubesHaveTheValuesOfTheirBytes) {
  HYPERDEFECT_NEEDS_DATA();
  CubeReader reader(info_of("scenes/hydice-urban.img"));
  const auto block = reader.read({40, 50, 1, 1});
  std::FILE* file = std::fopen((data_dir() / "scenes/hydice-urban.img").c_str(), "rb");
  unsigned char bytes[2];
  std::fseek(file, ((40 * 100 + 50) * 175 + 17) * 2, SEEK_SET);
  ASSERT_EQ(std::fread(bytes, 1, 2, file), 2U);
  std::fclose(file);
  EXPECT_EQ(block.values[17][0][0].item<float>(), bytes[0] * 256 + bytes[1]);
}

TEST(RealData, SatelliteTilesAreScaledAndLoseOnlyTheirBadBands) {
  HYPERDEFECT_NEEDS_DATA();
  CubeReader reader(info_of("spaceborne/enmap_potsdam_tile_96_0.tif"));
  const auto& info = reader.info();
  EXPECT_EQ(described(info), "32x32x224 float32 bsq");
  EXPECT_EQ(info.no_data, -32768);
  EXPECT_NEAR(info.bands.wavelengths_nm[0], 418.24, 1e-9);
  EXPECT_EQ(std::count(info.bands.good.begin(), info.bands.good.end(), false), 6);
  const auto block = reader.read(whole(info.size()));
  EXPECT_TRUE(block.valid.all().item<bool>());
  const auto reflectance = block.values[0].mean().item<float>();
  EXPECT_GT(reflectance, 0.01F);
  EXPECT_LT(reflectance, 1.0F);
}

}  // namespace
}  // namespace hyperdefect::io
