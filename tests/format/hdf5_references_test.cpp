// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/hdf5_references.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/format/cube_info.h"
#include "support/array_files.h"
#include "support/envi_files.h"
#include "support/expect_error.h"

namespace hyperdefect::format {
namespace {

using test::TempDir;
using test::write_bytes;

constexpr std::array<hsize_t, 3> kSizes{2, 2, 2};

hid_t create_file(const std::filesystem::path& path) {
  return H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/// A dataset of eight float32 values in this place, with these properties of its storage.
void create_dataset(hid_t place, const char* name, hid_t properties) {
  const auto space = H5Screate_simple(kSizes.size(), kSizes.data(), nullptr);
  const auto dataset = H5Dcreate2(place, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

void write_external(const std::filesystem::path& path, bool in_group) {
  const auto file = create_file(path);
  const auto properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(properties, "secret.raw", 0, 32);
  if (in_group) {
    const auto group = H5Gcreate2(file, "inner", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    create_dataset(group, "cube", properties);
    H5Gclose(group);
  } else {
    create_dataset(file, "cube", properties);
  }
  H5Pclose(properties);
  H5Fclose(file);
}

void write_virtual(const std::filesystem::path& path, const char* source) {
  const auto file = create_file(path);
  create_dataset(file, "values", H5P_DEFAULT);
  const auto properties = H5Pcreate(H5P_DATASET_CREATE);
  const auto space = H5Screate_simple(kSizes.size(), kSizes.data(), nullptr);
  H5Pset_virtual(properties, space, source, "/values", space);
  create_dataset(file, "cube", properties);
  H5Sclose(space);
  H5Pclose(properties);
  H5Fclose(file);
}

void write_link(const std::filesystem::path& path) {
  const auto file = create_file(path);
  H5Lcreate_external("secret.h5", "/cube", file, "cube", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
}

/// Groups that hold each other, and a link that leads nowhere.
void write_rings(const std::filesystem::path& path) {
  const auto file = create_file(path);
  const auto group = H5Gcreate2(file, "ring", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(file, "/", group, "root", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/nowhere", group, "dangling", H5P_DEFAULT, H5P_DEFAULT);
  create_dataset(group, "cube", H5P_DEFAULT);
  H5Gclose(group);
  H5Fclose(file);
}

TEST(Hdf5References, AreFound) {
  const TempDir dir;
  write_external(dir / "external.h5", false);
  write_external(dir / "inner.h5", true);
  write_virtual(dir / "virtual.h5", "secret.h5");
  write_link(dir / "link.h5");
  EXPECT_EQ(reference_out_of_hdf5(dir / "external.h5"),
            "its dataset '/cube' keeps its values in another file, 'secret.raw'");
  EXPECT_EQ(reference_out_of_hdf5(dir / "inner.h5"),
            "its dataset '/inner/cube' keeps its values in another file, 'secret.raw'");
  EXPECT_EQ(reference_out_of_hdf5(dir / "virtual.h5"),
            "its dataset '/cube' takes its values from another file, 'secret.h5'");
  EXPECT_EQ(reference_out_of_hdf5(dir / "link.h5"), "its link '/cube' leads into another file, 'secret.h5'");
}

TEST(Hdf5References, WithinTheFileAreNone) {
  const TempDir dir;
  write_virtual(dir / "own.h5", ".");
  write_rings(dir / "rings.h5");
  test::write_arrays(dir / "netcdf.nc", {{"y", 2}, {"x", 2}}, {{"a", {"y", "x"}, {1, 2, 3, 4}}});
  for (const auto* name : {"own.h5", "rings.h5", "netcdf.nc"}) {
    EXPECT_EQ(reference_out_of_hdf5(dir / name), "") << name;
  }
}

TEST(Hdf5References, OfADamagedFileAreRefusedWithoutNoise) {
  const TempDir dir;
  write_bytes(dir / "damaged.h5", "\x89HDF\r\n\x1A\n and no more");
  testing::internal::CaptureStderr();
  HYPERDEFECT_EXPECT_ERROR(reference_out_of_hdf5(dir / "damaged.h5"), InputError, "it is damaged or cut off");
  HYPERDEFECT_EXPECT_ERROR(
      read_cube_info(dir / "damaged.h5"), InputError,
      "damaged.h5: is HDF5 by its content, but cannot be read: the HDF5 library cannot read it: it "
      "is damaged or cut off; copy or record it again");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Hdf5FillValue, IsTheOneThatTheWriterChose) {
  const TempDir dir;
  const auto file = create_file(dir / "scan.h5");
  create_dataset(file, "plain", H5P_DEFAULT);
  const auto properties = H5Pcreate(H5P_DATASET_CREATE);
  const float fill = -9999;
  H5Pset_fill_value(properties, H5T_NATIVE_FLOAT, &fill);
  create_dataset(file, "filled", properties);
  H5Pclose(properties);
  H5Fclose(file);
  EXPECT_EQ(fill_value_of_hdf5(dir / "scan.h5", "/plain"), std::nullopt);
  EXPECT_EQ(fill_value_of_hdf5(dir / "scan.h5", "/filled"), -9999);
  EXPECT_EQ(fill_value_of_hdf5(dir / "scan.h5", "/none"), std::nullopt);
}

/// No byte of the other file is read, whatever the extension says.
TEST(Hdf5References, AreOpenedOnlyForWhoTrustsThem) {
  const TempDir dir;
  write_bytes(dir / "secret.raw", std::string(32, 'x'));
  for (const auto* name : {"scan.h5", "scan.nc", "scan.tif"}) {
    write_external(dir / name, false);
    HYPERDEFECT_EXPECT_ERROR(
        read_cube_info(dir / name), InputError,
        ": is HDF5 by its content, but cannot be read: its dataset '/cube' keeps its values in another file, "
        "'secret.raw', which is not opened; if you trust the file, allow it with data.drivers=[HDF5]");
  }
  ReadOptions trusting;
  trusting.drivers = {"hdf5"};
  const auto message = test::message_of<InputError>([&] { read_cube_info(dir / "scan.h5", trusting); });
  EXPECT_EQ(message.find("is not opened"), std::string::npos) << message;
}

}  // namespace
}  // namespace hyperdefect::format
