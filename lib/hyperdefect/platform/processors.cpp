// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/platform/processors.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace hyperdefect::platform {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// A limit is written as two times in microseconds; "max" or -1 as the first sets none.
double granted(std::istream& quota_us, std::istream& period_us) {
  double quota = 0;
  double period = 0;
  return quota_us >> quota && period_us >> period && quota > 0 && period > 0 ? quota / period : kNoLimit;
}

double granted_by(const std::filesystem::path& group) {
  std::ifstream version_2(group / "cpu.max");
  std::ifstream quota_us(group / "cpu.cfs_quota_us");
  std::ifstream period_us(group / "cpu.cfs_period_us");
  return std::min(granted(version_2, version_2), granted(quota_us, period_us));
}

int processors_of_affinity() {
#ifdef __linux__
  ::cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    return CPU_COUNT(&set);
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int usable_processors() {
  return static_cast<int>(std::max(1.0, std::min<double>(processors_of_affinity(), std::ceil(cpu_quota()))));
}

double cpu_quota(const std::filesystem::path& membership, const std::filesystem::path& groups) {
  std::ifstream lines(membership);
  std::string id;
  std::string controllers;
  std::string path;
  double least = kNoLimit;
  while (std::getline(lines, id, ':') && std::getline(lines, controllers, ':') && std::getline(lines, path)) {
    // Version 2 names no controllers; in version 1 "cpu" may stand beside others.
    const bool limits_time = (',' + controllers + ',').find(",cpu,") != std::string::npos;
    if (!controllers.empty() && !limits_time) {
      continue;
    }
    const auto mounted = controllers.empty() ? groups : groups / "cpu";
    // In a container the path may be the host's, of which only the end, the container's own group, is
    // mounted: groups that are not there set no limit.
    for (auto group = std::filesystem::path(path).relative_path();; group = group.parent_path()) {
      least = std::min(least, granted_by(mounted / group));
      if (group.empty()) {
        break;
      }
    }
  }
  return least;
}

}  // namespace hyperdefect::platform
