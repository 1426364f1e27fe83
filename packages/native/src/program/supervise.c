// supervise: keeps the processes of a table alive, survives its own death through the state file, and takes commands on a unix socket.
#define _GNU_SOURCE
#include "supervise.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CLIENTS = 32 };

// A connection; awaiting: the process whose end (or restart) its last command waits for.
struct client { int fd; struct buffer in; char awaiting[128]; bool until_running; };

static struct {
  const char *table_path, *state_path, *socket_path;
  struct table table;
  struct client clients[MAX_CLIENTS];
  int listener, signals;
  bool shutting_down, dirty;
} s;

static void answer(struct client *c, const char *text) {
  // A client that does not read loses its connection, the supervisor never waits for it.
  size_t n = strlen(text);
  if (send(c->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n) shutdown(c->fd, SHUT_RDWR);
}

static void drop_client(struct client *c) {
  close(c->fd);
  buffer_free(&c->in);
  *c = (struct client){ .fd = -1 };
}

static void answer_status(struct client *c) {
  struct buffer out = {0};
  for (int i = 0; i < s.table.n; i++) {
    struct process *p = s.table.items[i];
    buffer_printf(&out, "process %s %s %d %llu %u %s\n", p->def.name, phase_name(p->phase), (int)p->pid, p->start_time, p->restarts, p->last_exit);
  }
  buffer_printf(&out, "ok\n");
  answer(c, out.data);
  buffer_free(&out);
}

// Brings the list of processes in line with the table file. Those that run keep running; a changed definition counts from the next start.
static bool load_table(char *error, size_t size) {
  struct definition *defs;
  int n;
  if (!read_table(s.table_path, &defs, &n, error, size)) return false;
  struct table next = {0};
  for (int i = 0; i < n; i++) {
    struct process *p = find_process(&s.table, defs[i].name);
    if (!p) {
      add_process(&next, defs[i]);
      continue;
    }
    free_definition(&p->def);
    p->def = defs[i];
    if (p->removed) {
      p->removed = false, p->wish = WISH_RUN;
      if (p->phase == STOPPED) p->phase = BACKOFF, p->due_at = 0;
    }
    next.items = realloc(next.items, (size_t)(next.n + 1) * sizeof *next.items);
    next.items[next.n++] = p;
  }
  for (int i = 0; i < s.table.n; i++) {
    struct process *p = s.table.items[i];
    if (find_process(&next, p->def.name)) continue;
    p->wish = WISH_STOP, p->removed = true;
    end_process(p);
    next.items = realloc(next.items, (size_t)(next.n + 1) * sizeof *next.items);
    next.items[next.n++] = p;
  }
  free(defs);
  free(s.table.items);
  s.table = next;
  s.dirty = true;
  return true;
}

static void command_for(struct client *c, const char *verb, struct process *p) {
  if (!strcmp(verb, "start")) {
    p->wish = WISH_RUN;
    if (p->phase == STOPPED || p->phase == BACKOFF) p->phase = BACKOFF, p->due_at = 0, p->backoff = 0;
    answer(c, "ok\n");
  } else {
    c->until_running = !strcmp(verb, "restart");
    p->wish = c->until_running ? WISH_RUN : WISH_STOP;
    end_process(p);
    if (c->until_running && p->phase == STOPPED) p->phase = BACKOFF, p->due_at = 0, p->backoff = 0;
    snprintf(c->awaiting, sizeof c->awaiting, "%s", p->def.name);
  }
  s.dirty = true;
}

static void run_command(struct client *c, char *line) {
  char *words[3], error[512];
  int n = split_words(line, words, 3);
  bool about_process = n == 2 && (!strcmp(words[0], "start") || !strcmp(words[0], "stop") || !strcmp(words[0], "restart"));
  struct process *p = about_process ? find_process(&s.table, words[1]) : NULL;
  if (n == 1 && !strcmp(words[0], "status")) answer_status(c);
  else if (n == 1 && !strcmp(words[0], "shutdown")) s.shutting_down = s.dirty = true, snprintf(c->awaiting, sizeof c->awaiting, "*");
  else if (s.shutting_down) answer(c, "error shutting down\n");
  else if (n == 1 && !strcmp(words[0], "reload")) {
    if (load_table(error, sizeof error - 8)) answer(c, "ok\n");
    else {
      struct buffer out = {0};
      buffer_printf(&out, "error %s\n", error);
      answer(c, out.data);
      buffer_free(&out);
    }
  } else if (p && !p->removed) command_for(c, words[0], p);
  else answer(c, about_process ? "error no such process\n" : "error unknown command (status, start NAME, stop NAME, restart NAME, reload, shutdown)\n");
}

static void read_client(struct client *c) {
  char chunk[4096];
  ssize_t n = recv(c->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0 || c->in.len + (size_t)n > 65536) {
    drop_client(c);
    return;
  }
  buffer_add(&c->in, chunk, (size_t)n);
}

// Commands run one after the other: the next one waits while one awaits a process.
static void serve_client(struct client *c) {
  char *end;
  while (c->fd >= 0 && !c->awaiting[0] && c->in.len && (end = memchr(c->in.data, '\n', c->in.len))) {
    size_t n = (size_t)(end - c->in.data);
    char *line = strndup(c->in.data, n);
    buffer_drop(&c->in, n + 1);
    run_command(c, line);
    free(line);
  }
}

static void settle_awaiting(struct client *c) {
  if (c->fd < 0 || !c->awaiting[0] || !strcmp(c->awaiting, "*")) return;
  struct process *p = find_process(&s.table, c->awaiting);
  bool settled = !p || (c->until_running ? p->phase == RUNNING : p->phase == STOPPED);
  // A restart that fails at once is answered too: the caller reads the state with status.
  if (p && c->until_running && p->phase == BACKOFF && p->due_at > now_ms()) settled = true;
  if (!settled) return;
  c->awaiting[0] = 0;
  answer(c, "ok\n");
}

// While shutting down processes are stopped from the last to the first, one after the other: later ones use earlier ones.
static bool advance_shutdown(void) {
  for (int i = s.table.n - 1; i >= 0; i--) {
    struct process *p = s.table.items[i];
    p->wish = WISH_STOP;
    end_process(p);
    if (p->phase != STOPPED) return false;
  }
  return true;
}

// Starts what is due, kills what outlived its grace, forgets what was removed. Gives the milliseconds until the next such moment, or -1.
static int advance_processes(void) {
  long long next = -1, now = now_ms();
  for (int i = 0; i < s.table.n; i++) {
    struct process *p = s.table.items[i];
    if (p->removed && p->phase == STOPPED) {
      free_definition(&p->def);
      free(p);
      memmove(&s.table.items[i], &s.table.items[i + 1], (size_t)(s.table.n - i - 1) * sizeof *s.table.items);
      s.table.n--, i--, s.dirty = true;
      continue;
    }
    if (p->phase == BACKOFF && p->due_at <= now) start_process(p), s.dirty = true;
    if (p->phase == STOPPING && p->due_at <= now && !p->killed) {
      // Its session may hold helpers of its own: those go with it.
      kill(-p->pid, SIGKILL);
      syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
      p->killed = true;
    }
    bool waits = p->phase == BACKOFF || (p->phase == STOPPING && !p->killed);
    if (waits && (next < 0 || p->due_at < next)) next = p->due_at;
  }
  return next < 0 ? -1 : next <= now ? 0 : (int)(next - now);
}

static void accept_client(void) {
  int fd = accept4(s.listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (s.clients[i].fd < 0) {
      s.clients[i].fd = fd;
      return;
    }
  close(fd);
}

static void poll_once(int timeout) {
  int n = 2, most = 2 + MAX_CLIENTS + s.table.n;
  struct pollfd *polled = calloc((size_t)most, sizeof *polled);
  if (!polled) die(EXIT_FAILED, "out of memory");
  polled[0] = (struct pollfd){ .fd = s.listener, .events = POLLIN };
  polled[1] = (struct pollfd){ .fd = s.signals, .events = POLLIN };
  for (int i = 0; i < MAX_CLIENTS; i++) polled[n++] = (struct pollfd){ .fd = s.clients[i].fd, .events = POLLIN };
  for (int i = 0; i < s.table.n; i++) polled[n++] = (struct pollfd){ .fd = s.table.items[i]->pidfd, .events = POLLIN };
  if (poll(polled, (nfds_t)n, timeout) > 0) {
    struct signalfd_siginfo info;
    if (polled[1].revents && read(s.signals, &info, sizeof info) == sizeof info) s.shutting_down = true;
    for (int i = 0; i < s.table.n; i++)
      if (polled[2 + MAX_CLIENTS + i].revents) process_ended(s.table.items[i]), s.dirty = true;
    for (int i = 0; i < MAX_CLIENTS; i++)
      if (s.clients[i].fd >= 0 && polled[2 + i].revents) read_client(&s.clients[i]);
    if (polled[0].revents) accept_client();
  }
  free(polled);
}

// Only one supervisor may hold a state file. The lock is the kernel's, so a dead one's is free.
static void lock_state(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s.lock", s.state_path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) die(EXIT_FAILED, "%s: %s", path, strerror(errno));
  // One that was just killed may still be on its way out: it gets a second.
  for (int i = 0; i < 50 && flock(fd, LOCK_EX | LOCK_NB) < 0; i++) usleep(20000);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) die(EXIT_FAILED, "%s: another supervisor runs on this state file", s.state_path);
}

static void open_listener(void) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(s.socket_path) >= sizeof address.sun_path) die(EXIT_WRONG_USAGE, "supervise: the socket path is longer than %zu bytes", sizeof address.sun_path - 1);
  strcpy(address.sun_path, s.socket_path);
  unlink(s.socket_path); // the lock says that nobody listens there
  s.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  mode_t old = umask(0177);
  if (s.listener < 0 || bind(s.listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(s.listener, 16) < 0) die(EXIT_FAILED, "%s: %s", s.socket_path, strerror(errno));
  umask(old);
}

