// dial NETNS HOST PORT: a TCP connection made inside a network namespace, spliced to stdin and stdout.
#define _GNU_SOURCE
#include "berth.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *host, unsigned port) {
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
  const struct sockaddr *address;
  socklen_t size;
  if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
    address = (const struct sockaddr *)&v4;
    size = sizeof v4;
  } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
    address = (const struct sockaddr *)&v6;
    size = sizeof v6;
  } else {
    errno = EINVAL;
    return -1;
  }
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, address, size) < 0) {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// One direction of the copy. done: the source ended and everything was written and half-closed.
struct direction { int from, to; char data[65536]; size_t start, end; bool ended, done; };

static bool reporting;

static void report(const char *word) {
  if (reporting && write_all(2, word, strlen(word)) < 0) reporting = false;
}

static void finish(struct direction *d) {
  d->done = true;
  if (d->to == 1) report("eof\n");
  // A pipe end has to be closed, a socket only half: its other direction may still be in use.
  if (shutdown(d->to, SHUT_WR) < 0 && errno == ENOTSOCK) close(d->to);
}

// Moves what can be moved now. false if the direction broke.
static bool advance(struct direction *d, short from_events, short to_events) {
  if (d->start == d->end && !d->ended && from_events) {
    ssize_t n = read(d->from, d->data, sizeof d->data);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n == 0) d->ended = true;
    if (n > 0) d->start = 0, d->end = (size_t)n;
  }
  if (d->start < d->end && (to_events || from_events)) {
    ssize_t n = write(d->to, d->data + d->start, d->end - d->start);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n > 0) d->start += (size_t)n;
  }
  if (d->ended && d->start == d->end) finish(d);
  return true;
}

static int splice_stdio(int connection) {
  static struct direction out, in;
  out.from = 0, out.to = connection;
  in.from = connection, in.to = 1;
  int fds[] = { 0, 1, connection };
  for (int i = 0; i < 3; i++) fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
  while (!out.done || !in.done) {
    struct direction *both[] = { &out, &in };
    struct pollfd polled[4];
    for (int i = 0; i < 2; i++) {
      struct direction *d = both[i];
      bool want_read = !d->done && !d->ended && d->start == d->end, want_write = !d->done && d->start < d->end;
      polled[2 * i] = (struct pollfd){ .fd = want_read ? d->from : -1, .events = POLLIN };
      polled[2 * i + 1] = (struct pollfd){ .fd = want_write ? d->to : -1, .events = POLLOUT };
    }
    if (poll(polled, 4, -1) < 0 && errno != EINTR) return EXIT_BROKEN;
    for (int i = 0; i < 2; i++)
      if (!both[i]->done && !advance(both[i], polled[2 * i].revents, polled[2 * i + 1].revents)) {
        // The remote's refusal to take more must not lose what it already sent: only the broken direction ends.
        if (both[i] == &in) return errno == EPIPE ? 0 : EXIT_BROKEN;
        out.done = true;
      }
  }
  return 0;
}

int dial_main(int argc, char **argv) {
  unsigned long long port;
  if (argc > 1 && !strcmp(argv[1], "--report")) reporting = true, argc--, argv++;
  if (argc != 4) die(EXIT_WRONG_USAGE, "usage: dial [--report] NETNS HOST PORT");
  if (!parse_number(argv[3], 10, 65535, &port) || !port) die(EXIT_WRONG_USAGE, "dial: port \"%s\" is not a number from 1 to 65535", argv[3]);
  if (strcmp(argv[1], "-") && enter_netns(argv[1]) < 0) die(EXIT_NETNS, "network namespace %s: %s", argv[1], strerror(errno));
  signal(SIGPIPE, SIG_IGN);
  const char *host = argv[2];
  int fd;
  if (!strcmp(host, "localhost")) {
    fd = connect_to("127.0.0.1", (unsigned)port);
    if (fd < 0) {
      int first = errno;
      fd = connect_to("::1", (unsigned)port);
      if (fd < 0) errno = first;
    }
  } else {
    fd = connect_to(host, (unsigned)port);
    if (fd < 0 && errno == EINVAL) die(EXIT_WRONG_USAGE, "dial: host \"%s\" is no IP address and not localhost", host);
  }
  if (fd < 0) die(EXIT_CONNECT, "connect %s:%llu: %s", host, port, strerror(errno));
  report("connected\n");
  int code = splice_stdio(fd);
  if (code) die(code, "connection to %s:%llu: %s", host, port, strerror(errno));
  return 0;
}
