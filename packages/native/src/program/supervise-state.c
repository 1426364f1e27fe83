// The state file: what a supervisor must know to take over from one that was killed.
#define _GNU_SOURCE
#include "supervise.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void boot_id(char out[64]) {
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, out, 63);
  out[n > 0 ? n : 0] = 0;
  out[strcspn(out, "\n")] = 0;
  if (fd >= 0) close(fd);
}

unsigned long long start_time_of(pid_t pid) {
  char path[64], text[1024], state;
  unsigned long long start;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  // The command name is in parentheses and may hold anything, so the fields are counted from the last ')'.
  char *after = strrchr(text, ')');
  if (!after || sscanf(after + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, &start) != 2) return 0;
  return state == 'Z' || state == 'X' ? 0 : start;
}

bool write_state(const char *path, const struct table *t) {
  struct buffer text = {0};
  char boot[64], temporary[4096];
  boot_id(boot);
  buffer_printf(&text, "berth-supervise 1\nboot %s\nsupervisor %d %llu\n", boot, (int)getpid(), start_time_of(getpid()));
  for (int i = 0; i < t->n; i++) {
    const struct process *p = t->items[i];
    buffer_printf(&text, "process %s %d %llu %u %s %u\n", p->def.name, (int)p->pid, p->start_time, p->restarts, p->wish == WISH_RUN ? "run" : "stop", p->def.grace);
  }
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool good = fd >= 0 && write_all(fd, text.data, text.len) == 0;
  if (fd >= 0) close(fd);
  good = good && rename(temporary, path) == 0;
  buffer_free(&text);
  return good;
}

static void adopt_line(struct table *t, char **w) {
  unsigned long long pid, start, restarts, grace;
  if (!parse_number(w[2], 10, 1 << 30, &pid) || !parse_number(w[3], 10, ~0ULL >> 1, &start) || !parse_number(w[4], 10, 0xffffffff, &restarts) || !parse_number(w[6], 10, 86400, &grace)) return;
  struct process *p = find_process(t, w[1]);
  int pidfd = -1;
  if (pid) {
    // The descriptor first, then the check: what the check saw is then what the descriptor holds.
    pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (pidfd >= 0 && start_time_of((pid_t)pid) != start) close(pidfd), pidfd = -1;
  }
  if (!p && pidfd < 0) return;
  if (!p) {
    p = add_process(t, (struct definition){ .name = strdup(w[1]), .grace = (unsigned)grace });
    p->removed = true;
  }
  p->restarts = (unsigned)restarts;
  p->wish = p->removed || !strcmp(w[5], "stop") ? WISH_STOP : WISH_RUN;
  if (pidfd >= 0) {
    p->pid = (pid_t)pid, p->pidfd = pidfd, p->start_time = start, p->adopted = true, p->phase = RUNNING, p->started_at = now_ms();
  } else {
    p->phase = p->wish == WISH_RUN ? BACKOFF : STOPPED;
    if (pid && p->wish == WISH_RUN) p->restarts++;
  }
}

void adopt_state(const char *path, struct table *t) {
  struct buffer text = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char boot[64], wanted[80];
  boot_id(boot);
  snprintf(wanted, sizeof wanted, "boot %s", boot);
  bool same_boot = false;
  if (read_to_end(fd, &text, 4 << 20) == 0)
    for (char *at = text.data, *line; at && (line = strsep(&at, "\n"));) {
      char *words[8];
      if (!strcmp(line, wanted)) same_boot = true;
      if (same_boot && split_words(line, words, 8) == 7 && !strcmp(words[0], "process")) adopt_line(t, words);
    }
  close(fd);
  buffer_free(&text);
}
