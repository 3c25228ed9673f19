// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/expected_size.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::io {

void check_size(const std::filesystem::path& path, const Size& size, const ExpectedSize& expected) {
  if (size != expected.size) {
    throw InputError(text::concat(path.string(), " has ", size.rows, " x ", size.cols,
                                  " pixels (rows x cols), but ", expected.of, " has ", expected.size.rows,
                                  " x ", expected.size.cols, ": give the mask of this cube"));
  }
}

}  // namespace hyperdefect::io
