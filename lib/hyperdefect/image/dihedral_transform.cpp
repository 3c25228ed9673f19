// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/dihedral_transform.h"

namespace hyperdefect::image {

torch::Tensor dihedral_transform(torch::Tensor image, std::int64_t which) {
  const bool square = image.size(-1) == image.size(-2);
  if ((which & 1) != 0) {
    image = image.flip(-1);
  }
  if ((which & 2) != 0) {
    image = image.flip(-2);
  }
  return (which & 4) != 0 && square ? image.transpose(-1, -2) : image;
}

}  // namespace hyperdefect::image
