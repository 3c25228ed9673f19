// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/preprocess/block_source.h"
#include "hyperdefect/preprocess/preprocess_options.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

/// Which pixels a fit leaves out because a value lies far outside the usual range of its band
/// (spectral::usual_range): they are no part of the statistics, patches, calibration and threshold of any
/// detector, and are counted. A detector that is fitted to a scene still scores them.
///
///     const auto extremes = ExtremePixels::leave_out(job.sources, detector.bands(), options);
///     ... read all of job.sources ...
///     extremes->warn();
class ExtremePixels {
 public:
  /// Measures the usual range of the bands over all sources and puts sources into their places in which
  /// extreme pixels are not valid. If they are more than a tenth of the sample, something else is wrong: a
  /// warning says so, and the sources stay as they are.
  /// @throws InputError if a source cannot be read, ModelError if its bands do not match.
  static std::shared_ptr<ExtremePixels> leave_out(std::vector<std::shared_ptr<BlockSource>>& sources,
                                                  const spectral::Bands& bands,
                                                  const PreprocessOptions& options);

  /// The valid pixels that were read, and how many of them were left out.
  std::int64_t pixels() const { return pixels_; }
  std::int64_t left_out() const { return left_out_; }
  /// One line in the log that counts what was left out and names the most extreme value; none if nothing
  /// was.
  void warn() const;

  /// A value that is far from the others.
  struct Example {
    double value = 0.0;
    std::int64_t band = 0;
    std::int64_t row = 0;
    std::int64_t col = 0;
    std::string cube;

    std::string words() const;
  };
  /// Counts so many valid pixels, of which so many are left out.
  void count(std::int64_t pixels, std::int64_t left_out);
  /// Keeps it if it is farther from 0 than those before.
  void remember(const Example& example);

 private:
  std::int64_t pixels_ = 0;
  std::int64_t left_out_ = 0;
  Example worst_;
};

}  // namespace hyperdefect::preprocess
