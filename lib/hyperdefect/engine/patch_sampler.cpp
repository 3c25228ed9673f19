// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/patch_sampler.h"

#include <torch/utils.h>

#include <algorithm>
#include <utility>

#include "hyperdefect/image/crop.h"
#include "hyperdefect/image/dihedral_transform.h"
#include "hyperdefect/image/random_source.h"

namespace hyperdefect::engine {
namespace {

torch::Tensor filled_up(const torch::Tensor& tensor, Size size) {
  return torch::constant_pad_nd(tensor, {0, size.cols - tensor.size(-1), 0, size.rows - tensor.size(-2)}, 0);
}

}  // namespace

PatchSampler::PatchSampler(const detector::Pipeline& detector,
                           std::vector<std::shared_ptr<preprocess::BlockSource>> sources,
                           const model::TrainOptions& options, std::int64_t ram_mb)
    : detector_(detector), sources_(std::move(sources)), options_(options) {
  std::vector<double> pixels;
  std::int64_t values = 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto part = training_part(i);
    patch_.rows = std::max(patch_.rows, std::min(part.rows, options_.patch_px));
    patch_.cols = std::max(patch_.cols, std::min(part.cols, options_.patch_px));
    pixels.push_back(static_cast<double>(part.pixels()));
    values += sources_[i]->size().pixels() * sources_[i]->bands().count;
  }
  weights_ = torch::tensor(pixels, torch::kDouble);
  if (values * static_cast<std::int64_t>(sizeof(float)) <= (ram_mb << 20) / 2) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      cache_.push_back(prepared(i, whole(sources_[i]->size())));
    }
  }
}

Size PatchSampler::training_part(std::size_t source) const {
  const auto size = sources_[source]->size();
  const auto held = static_cast<std::int64_t>(static_cast<double>(size.rows) * options_.holdout_fraction);
  return {std::max<std::int64_t>(1, size.rows - held), size.cols};
}

spectral::Block PatchSampler::prepared(std::size_t source, const Window& window) {
  const torch::NoGradGuard no_gradient;
  if (source < cache_.size()) {
    const auto& cube = cache_[source];
    return {image::crop(cube.values, window), image::crop(cube.valid, window), window, cube.image};
  }
  const auto block = detector_.picker(sources_[source]->bands()).of(sources_[source]->read(window));
  const auto pixels = detector_.preprocessed(block);
  return {detector_.training_input(pixels), pixels.valid(), window, block.image};
}

detector::Batch PatchSampler::draw(at::Generator& generator) {
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> valid;
  const auto chosen = torch::multinomial(weights_, options_.batch, true, generator);
  image::RandomSource random(generator);
  for (std::int64_t i = 0; i < options_.batch; ++i) {
    const auto source = static_cast<std::size_t>(chosen[i].item<std::int64_t>());
    const auto part = training_part(source);
    const Size size{std::min(patch_.rows, part.rows), std::min(patch_.cols, part.cols)};
    const auto row = random.below(part.rows - size.rows + 1);
    const auto col = random.below(part.cols - size.cols + 1);
    const auto turn = options_.augment ? random.below(8) : 0;
    const auto block = prepared(source, {row, col, size.rows, size.cols});
    values.push_back(image::dihedral_transform(filled_up(block.values, patch_), turn));
    valid.push_back(image::dihedral_transform(filled_up(block.valid, patch_), turn));
  }
  return {torch::stack(values), torch::stack(valid)};
}

std::vector<detector::Batch> PatchSampler::held_out() {
  std::vector<detector::Batch> batches;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto size = sources_[i]->size();
    const auto first = training_part(i).rows;
    for (std::int64_t row = first; row < size.rows; row += options_.patch_px) {
      for (std::int64_t col = 0; col < size.cols; col += options_.patch_px) {
        const auto block = prepared(i, clipped({row, col, options_.patch_px, options_.patch_px}, size));
        batches.push_back({block.values.unsqueeze(0), block.valid.unsqueeze(0)});
      }
    }
  }
  return batches;
}

}  // namespace hyperdefect::engine
