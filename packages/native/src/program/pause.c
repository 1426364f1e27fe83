// The sandbox's first process: it holds the namespaces, reaps what is left to it, and ends on TERM or INT.
#include "berth.h"
#include <signal.h>
#include <sys/wait.h>

int pause_main(int argc, char **argv) {
  (void)argv;
  if (argc != 1) die(EXIT_WRONG_USAGE, "pause takes no arguments");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGCHLD);
  // Blocked and waited for: a handler would race with the wait, and pid 1 ignores signals without one.
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (;;) {
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    int signal = sigwaitinfo(&set, NULL);
    if (signal == SIGTERM || signal == SIGINT) return 0;
  }
}