static void parse_flags(int argc, char **argv) {
  for (int i = 1; i < argc; i += 2) {
    const char **to = !strcmp(argv[i], "--table") ? &s.table_path : !strcmp(argv[i], "--state") ? &s.state_path : !strcmp(argv[i], "--socket") ? &s.socket_path : NULL;
    if (!to) die(EXIT_WRONG_USAGE, "supervise: unknown flag: %s", argv[i]);
    if (i + 1 == argc) die(EXIT_WRONG_USAGE, "supervise: flag needs an argument: %s", argv[i]);
    *to = argv[i + 1];
  }
  if (!s.table_path || !s.state_path || !s.socket_path) die(EXIT_WRONG_USAGE, "usage: supervise --table FILE --state FILE --socket PATH");
}

static void load_first_table(void) {
  char error[512];
  struct definition *defs;
  int n;
  if (!read_table(s.table_path, &defs, &n, error, sizeof error)) die(EXIT_WRONG_USAGE, "supervise: %s", error);
  for (int i = 0; i < n; i++) add_process(&s.table, defs[i]);
  free(defs);
  adopt_state(s.state_path, &s.table);
  for (int i = 0; i < s.table.n; i++)
    if (s.table.items[i]->wish == WISH_STOP) end_process(s.table.items[i]);
}

