/* What a server lets through of poll, SEEK_DATA and signals: one answer each, by trial. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 300, SIGNAL_WAIT_MS = 1000, STEP_US = 1000 };

/* `file` has nothing to read: an honest poll waits. */
int probe_poll(int argc, char **argv) {
  (void)argc;
  int const fd = open(argv[0], O_RDONLY | O_NONBLOCK);
  if (fd < 0) die(argv[0]);
  int const ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  int const added = epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0;
  struct pollfd item = {.fd = fd, .events = POLLIN};
  int const ready = poll(&item, 1, WAIT_MS);
  printf("{\"epollAccepts\":%s,\"waits\":%s}\n", added ? "true" : "false",
         ready == 0 ? "true" : "false");
  return 0;
}

/* The server says that data begin at 7; a kernel that answers by itself says 0. */
int probe_seek(int argc, char **argv) {
  (void)argc;
  int const fd = open(argv[0], O_RDONLY);
  if (fd < 0) die(argv[0]);
  long long const at = lseek(fd, 0, SEEK_DATA);
  printf("{\"seekData\":%lld,\"errno\":%d}\n", at, at < 0 ? errno : 0);
  return 0;
}

static void ignore(int signal) { (void)signal; }

/* Milliseconds until the child is gone, or -1 after SIGNAL_WAIT_MS. */
static long wait_gone(pid_t child) {
  int64_t const start = now_ns();
  struct timespec const step = {.tv_nsec = STEP_US * 1000};
  for (;;) {
    int64_t const passed_ms = (now_ns() - start) / 1000000;
    if (waitpid(child, NULL, WNOHANG) == child) return (long)passed_ms;
    if (passed_ms > SIGNAL_WAIT_MS) return -1;
    nanosleep(&step, NULL);
  }
}

/* A child blocks in read; does SIGINT end the call, and if not, does SIGKILL end the process? */
int probe_interrupt(int argc, char **argv) {
  (void)argc;
  int ready[2];
  if (pipe(ready)) die("pipe");
  pid_t const child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    struct sigaction action = {.sa_handler = ignore};
    sigaction(SIGINT, &action, NULL);
    int const fd = open(argv[0], O_RDONLY);
    if (fd < 0) die(argv[0]);
    // It may be stuck for ever: then nobody must wait for the end of its output.
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    if (write(ready[1], "r", 1) != 1) _exit(4);
    char byte;
    _exit(read(fd, &byte, 1) < 0 && errno == EINTR ? 0 : 3);
  }
  char byte;
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) return 1;
  struct timespec const settle = {.tv_nsec = WAIT_MS * 1000000L};
  nanosleep(&settle, NULL);
  kill(child, SIGINT);
  long const sigint_ms = wait_gone(child);
  long sigkill_ms = -1;
  if (sigint_ms < 0) {
    kill(child, SIGKILL);
    sigkill_ms = wait_gone(child);
  }
  printf("{\"sigintMs\":%ld,\"sigkillMs\":%ld}\n", sigint_ms, sigkill_ms);
  return 0;
}
