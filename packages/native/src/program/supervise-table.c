// The process table file: lines of "word rest-of-line", a block from "process NAME" to "end".
#define _GNU_SOURCE
#include "supervise.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *grow(void *list, int n, size_t size) {
  void *bigger = realloc(list, (size_t)(n + 1) * size);
  if (!bigger) die(EXIT_FAILED, "out of memory");
  return bigger;
}

// argv and environ lists always end with NULL.
static void append_word(char ***list, int *n, const char *word) {
  *list = grow(*list, *n + 1, sizeof **list);
  (*list)[(*n)++] = strdup(word);
  (*list)[*n] = NULL;
}

static bool valid_name(const char *name) {
  if (!*name || strlen(name) > 100) return false;
  for (const char *p = name; *p; p++)
    if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) return false;
  return true;
}

// One line inside a block. A text if it is wrong.
static const char *take_field(struct definition *d, const char *word, const char *rest) {
  unsigned long long grace;
  char **text = !strcmp(word, "log") ? &d->log : !strcmp(word, "cwd") ? &d->cwd : !strcmp(word, "netns") ? &d->netns : NULL;
  if (!strcmp(word, "argv")) append_word(&d->argv, &d->argc, rest);
  else if (!strcmp(word, "env") && strchr(rest, '=')) append_word(&d->env, &d->envc, rest);
  else if (text && *text) return "is given twice";
  else if (text && rest[0] == '/') *text = strdup(rest);
  else if (text) return "needs an absolute path";
  else if (!strcmp(word, "grace") && parse_number(rest, 10, 86400, &grace)) d->grace = (unsigned)grace;
  else return "is not a valid field (argv, env KEY=VALUE, log, cwd, netns, grace SECONDS)";
  return NULL;
}

void free_definition(struct definition *d) {
  for (int i = 0; i < d->argc; i++) free(d->argv[i]);
  for (int i = 0; i < d->envc; i++) free(d->env[i]);
  free(d->argv), free(d->env), free(d->name), free(d->log), free(d->cwd), free(d->netns);
  *d = (struct definition){0};
}

static const char *take_line(struct definition **list, int *n, bool *open, char *line) {
  char *rest = strchr(line, ' ');
  if (rest) *rest++ = 0;
  else rest = line + strlen(line);
  if (!strcmp(line, "process")) {
    if (*open) return "before the last process's end";
    if (!valid_name(rest)) return "needs a name of letters, digits, '-', '_' and '.'";
    for (int i = 0; i < *n; i++)
      if (!strcmp((*list)[i].name, rest)) return "has a name that is in the table already";
    *list = grow(*list, *n, sizeof **list);
    (*list)[(*n)++] = (struct definition){ .name = strdup(rest), .grace = 10 };
    *open = true;
    return NULL;
  }
  if (!*open) return "outside of a process";
  struct definition *d = &(*list)[*n - 1];
  if (strcmp(line, "end")) return take_field(d, line, rest);
  if (!d->argc || d->argv[0][0] != '/') return "of a process whose first argv is no absolute path";
  if (!d->log) return "of a process without log";
  if (!d->env) d->env = calloc(1, sizeof *d->env);
  *open = false;
  return NULL;
}

bool read_table(const char *path, struct definition **out, int *count, char *error, size_t size) {
  struct buffer text = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC), n = 0, number = 0;
  struct definition *list = NULL;
  const char *wrong = NULL;
  bool open_block = false;
  if (fd < 0 || read_to_end(fd, &text, 4 << 20) < 0) {
    snprintf(error, size, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return false;
  }
  close(fd);
  for (char *at = text.data, *line; at && !wrong && (line = strsep(&at, "\n"));) {
    number++;
    if (!*line || *line == '#') continue;
    wrong = take_line(&list, &n, &open_block, line);
    if (wrong) snprintf(error, size, "%s line %d: \"%s\" %s", path, number, line, wrong);
  }
  if (!wrong && open_block) {
    wrong = "end";
    snprintf(error, size, "%s: process \"%s\" has no end", path, list[n - 1].name);
  }
  buffer_free(&text);
  if (wrong) {
    for (int i = 0; i < n; i++) free_definition(&list[i]);
    free(list);
    return false;
  }
  *out = list;
  *count = n;
  return true;
}

struct process *find_process(struct table *t, const char *name) {
  for (int i = 0; i < t->n; i++)
    if (!strcmp(t->items[i]->def.name, name)) return t->items[i];
  return NULL;
}

struct process *add_process(struct table *t, struct definition def) {
  struct process *p = calloc(1, sizeof *p);
  if (!p) die(EXIT_FAILED, "out of memory");
  *p = (struct process){ .def = def, .pidfd = -1, .gate = -1, .phase = BACKOFF, .last_exit = "-" };
  t->items = grow(t->items, t->n, sizeof *t->items);
  t->items[t->n++] = p;
  return p;
}
