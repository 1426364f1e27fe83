#define _GNU_SOURCE
#include "berth.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void die(int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("berth-native: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(code);
}

static void buffer_room(struct buffer *b, size_t n) {
  if (b->len + n + 1 <= b->cap) return;
  size_t cap = b->cap ? b->cap : 256;
  while (cap < b->len + n + 1) cap *= 2;
  char *data = realloc(b->data, cap);
  if (!data) die(EXIT_FAILED, "out of memory");
  b->data = data;
  b->cap = cap;
}

void buffer_add(struct buffer *b, const void *bytes, size_t n) {
  buffer_room(b, n);
  memcpy(b->data + b->len, bytes, n);
  b->len += n;
  b->data[b->len] = 0;
}

void buffer_printf(struct buffer *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text;
  int n = vasprintf(&text, format, args);
  va_end(args);
  if (n < 0) die(EXIT_FAILED, "out of memory");
  buffer_add(b, text, (size_t)n);
  free(text);
}

void buffer_drop(struct buffer *b, size_t n) {
  memmove(b->data, b->data + n, b->len - n + 1);
  b->len -= n;
}

void buffer_free(struct buffer *b) {
  free(b->data);
  *b = (struct buffer){0};
}

// One read appended to the buffer: bytes read, 0 at the end, -1 on error.
static ssize_t read_more(int fd, struct buffer *b) {
  char chunk[16384];
  ssize_t n;
  do n = read(fd, chunk, sizeof chunk);
  while (n < 0 && errno == EINTR);
  if (n > 0) buffer_add(b, chunk, (size_t)n);
  return n;
}

int read_to_end(int fd, struct buffer *out, size_t limit) {
  ssize_t n;
  while ((n = read_more(fd, out)) > 0)
    if (out->len > limit) {
      errno = EFBIG;
      return -1;
    }
  return (int)n;
}

int write_all(int fd, const void *bytes, size_t n) {
  const char *at = bytes;
  while (n > 0) {
    ssize_t done = write(fd, at, n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return -1;
    at += done;
    n -= (size_t)done;
  }
  return 0;
}

char *next_line(int fd, struct buffer *pending) {
  size_t seen = 0;
  for (;;) {
    char *end = pending->len > seen ? memchr(pending->data + seen, '\n', pending->len - seen) : NULL;
    if (end) {
      size_t n = (size_t)(end - pending->data);
      char *line = strndup(pending->data, n);
      if (!line) die(EXIT_FAILED, "out of memory");
      buffer_drop(pending, n + 1);
      return line;
    }
    seen = pending->len;
    if (read_more(fd, pending) <= 0) return NULL;
  }
}

char *next_bytes(int fd, struct buffer *pending, size_t n) {
  while (pending->len < n)
    if (read_more(fd, pending) <= 0) return NULL;
  char *bytes = malloc(n + 1);
  if (!bytes) die(EXIT_FAILED, "out of memory");
  if (n) {
    memcpy(bytes, pending->data, n);
    buffer_drop(pending, n);
  }
  bytes[n] = 0;
  return bytes;
}

int split_words(char *line, char **words, int max) {
  int n = 0;
  for (char *save = NULL, *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    if (n == max) return -1;
    words[n++] = word;
  }
  return n;
}

bool parse_number(const char *text, int base, unsigned long long max, unsigned long long *out) {
  if (!*text || *text == '-' || *text == '+' || *text == ' ') return false;
  char *end;
  errno = 0;
  *out = strtoull(text, &end, base);
  return !errno && !*end && *out <= max;
}

int enter_netns(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = setns(fd, CLONE_NEWNET);
  int saved = errno;
  close(fd);
  errno = saved;
  return failed;
}
