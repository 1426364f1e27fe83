// mount and umount: the few mounts that a node agent makes, with arguments that are checked one by one.
#define _GNU_SOURCE
#include "berth.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

struct options {
  unsigned long flags, propagation;
  bool recursive, read_write, read_only;
  struct buffer data; // tmpfs options, comma-separated
};

static const struct { const char *name; unsigned long flag; } flag_names[] = {
  { "nosuid", MS_NOSUID }, { "nodev", MS_NODEV }, { "noexec", MS_NOEXEC }, { "noatime", MS_NOATIME }, { "ro", MS_RDONLY },
};
static const struct { const char *name; unsigned long flag; } propagation_names[] = {
  { "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC }, { "slave", MS_SLAVE },
  { "rslave", MS_SLAVE | MS_REC }, { "shared", MS_SHARED }, { "rshared", MS_SHARED | MS_REC },
};
static const struct { const char *name; int base; unsigned long long max; } number_names[] = {
  { "size", 10, 1ULL << 62 }, { "mode", 8, 07777 }, { "uid", 10, 0xfffffffe }, { "gid", 10, 0xfffffffe }, { "nr_inodes", 10, 1ULL << 62 },
};

static bool number_option(struct options *o, const char *word) {
  for (size_t i = 0; i < sizeof number_names / sizeof *number_names; i++) {
    size_t n = strlen(number_names[i].name);
    if (strncmp(word, number_names[i].name, n) || word[n] != '=') continue;
    unsigned long long value;
    if (!parse_number(word + n + 1, number_names[i].base, number_names[i].max, &value)) die(EXIT_WRONG_USAGE, "mount: %s is not a valid number", word);
    buffer_printf(&o->data, "%s%s", o->data.len ? "," : "", word);
    return true;
  }
  return false;
}

// Reads the option words; those a kind does not take are refused by the caller through the fields that are set.
static struct options parse_options(char **words, int n) {
  struct options o = {0};
  for (int w = 0; w < n; w++) {
    bool known = number_option(&o, words[w]);
    for (size_t i = 0; !known && i < sizeof flag_names / sizeof *flag_names; i++)
      if (!strcmp(words[w], flag_names[i].name)) o.flags |= flag_names[i].flag, known = true;
    for (size_t i = 0; !known && i < sizeof propagation_names / sizeof *propagation_names; i++)
      if (!strcmp(words[w], propagation_names[i].name)) o.propagation = propagation_names[i].flag, known = true;
    if (!strcmp(words[w], "rec")) o.recursive = known = true;
    if (!strcmp(words[w], "rw")) o.read_write = known = true;
    if (!strcmp(words[w], "noswap")) buffer_printf(&o.data, "%snoswap", o.data.len ? "," : ""), known = true;
    if (!known) die(EXIT_WRONG_USAGE, "mount: unknown option \"%s\"", words[w]);
  }
  if (o.read_write && (o.flags & MS_RDONLY)) die(EXIT_WRONG_USAGE, "mount: ro and rw exclude each other");
  return o;
}

static void need_absolute(const char *what, const char *path) {
  if (path[0] != '/') die(EXIT_WRONG_USAGE, "mount: %s \"%s\" is not an absolute path", what, path);
}

static int fail(const char *what, const char *target) {
  die(EXIT_FAILED, "%s %s: %s", what, target, strerror(errno));
}

// A remount states all flags anew, so those that the mount has already (nosuid of a locked parent) are kept.
static unsigned long current_flags(const char *target) {
  struct statvfs st;
  if (statvfs(target, &st) < 0) return 0;
  return (st.f_flag & ST_NOSUID ? MS_NOSUID : 0) | (st.f_flag & ST_NODEV ? MS_NODEV : 0) | (st.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) |
         (st.f_flag & ST_NOATIME ? MS_NOATIME : 0) | (st.f_flag & ST_RELATIME ? MS_RELATIME : 0);
}

static int mount_tmpfs(int argc, char **argv) {
  if (argc < 1) die(EXIT_WRONG_USAGE, "usage: mount tmpfs TARGET [OPTION...]");
  need_absolute("target", argv[0]);
  struct options o = parse_options(argv + 1, argc - 1);
  if (o.recursive || o.propagation) die(EXIT_WRONG_USAGE, "mount tmpfs: rec and propagation are for bind mounts");
  if (mount("tmpfs", argv[0], "tmpfs", o.flags, o.data.data) < 0) return fail("mount tmpfs", argv[0]);
  return 0;
}

static int mount_bind(int argc, char **argv) {
  if (argc < 2) die(EXIT_WRONG_USAGE, "usage: mount bind SOURCE TARGET [OPTION...]");
  need_absolute("source", argv[0]);
  need_absolute("target", argv[1]);
  struct options o = parse_options(argv + 2, argc - 2);
  if (o.data.len) die(EXIT_WRONG_USAGE, "mount bind: takes no tmpfs options (%s)", o.data.data);
  if (mount(argv[0], argv[1], NULL, MS_BIND | (o.recursive ? MS_REC : 0), NULL) < 0) return fail("mount bind", argv[1]);
  bool failed = (o.flags && mount(NULL, argv[1], NULL, MS_REMOUNT | MS_BIND | o.flags | current_flags(argv[1]), NULL) < 0) ||
                (o.propagation && mount(NULL, argv[1], NULL, o.propagation, NULL) < 0);
  if (!failed) return 0;
  int saved = errno;
  umount2(argv[1], MNT_DETACH); // a writable mount must not stay where a read-only one was asked for
  errno = saved;
  return fail("mount bind", argv[1]);
}

static int mount_remount(int argc, char **argv) {
  if (argc < 1) die(EXIT_WRONG_USAGE, "usage: mount remount TARGET [OPTION...]");
  need_absolute("target", argv[0]);
  struct options o = parse_options(argv + 1, argc - 1);
  if (o.propagation || o.recursive) die(EXIT_WRONG_USAGE, "mount remount: takes no propagation and no rec");
  // With size= the file system itself is changed, without it only this mount's flags.
  unsigned long flags = MS_REMOUNT | (o.data.len ? 0 : MS_BIND) | o.flags | current_flags(argv[0]);
  if (mount(NULL, argv[0], NULL, flags, o.data.data) < 0) return fail("mount remount", argv[0]);
  return 0;
}

int mount_main(int argc, char **argv) {
  static const struct { const char *name; int (*run)(int, char **); } kinds[] = { { "tmpfs", mount_tmpfs }, { "bind", mount_bind }, { "remount", mount_remount } };
  if (argc < 2) die(EXIT_WRONG_USAGE, "usage: mount tmpfs|bind|remount ...");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(argv[1], kinds[i].name)) return kinds[i].run(argc - 2, argv + 2);
  die(EXIT_WRONG_USAGE, "mount: unknown kind \"%s\"", argv[1]);
}

int umount_main(int argc, char **argv) {
  if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "lazy"))) die(EXIT_WRONG_USAGE, "usage: umount TARGET [lazy]");
  need_absolute("target", argv[1]);
  // EINVAL: not a mount point; ENOENT: no such path. Both are the state that was asked for.
  if (umount2(argv[1], UMOUNT_NOFOLLOW | (argc == 3 ? MNT_DETACH : 0)) < 0 && errno != EINVAL && errno != ENOENT) return fail("umount", argv[1]);
  return 0;
}
