// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/png_writer.h"

#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <string_view>
#include <vector>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::io {

void write_png(const std::filesystem::path& path, const cv::Mat& image) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes) || bytes.empty()) {
    throw Error(text::concat("cannot write ", path.string(), ": an image of ", image.rows, " x ", image.cols,
                             " pixels (rows x cols) cannot be encoded as PNG"));
  }
  write_file(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace hyperdefect::io
