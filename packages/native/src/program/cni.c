// The CNI plugin: hands environment and configuration to the node's overlay daemon, executes what it answers, prints its result.
#define _GNU_SOURCE
#include "berth.h"
#include "netlink.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { CNI_INVALID_ENVIRONMENT = 4, CNI_IO_FAILURE = 5, CNI_DECODE_FAILURE = 6, CNI_TRY_AGAIN = 11, MAX_ACTIONS = 256, MAX_CONF = 1 << 20 };

// Finds a string value of the configuration's top level. Only strings without escapes are of use here (a version, a path).
static bool top_level_string(const char *json, const char *key, char *out, size_t size) {
  int depth = 0;
  bool is_key = false;
  size_t key_size = strlen(key);
  for (const char *p = json; *p; p++) {
    if (*p == '{' || *p == '[') depth++, is_key = *p == '{';
    else if (*p == '}' || *p == ']') depth--;
    else if (*p == ',') is_key = true;
    else if (*p == ':') is_key = false;
    else if (*p == '"') {
      const char *start = ++p;
      while (*p && *p != '"') p += *p == '\\' && p[1] ? 2 : 1;
      if (!*p) return false;
      if (depth != 1 || !is_key || (size_t)(p - start) != key_size || memcmp(start, key, key_size)) continue;
      p += 1 + strspn(p + 1, " \t\r\n");
      if (*p != ':') return false;
      p += 1 + strspn(p + 1, " \t\r\n");
      if (*p != '"') return false;
      size_t n = strcspn(++p, "\"\\");
      if (p[n] != '"' || n >= size) return false;
      memcpy(out, p, n);
      out[n] = 0;
      return true;
    }
  }
  return false;
}

// Prints text as a JSON string.
static void json_string(const char *text) {
  putchar('"');
  for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
    if (*p == '"' || *p == '\\') printf("\\%c", *p);
    else if (*p < 0x20) printf("\\u%04x", *p);
    else putchar(*p);
  }
  putchar('"');
}

static int cni_error(const char *version, int code, const char *message, const char *details) {
  printf("{\"cniVersion\":");
  json_string(version);
  printf(",\"code\":%d,\"msg\":", code);
  json_string(message);
  printf(",\"details\":");
  json_string(details);
  printf("}\n");
  return 1;
}

static int connect_daemon(const char *path) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // A daemon that hangs must not hang the runtime: no answer in this time is "try again later".
  struct timeval patience = { .tv_sec = 60 };
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

// Reads the actions of one "do", executes them and answers. false if the daemon is gone.
static bool run_batch(int fd, struct buffer *pending) {
  char *lines[MAX_ACTIONS], *line;
  int n = 0;
  while ((line = next_line(fd, pending)) && strcmp(line, "run")) {
    if (n == MAX_ACTIONS) return false;
    lines[n++] = line;
  }
  if (!line) return false;
  free(line);
  struct buffer out = {0};
  run_actions(lines, n, &out);
  bool sent = write_all(fd, out.data, out.len) == 0;
  for (int i = 0; i < n; i++) free(lines[i]);
  buffer_free(&out);
  return sent;
}

static int converse(int fd, const struct buffer *conf, const char *version) {
  static const char *const names[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "CNI_NETNS_OVERRIDE" };
  struct buffer request = {0}, pending = {0};
  buffer_printf(&request, "cni 1\n");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (!value) continue;
    if (strchr(value, '\n')) return cni_error(version, CNI_INVALID_ENVIRONMENT, "environment variable holds a newline", names[i]);
    buffer_printf(&request, "env %s=%s\n", names[i], value);
  }
  buffer_printf(&request, "conf %zu\n", conf->len);
  buffer_add(&request, conf->data ? conf->data : "", conf->len);
  if (write_all(fd, request.data, request.len) < 0) return cni_error(version, CNI_TRY_AGAIN, "the overlay daemon went away", strerror(errno));
  char *line;
  while ((line = next_line(fd, &pending))) {
    int code, used;
    size_t size;
    if (!strcmp(line, "do")) {
      if (!run_batch(fd, &pending)) break;
    } else if (sscanf(line, "result %d %zu%n", &code, &size, &used) == 2 && !line[used] && size <= MAX_CONF) {
      char *bytes = next_bytes(fd, &pending, size);
      if (!bytes) break;
      if (write_all(1, bytes, size) < 0) return EXIT_FAILED;
      return code;
    } else break;
    free(line);
  }
  return cni_error(version, CNI_TRY_AGAIN, "the overlay daemon went away before it answered", line ? line : strerror(errno));
}

int cni_main(void) {
  struct buffer conf = {0};
  char version[32] = "1.0.0", socket_path[256];
  if (read_to_end(0, &conf, MAX_CONF) < 0) return cni_error(version, CNI_IO_FAILURE, "cannot read the network configuration on stdin", strerror(errno));
  const char *json = conf.data ? conf.data : "";
  if (!top_level_string(json, "cniVersion", version, sizeof version)) strcpy(version, "0.3.1");
  if (!strcmp(getenv("CNI_COMMAND"), "VERSION")) {
    printf("{\"cniVersion\":");
    json_string(version);
    printf(",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
    return 0;
  }
  if (!top_level_string(json, "socket", socket_path, sizeof socket_path))
    return cni_error(version, CNI_DECODE_FAILURE, "the network configuration has no \"socket\"", "a string naming the overlay daemon's unix socket is needed");
  int fd = connect_daemon(socket_path);
  if (fd < 0) {
    char details[512];
    snprintf(details, sizeof details, "connect %s: %s", socket_path, strerror(errno));
    return cni_error(version, CNI_TRY_AGAIN, "the overlay daemon cannot be reached", details);
  }
  return converse(fd, &conf, version);
}
