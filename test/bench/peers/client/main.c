/* Dispatch to the verbs of the bench's client. Each prints one JSON object, or a table of numbers. */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <time.h>

int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void die(const char *what) {
  fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
  exit(1);
}

long count_argument(const char *text) {
  char *end;
  long const value = strtol(text, &end, 10);
  if (*text == 0 || *end != 0 || value <= 0) {
    fprintf(stderr, "client: not a count: %s\n", text);
    exit(2);
  }
  return value;
}

static const struct {
  const char *name;
  int arguments;
  int (*run)(int argc, char **argv);
  const char *usage;
} verbs[] = {
    {"pread", 3, rate_pread, "FILE COUNT plain|direct"},
    {"metadata", 3, rate_metadata, "DIR FILES CLIENTS"},
    {"load", 4, make_load, "DIR CREATES CHMODS CLIENTS"},
    {"latency", 5, wake_latency, "DIR WATCHED level|edge|inotify SAMPLES PAUSE_US"},
    {"drain", 2, drain, "FILE records|lines"},
    {"punch", 3, punch, "FILE OFFSET LENGTH"},
    {"probe-poll", 1, probe_poll, "FILE"},
    {"probe-seek", 1, probe_seek, "FILE"},
    {"probe-interrupt", 1, probe_interrupt, "FILE"},
    {"trace-calls", 2, trace_calls, "DIR TRACE"},
    {"grow-tree", 3, grow_tree, "DIR FILES CLIENTS"},
    {"grow-flat", 3, grow_flat, "DIR FILES CLIENTS"},
    {"tree-operations", 3, tree_operations, "DIR FILES COUNT"},
    {"flat-operations", 3, flat_operations, "DIR FILES COUNT"},
    {"file-io", 4, file_io, "FILE write|read|random-write|random-read SIZE COUNT"},
    {"seek-data", 2, seek_data, "FILE COUNT"},
    {"read-end", 3, read_end, "FILE COUNT BYTES"},
    {"change-latency", 2, change_latency, "DIR MS"},
};

int main(int argc, char **argv) {
  size_t const count = sizeof verbs / sizeof verbs[0];
  for (size_t i = 0; argc >= 2 && i < count; i++) {
    if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 == verbs[i].arguments)
      return verbs[i].run(argc - 2, argv + 2);
  }
  for (size_t i = 0; i < count; i++)
    fprintf(stderr, "usage: client %s %s\n", verbs[i].name, verbs[i].usage);
  return 2;
}