int supervise_main(int argc, char **argv) {
  parse_flags(argc, argv);
  lock_state();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  s.signals = signalfd(-1, &set, SFD_CLOEXEC);
  for (int i = 0; i < MAX_CLIENTS; i++) s.clients[i].fd = -1;
  load_first_table();
  open_listener();
  s.dirty = true;
  for (bool done = false; !done;) {
    done = s.shutting_down && advance_shutdown();
    int timeout = advance_processes();
    for (int i = 0; i < MAX_CLIENTS; i++) {
      settle_awaiting(&s.clients[i]);
      serve_client(&s.clients[i]);
    }
    // A command may have made something due at once.
    if (s.dirty) {
      if (!write_state(s.state_path, &s.table)) fprintf(stderr, "berth-native: %s: %s\n", s.state_path, strerror(errno));
      for (int i = 0; i < s.table.n; i++) release_process(s.table.items[i]);
      s.dirty = false;
      timeout = 0;
    }
    if (!done) poll_once(timeout);
  }
  unlink(s.socket_path);
  unlink(s.state_path);
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (s.clients[i].fd >= 0) {
      if (!strcmp(s.clients[i].awaiting, "*")) answer(&s.clients[i], "ok\n");
      drop_client(&s.clients[i]);
    }
  return 0;
}
