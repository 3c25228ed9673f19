// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace hyperdefect::test {

/// What the exception of exactly this type says that `action` throws; a test failure where it throws no such
/// thing.
template <class Exception, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace hyperdefect::test

/// Expects that the statement throws the exception, with this text in its message, which is one line.
#define HYPERDEFECT_EXPECT_ERROR(statement, exception, text)                                             \
  do {                                                                                                   \
    const std::string message_ = ::hyperdefect::test::message_of<exception>([&] { (void)(statement); }); \
    EXPECT_NE(message_.find(text), std::string::npos) << "message: " << message_;                        \
    EXPECT_EQ(message_.find('\n'), std::string::npos) << "message: " << message_;                        \
  } while (false)
