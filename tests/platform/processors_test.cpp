// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/platform/processors.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "support/temp_dir.h"

namespace hyperdefect::platform {
namespace {

/// A tree of control groups, as the kernel would show it.
class CpuQuota : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    test::write_bytes(folder_ / name, text);
  }

  double quota_of(const std::string& membership) const {
    write("membership", membership);
    return cpu_quota(folder_ / "membership", folder_ / "groups");
  }

  test::TempDir folder_;
};

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

TEST_F(CpuQuota, IsUnlimitedWhereNothingIsMounted) {
  EXPECT_EQ(quota_of("0::/\n"), kNoLimit);
  EXPECT_EQ(quota_of(""), kNoLimit);
  EXPECT_EQ(cpu_quota(folder_ / "none", folder_ / "groups"), kNoLimit);
}

TEST_F(CpuQuota, IsUnlimitedWhereTheGroupsSaySo) {
  write("groups/cpu.max", "max 100000\n");
  EXPECT_EQ(quota_of("0::/\n"), kNoLimit);
  write("groups/cpu/cpu.cfs_quota_us", "-1\n");
  write("groups/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota_of("3:cpu:/\n"), kNoLimit);
}

TEST_F(CpuQuota, OfAContainer) {
  write("groups/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(quota_of("0::/\n"), 1.5);
  EXPECT_DOUBLE_EQ(quota_of("0::/docker/0123\n"), 1.5) << "the path of the host is not mounted";
}

TEST_F(CpuQuota, IsTheLeastOfTheGroupAndThoseAboveIt) {
  write("groups/system.slice/cpu.max", "300000 100000\n");
  write("groups/system.slice/scoring.service/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(quota_of("0::/system.slice/scoring.service\n"), 3);
  write("groups/system.slice/scoring.service/cpu.max", "50000 50000\n");
  EXPECT_DOUBLE_EQ(quota_of("0::/system.slice/scoring.service\n"), 1);
  EXPECT_EQ(quota_of("0::/user.slice\n"), kNoLimit) << "those beside it do not count";
}

TEST_F(CpuQuota, OfVersion1) {
  write("groups/cpu/batch/cpu.cfs_quota_us", "400000\n");
  write("groups/cpu/batch/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota_of("5:memory:/batch\n4:cpu,cpuacct:/batch\n0::/\n"), 4);
  EXPECT_EQ(quota_of("5:memory:/batch\n4:cpuset:/batch\n3:cpuacct:/batch\n"), kNoLimit);
}

}  // namespace
}  // namespace hyperdefect::platform
