/* What a long backlog could slow down: finding its begin, reading its end, and other changes meanwhile. */
#include "client.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 100 };

/* Nanoseconds per lseek(fd, 0, SEEK_DATA); ENXIO, when nothing is owed, counts as well. */
int seek_data(int argc, char **argv) {
  (void)argc;
  long const count = count_argument(argv[1]);
  int const fd = open(argv[0], O_RDONLY);
  if (fd < 0) die(argv[0]);
  int64_t const start = now_ns();
  for (long i = 0; i < count; i++) lseek(fd, 0, SEEK_DATA);
  printf("{\"nsPerOperation\":%.1f}\n", (double)(now_ns() - start) / (double)count);
  return 0;
}

/* Nanoseconds per pread of the last BYTES of the file. */
int read_end(int argc, char **argv) {
  (void)argc;
  long const count = count_argument(argv[1]), bytes = count_argument(argv[2]);
  int const fd = open(argv[0], O_RDONLY | O_NONBLOCK);
  struct stat st;
  if (fd < 0 || fstat(fd, &st)) die(argv[0]);
  if (st.st_size < bytes) {
    fprintf(stderr, "client: %s has %lld bytes only\n", argv[0], (long long)st.st_size);
    return 1;
  }
  char *const buffer = malloc((size_t)bytes);
  if (!buffer) die("malloc");
  int64_t const start = now_ns();
  for (long i = 0; i < count; i++)
    if (pread(fd, buffer, (size_t)bytes, st.st_size - bytes) <= 0) die("pread");
  printf("{\"nsPerOperation\":%.1f}\n", (double)(now_ns() - start) / (double)count);
  return 0;
}

static int by_value(const void *a, const void *b) {
  int64_t const x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Changes modes in DIR for MS milliseconds; percentiles of the calls' durations in microseconds. */
int change_latency(int argc, char **argv) {
  (void)argc;
  char path[PATH_MAX];
  int64_t const duration = (int64_t)count_argument(argv[1]) * 1000000;
  long capacity = 1 << 16, count = 0;
  int64_t *ns = malloc((size_t)capacity * sizeof *ns);
  if (!ns || mkdir(argv[0], 0755)) die(argv[0]);
  for (long i = 0; i < FILES; i++) {
    snprintf(path, sizeof path, "%s/f%ld", argv[0], i);
    int const fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0 || close(fd)) die(path);
  }
  int64_t const end = now_ns() + duration;
  for (int64_t begun = now_ns(), done; begun < end; begun = done) {
    snprintf(path, sizeof path, "%s/f%ld", argv[0], count % FILES);
    if (chmod(path, count / FILES % 2 ? 0644 : 0600)) die(path);
    done = now_ns();
    if (count == capacity) {
      capacity *= 2;
      ns = realloc(ns, (size_t)capacity * sizeof *ns);
      if (!ns) die("realloc");
    }
    ns[count++] = done - begun;
  }
  qsort(ns, (size_t)count, sizeof *ns, by_value);
  printf("{\"operations\":%ld,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n", count,
         (double)ns[count / 2] / 1e3, (double)ns[count - 1 - count / 100] / 1e3,
         (double)ns[count - 1 - count / 1000] / 1e3, (double)ns[count - 1] / 1e3);
  return 0;
}
