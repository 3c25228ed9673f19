// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All of the program, in the library that main() loads. C linkage gives it a name that can be looked up.
/// Returns the exit code.
extern "C" int hyperdefect_run(int argc, const char* const* argv);
