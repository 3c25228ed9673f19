// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detectors.h"

#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/area_filter_detector.h"
#include "hyperdefect/model/autoencoder_detector.h"
#include "hyperdefect/model/crd_detector.h"
#include "hyperdefect/model/fused_detector.h"
#include "hyperdefect/model/likelihood_detector.h"
#include "hyperdefect/model/local_rx_detector.h"
#include "hyperdefect/model/rx_detector.h"
#include "hyperdefect/model/segmenter_detector.h"

namespace hyperdefect::model {
namespace {

struct Entry {
  const char* name;
  std::shared_ptr<Detector> (*make)(const DetectorOptions&, const spectral::Bands&);
};

template <class Made>
std::shared_ptr<Detector> make(const DetectorOptions& options, const spectral::Bands& bands) {
  return std::make_shared<Made>(options, bands);
}

constexpr std::array kDetectors{Entry{"autoencoder", make<AutoencoderDetector>},
                                Entry{"segmenter", make<SegmenterDetector>},
                                Entry{"likelihood", make<LikelihoodDetector>},
                                Entry{"rx", make<RxDetector>},
                                Entry{"area_filter", make<AreaFilterDetector>},
                                Entry{"local_rx", make<LocalRxDetector>},
                                Entry{"crd", make<CrdDetector>},
                                Entry{"fused", make<FusedDetector>}};

}  // namespace

std::shared_ptr<Detector> make_detector(const DetectorOptions& options, const spectral::Bands& bands) {
  for (const auto& entry : kDetectors) {
    if (options.model.detector == entry.name) {
      return entry.make(options, bands);
    }
  }
  throw ConfigError(text::cat("model.detector: '", options.model.detector, "' is unknown"));
}

}  // namespace hyperdefect::model
