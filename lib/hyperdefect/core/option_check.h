// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {

/// Refuses options that are out of their range; `what` names what they belong to.
struct OptionCheck {
  std::string_view what;

  /// @throws UsageError "WHAT: NAME is GIVEN; allowed: ALLOWED" if it is not fulfilled.
  template <class Value>
  void operator()(bool fulfilled, std::string_view name, Value given, std::string_view allowed) const {
    if (!fulfilled) {
      throw UsageError(text::concat(what, ": ", name, " is ", given, "; allowed: ", allowed));
    }
  }
};

}  // namespace hyperdefect
