// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_writer.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/mask_reader.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::io {
namespace {

TEST(WriteMask, ReadsBackEqual) {
  const test::TempDir folder;
  const auto mask = torch::tensor({{true, false, true}, {false, false, true}});
  write_mask(folder / "a_mask.png", mask);
  EXPECT_TRUE(read_mask(folder / "a_mask.png").equal(mask));
}

TEST(WriteMask, TakesMasksThatAreNotContiguous) {
  const test::TempDir folder;
  const auto mask = torch::tensor({{true, false, true}, {false, false, true}}).t();
  write_mask(folder / "a_mask.png", mask);
  EXPECT_TRUE(read_mask(folder / "a_mask.png").equal(mask));
}

TEST(WriteMask, SaysWhyItCannotWrite) {
  const test::TempDir folder;
  const auto path = folder / "none" / "a_mask.png";
  HYPERDEFECT_EXPECT_ERROR(write_mask(path, torch::zeros({2, 2}, torch::kBool)), Error, path.string());
}

TEST(WriteMask, RefusesOtherTensors) {
  EXPECT_THROW(write_mask("a_mask.png", torch::zeros({2, 2})), c10::Error);
  EXPECT_THROW(write_mask("a_mask.png", torch::zeros({2, 2, 2}, torch::kBool)), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::io
