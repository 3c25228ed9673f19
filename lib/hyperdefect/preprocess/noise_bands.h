// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/preprocess/block_source.h"
#include "hyperdefect/preprocess/preprocess_options.h"

namespace hyperdefect::preprocess {

/// "3, 7 to 12": ascending numbers in short.
std::string listed(const std::vector<std::int64_t>& numbers);

/// The options with the bands that hold more noise than options.max_noise_fraction added to drop_bands, and a
/// line in the log that names them. The noise is measured on sample_tiles() of all sources; bands are counted
/// as in the first source. Nothing is left out if half of the bands or more are mostly noise: what is the
/// same everywhere has nothing else to show, and a defect in it may appear in any band. A source whose bands
/// do not match those of the first is not looked at.
/// @throws InputError if a source cannot be read, or none of its bands is in use.
PreprocessOptions without_noise_bands(PreprocessOptions options,
                                      const std::vector<std::shared_ptr<BlockSource>>& sources);

}  // namespace hyperdefect::preprocess
