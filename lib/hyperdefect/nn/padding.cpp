// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/padding.h"

#include <ATen/autocast_mode.h>
#include <torch/nn/functional/padding.h>

#include <algorithm>

namespace hyperdefect::nn {
namespace {

namespace F = torch::nn::functional;

torch::Tensor pad_rows(const torch::Tensor& x, const Margins& margins,
                       const F::PadFuncOptions::mode_t& mode) {
  return F::pad(x, F::PadFuncOptions({0, 0, margins.top, margins.bottom}).mode(mode));
}

torch::Tensor pad_cols(const torch::Tensor& x, const Margins& margins,
                       const F::PadFuncOptions::mode_t& mode) {
  return F::pad(x, F::PadFuncOptions({margins.left, margins.right, 0, 0}).mode(mode));
}

torch::Tensor pad_both(const torch::Tensor& x, const Margins& margins,
                       const F::PadFuncOptions::mode_t& mode) {
  return F::pad(x, F::PadFuncOptions({margins.left, margins.right, margins.top, margins.bottom}).mode(mode));
}

torch::Tensor pad_reflecting(const torch::Tensor& x, const Margins& margins) {
  const bool rows_reflect = std::max(margins.top, margins.bottom) < x.size(2);
  const bool cols_reflect = std::max(margins.left, margins.right) < x.size(3);
  if (rows_reflect == cols_reflect) {
    return rows_reflect ? pad_both(x, margins, torch::kReflect) : pad_both(x, margins, torch::kReplicate);
  }
  if (rows_reflect) {
    return pad_cols(pad_rows(x, margins, torch::kReflect), margins, torch::kReplicate);
  }
  return pad_cols(pad_rows(x, margins, torch::kReplicate), margins, torch::kReflect);
}

}  // namespace

torch::Tensor pad_margins(const torch::Tensor& x, const Margins& margins, Padding mode) {
  if (std::max({margins.top, margins.bottom, margins.left, margins.right}) == 0) {
    return x;
  }
  // Autocast would widen the whole map to float32 although padding only moves values.
  const c10::impl::ExcludeDispatchKeyGuard as_it_is(c10::autocast_dispatch_keyset);
  switch (mode) {
    case Padding::reflect:
      return pad_reflecting(x, margins);
    case Padding::replicate:
      return pad_both(x, margins, torch::kReplicate);
    case Padding::zeros:
      break;
  }
  return pad_both(x, margins, torch::kConstant);
}

torch::Tensor cropped(const torch::Tensor& x, Size size) {
  // A slice of everything would cost a copy backward.
  const auto rows = x.size(2) == size.rows ? x : x.narrow(2, 0, size.rows);
  return x.size(3) == size.cols ? rows : rows.narrow(3, 0, size.cols);
}

}  // namespace hyperdefect::nn
