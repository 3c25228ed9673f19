// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_writer.h"

#include "hyperdefect/io/png_writer.h"

namespace hyperdefect::io {

void write_mask(const std::filesystem::path& path, const torch::Tensor& mask) {
  TORCH_CHECK(mask.dim() == 2 && mask.scalar_type() == torch::kBool,
              "write_mask: expected (rows, cols) bool, got ", mask.sizes(), " of ", mask.scalar_type());
  auto grey = mask.to(torch::kCPU).to(torch::kByte).mul(255).contiguous();
  const cv::Mat image(static_cast<int>(grey.size(0)), static_cast<int>(grey.size(1)), CV_8UC1,
                      grey.data_ptr());
  write_png(path, image);
}

}  // namespace hyperdefect::io
