// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detector.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::model {

std::vector<Loss> Detector::losses(const Batch&, at::Generator&) {
  throw Error(text::cat(name(), " is not trained by gradient"));
}

}  // namespace hyperdefect::model
