// The supervisor's own structures: the table of processes, their state, and the file it survives by.
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include "berth.h"

enum wish { WISH_RUN, WISH_STOP };
enum phase { STOPPED, BACKOFF, RUNNING, STOPPING };

// What the table says about one process.
struct definition { char *name, **argv, **env, *log, *cwd, *netns; int argc, envc; unsigned grace; };

struct process {
  struct definition def;
  enum wish wish;
  enum phase phase;
  pid_t pid;
  int pidfd;
  int gate; // write end of the pipe the child waits on until the state file knows it; -1 if open already
  unsigned long long start_time; // clock ticks since boot, field 22 of /proc/pid/stat
  unsigned restarts;
  long long started_at, due_at; // monotonic milliseconds; due_at: next start (BACKOFF) or KILL (STOPPING)
  unsigned backoff;             // milliseconds of the next wait
  bool adopted, removed, killed;
  char last_exit[24];
};

struct table { struct process **items; int n; };

// Reads a table file. false with a text naming the line.
bool read_table(const char *path, struct definition **out, int *n, char *error, size_t size);
void free_definition(struct definition *d);
struct process *find_process(struct table *t, const char *name);
// Adds a process that is not running yet, wished to run.
struct process *add_process(struct table *t, struct definition def);

// The state file: written to a temporary file and renamed.
bool write_state(const char *path, const struct table *t);
// Sets pid, restarts and wish of the table's processes from the file, if it is of this boot and the process is still the same one.
// Processes in the file that are not in the table, and still run, are added as removed, to be stopped.
void adopt_state(const char *path, struct table *t);

// Start time of a process; 0 if there is none (or it is a zombie).
unsigned long long start_time_of(pid_t pid);
long long now_ms(void);
// Starts it: own session, environment, log, namespace. On failure the process is in BACKOFF with last_exit telling why.
void start_process(struct process *p);
// Lets a started child go on to its program. Called when the state file holds its pid, so that a supervisor killed in between leaves no unknown child.
void release_process(struct process *p);
// Asks it to end (TERM now, KILL after the grace).
void end_process(struct process *p);
// Its pidfd said it has ended.
void process_ended(struct process *p);
const char *phase_name(enum phase phase);

#endif
