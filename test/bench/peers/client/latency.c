/*
 * From a change to a waiter awake. A child waits in epoll_wait; the parent makes
 * one directory, and goes on when the child has seen it. Prints a line per sample:
 * nanoseconds from the call's begin to awake, and from its return to awake (which
 * is negative when the waiter runs before the caller).
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 16, WAIT_MS_MAX = 5000 };

struct shared {
  int64_t awake_ns;
  long spurious;
};

static int open_watched(const char *path, const char *kind) {
  if (strcmp(kind, "inotify") == 0) {
    int const fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, path, IN_CREATE) < 0) die(path);
    return fd;
  }
  int const fd = open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) die(path);
  return fd;
}

/* Reads until there is no more; the bytes read. */
static int64_t read_all(int fd) {
  static char bytes[CHUNK];
  int64_t total = 0;
  for (;;) {
    ssize_t const n = read(fd, bytes, sizeof bytes);
    if (n > 0) total += n;
    else if (n == 0) return total;
    else if (errno == EAGAIN) return total;
    else die("read");
  }
}

static void waiter(struct shared *shared, int fd, const char *kind, long samples, int ready,
                   int seen) {
  int const ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  if (strcmp(kind, "edge") == 0) event.events |= EPOLLET;
  if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
  read_all(fd);
  for (long i = 0; i < samples; i++) {
    if (write(ready, "r", 1) != 1) die("pipe");
    for (;;) {
      int const n = epoll_wait(ep, &event, 1, WAIT_MS_MAX);
      int64_t const awake = now_ns();
      if (n < 0) die("epoll_wait");
      if (n == 0) {
        fprintf(stderr, "client: nothing arrived within %d ms\n", WAIT_MS_MAX);
        exit(1);
      }
      shared->awake_ns = awake;
      if (read_all(fd) > 0) break;
      shared->spurious++;
    }
    if (write(seen, "s", 1) != 1) die("pipe");
  }
}

int wake_latency(int argc, char **argv) {
  (void)argc;
  const char *const dir = argv[0], *const kind = argv[2];
  long const samples = count_argument(argv[3]);
  long const pause_us = strtol(argv[4], NULL, 10);
  struct shared *const shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ready[2], seen[2];
  if (shared == MAP_FAILED || pipe(ready) || pipe(seen)) die("pipe");
  /* What was changed before is no answer to what is changed now: let it come first. */
  int const changed = open(dir, O_RDONLY | O_DIRECTORY);
  if (changed < 0 || fsync(changed)) die(dir);
  close(changed);
  int const fd = open_watched(argv[1], kind);
  pid_t const child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    close(ready[0]);
    close(seen[0]);
    waiter(shared, fd, kind, samples, ready[1], seen[1]);
    exit(0);
  }
  close(fd);
  close(ready[1]);
  close(seen[1]);
  struct timespec const pause = {.tv_nsec = pause_us * 1000};
  char path[PATH_MAX], byte;
  for (long i = 0; i < samples; i++) {
    if (read(ready[0], &byte, 1) != 1) return 1;
    if (pause_us > 0) nanosleep(&pause, NULL);
    snprintf(path, sizeof path, "%s/w%ld", dir, i);
    int64_t const begun = now_ns();
    if (mkdir(path, 0755)) die(path);
    int64_t const returned = now_ns();
    if (read(seen[0], &byte, 1) != 1) return 1;
    printf("%lld %lld\n", (long long)(shared->awake_ns - begun),
           (long long)(shared->awake_ns - returned));
  }
  int status;
  if (waitpid(child, &status, 0) < 0 || status != 0) return 1;
  printf("spurious %ld\n", shared->spurious);
  for (long i = 0; i < samples; i++) {
    snprintf(path, sizeof path, "%s/w%ld", dir, i);
    rmdir(path);
  }
  return 0;
}
