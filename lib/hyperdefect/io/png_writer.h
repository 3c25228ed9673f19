// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <opencv2/core.hpp>

namespace hyperdefect::io {

/// Writes the image as a PNG that appears whole or not at all. @throws Error with the reason.
void write_png(const std::filesystem::path& path, const cv::Mat& image);

}  // namespace hyperdefect::io
