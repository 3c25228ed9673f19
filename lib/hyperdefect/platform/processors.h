// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace hyperdefect::platform {

/// How many processors this process may use, at least one: those of its affinity mask (`taskset`, the CPU set
/// of a container), and no more than cpu_quota() pays for; a part of one counts as one. More threads than
/// that wait for each other at every operation.
int usable_processors();

/// The time on processors that control groups grant this process, per time that passes (`docker --cpus`,
/// `CPUQuota` of systemd): the least of its own group and all above it, infinity if none sets a limit.
/// Reads both versions of control groups: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max),
/// https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us).
/// @param membership the file that names the groups of the process, cgroups(7)
/// @param groups where control groups are mounted
double cpu_quota(const std::filesystem::path& membership = "/proc/self/cgroup",
                 const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace hyperdefect::platform
