/* One system call (or the few that make sense together) at a time, for a trace of the requests behind it. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIVE = 5 };
static const char *dir;

static const char *in_dir(const char *name) {
  static char paths[2][PATH_MAX];
  static int next;
  char *const path = paths[next++ % 2];
  if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) exit(2);
  return path;
}
static long opened(int flags) {
  int const fd = open(in_dir("file"), flags);
  if (fd < 0) die("file");
  return fd;
}

static long call_mkdir(int fd) { (void)fd; return mkdir(in_dir("d"), 0755); }
static long call_rmdir(int fd) { (void)fd; return rmdir(in_dir("d")); }
static long call_create(int fd) { (void)fd; return open(in_dir("f"), O_CREAT | O_EXCL | O_WRONLY, 0644); }
static long call_rename(int fd) { (void)fd; return rename(in_dir("f"), in_dir("g")); }
static long call_unlink(int fd) { (void)fd; return unlink(in_dir("g")); }
static long call_chmod(int fd) { (void)fd; return chmod(in_dir("file"), 0600); }
static long call_open(int fd) { (void)fd; return open(in_dir("file"), O_RDONLY); }
static long call_stat(int fd) { struct stat st; (void)fd; return stat(in_dir("file"), &st); }
static long call_missing(int fd) { struct stat st; (void)fd; return stat(in_dir("missing"), &st); }
static long call_read(int fd) { char bytes[FIVE]; return read(fd, bytes, sizeof bytes); }
static long call_seek_read(int fd) { lseek(fd, FIVE, SEEK_SET); return call_read(fd); }
static long call_seek_cur(int fd) { return lseek(fd, FIVE, SEEK_CUR); }
static long call_seek_end(int fd) { return lseek(fd, 0, SEEK_END); }
static long call_seek_data(int fd) { return lseek(fd, 0, SEEK_DATA); }
static long call_seek_hole(int fd) { return lseek(fd, 0, SEEK_HOLE); }
static long call_punch(int fd) {
  return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, FIVE);
}
static long call_fionread(int fd) {
  int count = -1;
  return ioctl(fd, FIONREAD, &count) ? -1 : count;
}
static long call_poll(int fd) {
  struct pollfd item = {.fd = fd, .events = POLLIN};
  return poll(&item, 1, 0);
}
static long call_poll_wait(int fd) {
  struct pollfd item = {.fd = fd, .events = POLLIN};
  return poll(&item, 1, FIVE);
}
static long call_epoll(int fd) {
  struct epoll_event event = {.events = EPOLLIN};
  int const ep = epoll_create1(0);
  if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event)) return -1;
  return epoll_wait(ep, &event, 1, 0);
}
static long call_fifo(int fd) {
  char byte = 'x';
  (void)fd;
  int const fifo = open(in_dir("fifo"), O_RDWR | O_NONBLOCK);
  if (fifo < 0 || write(fifo, &byte, 1) != 1) return -1;
  return read(fifo, &byte, 1);
}

static const struct {
  const char *name;
  long (*run)(int fd);
  /* The file is opened with these flags before the trace begins; -1 for none. */
  int flags;
} calls[] = {
    {"stat", call_stat, -1},
    {"stat, no such file", call_missing, -1},
    {"mkdir", call_mkdir, -1},
    {"rmdir", call_rmdir, -1},
    {"open O_CREAT|O_EXCL", call_create, -1},
    {"rename", call_rename, -1},
    {"unlink", call_unlink, -1},
    {"chmod", call_chmod, -1},
    {"open", call_open, -1},
    {"read 5", call_read, O_RDONLY},
    {"lseek SEEK_SET 5, read 5", call_seek_read, O_RDONLY},
    {"lseek SEEK_CUR", call_seek_cur, O_RDONLY},
    {"lseek SEEK_END", call_seek_end, O_RDONLY},
    {"lseek SEEK_DATA", call_seek_data, O_RDONLY},
    {"lseek SEEK_HOLE", call_seek_hole, O_RDONLY},
    {"fallocate PUNCH_HOLE", call_punch, O_RDWR},
    {"fallocate, opened O_RDONLY", call_punch, O_RDONLY},
    {"ioctl FIONREAD", call_fionread, O_RDONLY},
    {"poll, timeout 0", call_poll, O_RDONLY},
    {"poll, timeout 5 ms", call_poll_wait, O_RDONLY},
    {"epoll_ctl, epoll_wait 0", call_epoll, O_RDONLY},
    {"FIFO: open, write, read", call_fifo, -1},
};

/*
 * Runs every call in order. Around each it writes a line to `trace`, to which the
 * server appends its requests.
 */
int trace_calls(int argc, char **argv) {
  (void)argc;
  dir = argv[0];
  if (mkfifo(in_dir("fifo"), 0600)) die("fifo");
  int const trace = open(argv[1], O_WRONLY | O_APPEND);
  if (trace < 0) die(argv[1]);
  int const made = open(in_dir("file"), O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (made < 0 || write(made, "0123456789", 2 * FIVE) != 2 * FIVE || close(made)) die("file");
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    int const fd = calls[i].flags < 0 ? -1 : (int)opened(calls[i].flags);
    dprintf(trace, "begin %s\n", calls[i].name);
    errno = 0;
    long const result = calls[i].run(fd);
    dprintf(trace, "end %ld %d\n", result, result < 0 ? errno : 0);
    if (fd >= 0) close(fd);
  }
  return 0;
}
