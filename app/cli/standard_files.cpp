// SPDX-License-Identifier: Apache-2.0
#include "app/cli/standard_files.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>

namespace hyperdefect::app {

/// Collects what is printed and writes it to stdout. The streams of the standard library do not tell why a
/// write failed.
class CheckedOutput::Buffer : public std::streambuf {
 public:
  Buffer() { setp(bytes_.data(), bytes_.data() + bytes_.size()); }
  int error() const { return error_; }

 protected:
  int_type overflow(int_type next) override {
    if (sync() != 0) {
      return traits_type::eof();
    }
    if (!traits_type::eq_int_type(next, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(next);
      pbump(1);
    }
    return traits_type::not_eof(next);
  }

  int sync() override {
    const char* from = pbase();
    while (from < pptr() && error_ == 0) {
      const auto written = ::write(STDOUT_FILENO, from, static_cast<std::size_t>(pptr() - from));
      if (written >= 0) {
        from += written;
      } else if (errno == EAGAIN) {
        // Another program has made the shared terminal or pipe non-blocking.
        pollfd output{STDOUT_FILENO, POLLOUT, 0};
        ::poll(&output, 1, -1);
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return error_ == 0 ? 0 : -1;
  }

 private:
  std::array<char, 1 << 16> bytes_{};
  int error_ = 0;
};

void open_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) < 0 && errno == EBADF) {
      // The lowest free number is this one.
      ::open("/dev/null", O_RDONLY);
    }
  }
}

CheckedOutput::CheckedOutput()
    : buffer_(std::make_unique<Buffer>()), before_(std::cout.rdbuf(buffer_.get())) {
  if (::isatty(STDOUT_FILENO) != 0) {
    std::cout << std::unitbuf;
  }
}

CheckedOutput::~CheckedOutput() {
  finish();
  std::cout.rdbuf(before_);
}

int CheckedOutput::finish() {
  std::cout.flush();
  buffer_->pubsync();
  return buffer_->error();
}

}  // namespace hyperdefect::app
