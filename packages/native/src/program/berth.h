// What all subjects of the program share: exit codes, buffers and small I/O helpers.
#ifndef BERTH_H
#define BERTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { EXIT_FAILED = 1, EXIT_WRONG_USAGE = 2, EXIT_NETNS = 3, EXIT_CONNECT = 4, EXIT_BROKEN = 5 };

// A growing byte buffer; data is always followed by a NUL that is not counted in len.
struct buffer { char *data; size_t len, cap; };

void buffer_add(struct buffer *b, const void *bytes, size_t n);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_drop(struct buffer *b, size_t n); // removes the first n bytes
void buffer_free(struct buffer *b);

// Reads fd to its end; at most limit bytes. -1 with errno set (EFBIG over the limit).
int read_to_end(int fd, struct buffer *out, size_t limit);
// Writes all bytes to a blocking fd. -1 with errno set.
int write_all(int fd, const void *bytes, size_t n);
// Takes the next line (without its newline, NUL-terminated, malloc'ed) out of the buffer, reading more from fd as needed. NULL at the end or on error.
char *next_line(int fd, struct buffer *pending);
// Takes exactly n bytes the same way. NULL if the stream ends before.
char *next_bytes(int fd, struct buffer *pending, size_t n);

// Prints "berth-native: TEXT" and exits.
void die(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
// Splits a line at spaces, in place; at most max words; -1 if there are more.
int split_words(char *line, char **words, int max);
// A whole decimal or octal number within bounds; false otherwise.
bool parse_number(const char *text, int base, unsigned long long max, unsigned long long *out);
// Enters the network namespace at path. -1 with errno set.
int enter_netns(const char *path);

int pause_main(int argc, char **argv);
int dial_main(int argc, char **argv);
int mount_main(int argc, char **argv);
int umount_main(int argc, char **argv);
int net_main(int argc, char **argv);
int supervise_main(int argc, char **argv);
int cni_main(void);

#endif
