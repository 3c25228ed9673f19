// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detectors.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

TEST(MakeDetector, MakesWhatTheOptionsName) {
  auto options = test::tiny_options();
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "AutoencoderDetector");
  options.model.detector = "likelihood";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "LikelihoodDetector");
  options.model.detector = "rx";
  const auto rx = make_detector(options, test::regular_bands(6));
  EXPECT_EQ(rx->name(), "RxDetector");
  EXPECT_EQ(rx->bands(), test::regular_bands(6));
  options.model.detector = "segmenter";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "SegmenterDetector");
  options.model.detector = "fused";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "FusedDetector");
  options.model.detector = "area_filter";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "AreaFilterDetector");
  options.model.detector = "local_rx";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "LocalRxDetector");
  options.model.detector = "crd";
  EXPECT_EQ(make_detector(options, test::regular_bands(6))->name(), "CrdDetector");
}

TEST(MakeDetector, RefusesUnknownNames) {
  auto options = test::tiny_options();
  options.model.detector = "magic";
  HYPERDEFECT_EXPECT_ERROR(make_detector(options, test::regular_bands(6)), ConfigError,
                           "model.detector: 'magic' is unknown");
}

}  // namespace
}  // namespace hyperdefect::model
