// One supervised process: start, end, and what follows from its death.
#define _GNU_SOURCE
#include "supervise.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_BACKOFF = 500, LAST_BACKOFF = 10000, HEALTHY_AFTER = 10000, LOG_LIMIT = 16 << 20 };

long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

const char *phase_name(enum phase phase) {
  static const char *const names[] = { "stopped", "backoff", "running", "stopping" };
  return names[phase];
}

static int open_log(const char *path) {
  struct stat st;
  if (stat(path, &st) == 0 && st.st_size > LOG_LIMIT) {
    char older[4096];
    snprintf(older, sizeof older, "%s.1", path);
    rename(path, older); // if it fails the log simply grows on
  }
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

// In the child, with the log as stderr: what fails here is read in the log.
static void become(const struct definition *d, int gate) {
  char go;
  if (read(gate, &go, 1) != 1) _exit(125); // the supervisor died before it wrote us down: the next one starts us
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // What the supervisor ignores its children must not: an ignored signal stays so across exec.
  signal(SIGPIPE, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  int null = open("/dev/null", O_RDONLY);
  if (null != 0) dup2(null, 0), close(null);
  if (d->netns && enter_netns(d->netns) < 0) die(126, "network namespace %s: %s", d->netns, strerror(errno));
  if (chdir(d->cwd ? d->cwd : "/") < 0) die(126, "%s: %s", d->cwd, strerror(errno));
  execve(d->argv[0], d->argv, d->env);
  die(127, "%s: %s", d->argv[0], strerror(errno));
}

static void wait_for_next(struct process *p) {
  p->phase = BACKOFF;
  p->backoff = p->backoff ? p->backoff * 2 : FIRST_BACKOFF;
  if (p->backoff > LAST_BACKOFF) p->backoff = LAST_BACKOFF;
  p->due_at = now_ms() + p->backoff;
}

void start_process(struct process *p) {
  int log = open_log(p->def.log), gate[2] = { -1, -1 };
  pid_t pid = log < 0 || pipe2(gate, O_CLOEXEC) < 0 ? -1 : fork();
  if (pid < 0) {
    snprintf(p->last_exit, sizeof p->last_exit, "errno:%d", errno);
    if (log >= 0) close(log);
    if (gate[0] >= 0) close(gate[0]), close(gate[1]);
    wait_for_next(p);
    return;
  }
  if (pid == 0) {
    close(gate[1]);
    dup2(log, 1), dup2(log, 2);
    become(&p->def, gate[0]);
  }
  close(log), close(gate[0]);
  p->gate = gate[1];
  p->pid = pid;
  p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (p->pidfd < 0) die(EXIT_FAILED, "pidfd_open: %s", strerror(errno));
  fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
  p->start_time = start_time_of(pid);
  p->started_at = now_ms();
  p->phase = RUNNING;
  p->adopted = p->killed = false;
}

void release_process(struct process *p) {
  if (p->gate < 0) return;
  // A child that is dead already does not read it; its end is on the way.
  ssize_t ignored = write(p->gate, "", 1);
  (void)ignored;
  close(p->gate);
  p->gate = -1;
}

void end_process(struct process *p) {
  if (p->phase == BACKOFF) p->phase = STOPPED;
  if (p->phase != RUNNING) return;
  p->phase = STOPPING;
  p->due_at = now_ms() + p->def.grace * 1000LL;
  syscall(SYS_pidfd_send_signal, p->pidfd, SIGTERM, NULL, 0);
}

void process_ended(struct process *p) {
  siginfo_t info = {0};
  if (p->adopted || waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED) < 0) strcpy(p->last_exit, "gone");
  else snprintf(p->last_exit, sizeof p->last_exit, "%s:%d", info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
  close(p->pidfd);
  bool healthy = now_ms() - p->started_at >= HEALTHY_AFTER, expected = p->phase == STOPPING;
  p->pidfd = -1, p->pid = 0, p->start_time = 0, p->adopted = false;
  if (p->wish == WISH_STOP) {
    p->phase = STOPPED;
    p->backoff = 0;
    return;
  }
  p->restarts++;
  if (healthy || expected) p->backoff = 0;
  if (expected) p->phase = BACKOFF, p->due_at = now_ms(); // a restart that was asked for does not wait
  else wait_for_next(p);
}
