// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/area_norms.h"

#include "hyperdefect/core/text.h"
#include "hyperdefect/image/area_filter.h"

namespace hyperdefect::detector {

torch::Tensor area_norms(const preprocess::Preprocessed& block, const preprocess::ComponentSpec& spec,
                         const std::vector<std::int64_t>& areas_px, double max_elongation) {
  auto what = text::concat("area norms ", spec.count, ' ', spec.whitening_exponent, ' ', max_elongation);
  for (const auto area : areas_px) {
    what += text::concat(' ', area);
  }
  return block.once(what, [&] {
    const auto components = block.components(spec).to(torch::kCPU).contiguous();
    return image::area_top_hats(components, block.valid().to(torch::kCPU), areas_px, max_elongation)
        .square()
        .sum(1)
        .sqrt();
  });
}

}  // namespace hyperdefect::detector
