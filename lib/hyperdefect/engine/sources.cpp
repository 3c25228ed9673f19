// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/sources.h"

#include <utility>

#include "hyperdefect/io/cube_info.h"
#include "hyperdefect/spectral/image_part.h"

namespace hyperdefect::engine {

io::ReadOptions read_options(const DataOptions& options) {
  io::ReadOptions read;
  if (!options.no_data.empty()) {
    read.no_data = options.no_data.front();
  }
  if (!options.saturation.empty()) {
    read.saturation = options.saturation.front();
  }
  read.apply_scale = options.apply_scale;
  read.zero_is_invalid = options.zero_is_invalid;
  read.wavelength_unit = options.wavelength_unit;
  read.drivers = options.drivers;
  return read;
}

CubeSource::CubeSource(const std::filesystem::path& file, const DataOptions& options)
    : reader_(io::read_cube_info(file, read_options(options)), read_options(options)) {}

std::string CubeSource::name() const {
  return info().path.string();
}
Size CubeSource::size() const {
  return {info().rows, info().cols};
}
const spectral::Bands& CubeSource::bands() const {
  return info().bands;
}
spectral::Block CubeSource::read(const Window& window) {
  return reader_.read(window);
}

MemorySource::MemorySource(model::BlockSource& source) : name_(source.name()), bands_(source.bands()) {
  auto block = source.read(whole(source.size()));
  values_ = std::move(block.values);
  valid_ = std::move(block.valid);
}

MemorySource::MemorySource(std::string name, spectral::Bands bands, torch::Tensor values, torch::Tensor valid)
    : name_(std::move(name)),
      bands_(std::move(bands)),
      values_(std::move(values)),
      valid_(std::move(valid)) {}

spectral::Block MemorySource::read(const Window& window) {
  return {spectral::part_of(values_, window), spectral::part_of(valid_, window), window, size()};
}

}  // namespace hyperdefect::engine
