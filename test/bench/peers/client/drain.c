/*
 * Reads a feed from its first owed byte to its end with 1 MiB reads, checking as
 * it goes that no record is missing, and acknowledges by punching a hole.
 */
#include "client.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, HEADER_BYTES = 16, INDEX_AT = 8 };

/* Of `stream`: a record begins with its length (u32), and its index (u64) is at 8. */
struct walk {
  int64_t records, gaps;
  uint64_t index;
};

/* Walks the whole records of `bytes`; the number of bytes of a cut one at the end. */
static size_t walk_records(struct walk *walk, const char *bytes, size_t count) {
  size_t at = 0;
  while (count - at >= HEADER_BYTES) {
    uint32_t length;
    uint64_t index;
    memcpy(&length, bytes + at, sizeof length);
    memcpy(&index, bytes + at + INDEX_AT, sizeof index);
    length = le32toh(length);
    index = le64toh(index);
    if (length < HEADER_BYTES || length % 8 != 0 || length > READ_BYTES) {
      fprintf(stderr, "client: not a record: length %u after index %llu\n", length,
              (unsigned long long)walk->index);
      exit(1);
    }
    if (length > count - at) break;
    if (walk->records > 0 && index != walk->index + 1) walk->gaps++;
    walk->index = index;
    walk->records++;
    at += length;
  }
  return count - at;
}

static void walk_lines(struct walk *walk, const char *bytes, size_t count) {
  const char *const end = bytes + count;
  for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
    walk->records++;
}

int drain(int argc, char **argv) {
  (void)argc;
  int const lines = strcmp(argv[1], "lines") == 0;
  int const fd = open(argv[0], O_RDONLY | O_NONBLOCK);
  if (fd < 0) die(argv[0]);
  char *const bytes = malloc(2 * READ_BYTES);
  if (!bytes) die("malloc");
  struct walk walk = {0};
  int64_t total = 0, reads = 0;
  size_t carried = 0;
  int64_t const start = now_ns();
  for (;;) {
    ssize_t const n = read(fd, bytes + carried, READ_BYTES);
    if (n == 0 || (n < 0 && errno == EAGAIN)) break;
    if (n < 0) die("read");
    total += n;
    reads++;
    if (lines) {
      walk_lines(&walk, bytes, (size_t)n);
      continue;
    }
    size_t const count = carried + (size_t)n;
    carried = walk_records(&walk, bytes, count);
    memmove(bytes, bytes + count - carried, carried);
  }
  double const seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"seconds\":%.6f,\"bytes\":%lld,\"records\":%lld,\"reads\":%lld,\"gaps\":%lld}\n", seconds,
         (long long)total, (long long)walk.records, (long long)reads, (long long)walk.gaps);
  return 0;
}

int punch(int argc, char **argv) {
  (void)argc;
  int const fd = open(argv[0], O_RDWR);
  if (fd < 0) die(argv[0]);
  off_t const offset = strtoll(argv[1], NULL, 10), length = strtoll(argv[2], NULL, 10);
  int64_t const start = now_ns();
  if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length)) die("fallocate");
  printf("{\"seconds\":%.6f}\n", (double)(now_ns() - start) / 1e9);
  return 0;
}
