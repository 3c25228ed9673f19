// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/program.h"

namespace hyperdefect::test {

/// The program, running beside the test, so that it can be sent signals.
class BackgroundProgram {
 public:
  /// @param ignored a signal that is ignored when the program begins, as `nohup` does; 0: none.
  explicit BackgroundProgram(const std::vector<std::string>& arguments, int ignored = 0) {
    std::vector<const char*> words{HYPERDEFECT_PROGRAM};
    for (const auto& argument : arguments) {
      words.push_back(argument.c_str());
    }
    words.push_back(nullptr);
    const auto out = (folder_ / "out").string();
    const auto err = (folder_ / "err").string();
    process_ = ::fork();
    if (process_ == 0) {
      redirect("/dev/null", O_RDONLY, STDIN_FILENO);
      redirect(out.c_str(), O_WRONLY | O_CREAT, STDOUT_FILENO);
      redirect(err.c_str(), O_WRONLY | O_CREAT, STDERR_FILENO);
      if (ignored != 0) {
        ::signal(ignored, SIG_IGN);
      }
      ::execv(words[0], const_cast<char* const*>(words.data()));
      ::_exit(127);
    }
  }
  ~BackgroundProgram() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
  }
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  /// Waits until the moment comes; false where the program ended before it (or never reached it in a minute).
  bool reaches(const std::function<bool()>& moment) {
    for (int i = 0; i < 60'000; ++i) {
      if (moment()) {
        return true;
      }
      siginfo_t ended{};
      ::waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOHANG | WNOWAIT);
      if (ended.si_pid != 0) {
        return moment();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  void send(int signal) const { ::kill(process_, signal); }

  /// What it has written to stderr so far.
  std::string err() const { return read_bytes(folder_ / "err"); }

  /// Waits for the program's end.
  Outcome wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(folder_ / "out"),
            read_bytes(folder_ / "err")};
  }

 private:
  static void redirect(const char* path, int flags, int to) {
    const int file = ::open(path, flags, 0600);
    ::dup2(file, to);
    ::close(file);
  }

  TempDir folder_;
  pid_t process_ = -1;
};

}  // namespace hyperdefect::test
