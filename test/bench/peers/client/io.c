/* Contents of one large file: sequential in pieces of 1 MiB, random in pieces of 4 KiB. */
#include "client.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { SEQUENTIAL_BYTES = 1 << 20, RANDOM_BYTES = 4096 };

static char piece[SEQUENTIAL_BYTES] __attribute__((aligned(4096)));

/* The same places in every run, for every competitor. */
static off_t random_offset(off_t pieces) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (off_t)(state % (uint64_t)pieces) * RANDOM_BYTES;
}

static void whole(ssize_t done, size_t wanted, const char *what) {
  if (done != (ssize_t)wanted) die(what);
}

/* Until the last byte was taken by write(2) and the file closed; not until it is on disk. */
static void write_all(const char *file, off_t size) {
  int const fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (fd < 0) die(file);
  for (off_t at = 0; at < size; at += SEQUENTIAL_BYTES)
    whole(write(fd, piece, sizeof piece), sizeof piece, "write");
  if (close(fd)) die("close");
}

static void read_all(const char *file, off_t size) {
  int const fd = open(file, O_RDONLY);
  if (fd < 0) die(file);
  for (off_t at = 0; at < size; at += SEQUENTIAL_BYTES)
    whole(read(fd, piece, sizeof piece), sizeof piece, "read");
  close(fd);
}

static void write_random(const char *file, off_t size, long count) {
  int const fd = open(file, O_WRONLY);
  if (fd < 0) die(file);
  for (long i = 0; i < count; i++)
    whole(pwrite(fd, piece, RANDOM_BYTES, random_offset(size / RANDOM_BYTES)), RANDOM_BYTES, "pwrite");
  if (close(fd)) die("close");
}

static void read_random(int fd, off_t size, long count) {
  for (long i = 0; i < count; i++)
    whole(pread(fd, piece, RANDOM_BYTES, random_offset(size / RANDOM_BYTES)), RANDOM_BYTES, "pread");
}

/* `file` has SIZE bytes, a multiple of 1 MiB, for all but `write`. */
int file_io(int argc, char **argv) {
  (void)argc;
  const char *const file = argv[0], *const how = argv[1];
  off_t const size = count_argument(argv[2]);
  long const count = count_argument(argv[3]);
  int fd = -1;
  memset(piece, 'x', sizeof piece);
  if (strcmp(how, "random-read") == 0) {
    /* What the mount's own page cache holds would measure the kernel; below it may be cached. */
    fd = open(file, O_RDONLY);
    if (fd < 0) die(file);
    if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)) die("fadvise");
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  }
  int64_t const start = now_ns();
  if (fd >= 0) read_random(fd, size, count);
  else if (strcmp(how, "write") == 0) write_all(file, size);
  else if (strcmp(how, "read") == 0) read_all(file, size);
  else if (strcmp(how, "random-write") == 0) write_random(file, size, count);
  else return 2;
  printf("{\"seconds\":%.9f}\n", (double)(now_ns() - start) / 1e9);
  return 0;
}
