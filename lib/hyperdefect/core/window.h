// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace hyperdefect {

/// The size of an image in pixels.
struct Size {
  std::int64_t rows = 0;
  std::int64_t cols = 0;

  std::int64_t pixels() const { return rows * cols; }
  bool operator==(const Size&) const = default;
};

/// A rectangle of pixels of an image: its first row and column, and its size.
struct Window {
  std::int64_t row = 0;
  std::int64_t col = 0;
  std::int64_t rows = 0;
  std::int64_t cols = 0;

  std::int64_t end_row() const { return row + rows; }
  std::int64_t end_col() const { return col + cols; }
  Size size() const { return {rows, cols}; }
  std::int64_t pixels() const { return rows * cols; }
  bool operator==(const Window&) const = default;
};

/// The window that covers a whole image.
inline Window whole(Size image) {
  return {0, 0, image.rows, image.cols};
}

/// The part of the window that lies in the image; of size zero if there is none.
inline Window clipped(const Window& window, Size image) {
  const auto row = std::clamp<std::int64_t>(window.row, 0, image.rows);
  const auto col = std::clamp<std::int64_t>(window.col, 0, image.cols);
  return {row, col, std::clamp<std::int64_t>(window.end_row(), row, image.rows) - row,
          std::clamp<std::int64_t>(window.end_col(), col, image.cols) - col};
}

}  // namespace hyperdefect
