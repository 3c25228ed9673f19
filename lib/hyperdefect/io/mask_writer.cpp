// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_writer.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string_view>
#include <vector>

#include "hyperdefect/core/atomic_file.h"

namespace hyperdefect::io {

void write_mask(const std::filesystem::path& path, const torch::Tensor& mask) {
  TORCH_CHECK(mask.dim() == 2 && mask.scalar_type() == torch::kBool,
              "write_mask: expected (rows, cols) bool, got ", mask.sizes(), " of ", mask.scalar_type());
  auto grey = mask.to(torch::kCPU).to(torch::kByte).mul(255).contiguous();
  const cv::Mat image(static_cast<int>(grey.size(0)), static_cast<int>(grey.size(1)), CV_8UC1,
                      grey.data_ptr());
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", image, bytes);
  write_file(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace hyperdefect::io
