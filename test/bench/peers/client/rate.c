/* How many operations of one kind a second: uncached reads and metadata. */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 11, CLIENTS_MAX = 64 };

int rate_pread(int argc, char **argv) {
  (void)argc;
  long const count = count_argument(argv[1]);
  int const flags = O_RDONLY | (strcmp(argv[2], "direct") == 0 ? O_DIRECT : 0);
  int const fd = open(argv[0], flags);
  if (fd < 0) die(argv[0]);
  char bytes[READ_BYTES];
  int64_t const start = now_ns();
  for (long i = 0; i < count; i++)
    if (pread(fd, bytes, sizeof bytes, 0) != READ_BYTES) die("pread");
  int64_t const elapsed = now_ns() - start;
  printf("{\"nsPerOperation\":%.1f}\n", (double)elapsed / (double)count);
  return 0;
}

/* ---------------------------------------------------------------- metadata */

typedef void (*step)(const char *dir, long i);

static void name(char *path, const char *dir, const char *prefix, long i) {
  if (snprintf(path, PATH_MAX, "%s/%s%ld", dir, prefix, i) >= PATH_MAX) {
    errno = ENAMETOOLONG;
    die(dir);
  }
}
static void do_mkdir(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "d", i);
  if (mkdir(path, 0755)) die(path);
}
static void do_create(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "f", i);
  int const fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0 || close(fd)) die(path);
}
static void do_open(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "f", i);
  int const fd = open(path, O_RDONLY);
  if (fd < 0 || close(fd)) die(path);
}
static void do_chmod(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "f", i);
  if (chmod(path, 0600)) die(path);
}
static void do_stat(const char *dir, long i) {
  char path[PATH_MAX];
  struct stat st;
  name(path, dir, "f", i);
  if (lstat(path, &st)) die(path);
}
static void do_rename(const char *dir, long i) {
  char from[PATH_MAX], to[PATH_MAX];
  name(from, dir, "f", i);
  name(to, dir, "g", i);
  if (rename(from, to)) die(from);
}
static void do_unlink(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "g", i);
  if (unlink(path)) die(path);
}
static void do_rmdir(const char *dir, long i) {
  char path[PATH_MAX];
  name(path, dir, "d", i);
  if (rmdir(path)) die(path);
}
/* One pass over the whole directory, at the first call; counted per entry. */
static void do_list(const char *dir, long i) {
  if (i != 0) return;
  DIR *const open_dir = opendir(dir);
  if (!open_dir) die(dir);
  struct dirent *entry;
  struct stat st;
  while ((entry = readdir(open_dir)) != NULL)
    if (fstatat(dirfd(open_dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) die(entry->d_name);
  closedir(open_dir);
}

/* `list` sees what mkdir and create left: two entries per file. */
static const struct {
  const char *name;
  step run;
  int per_file;
} phases[] = {
    {"mkdir", do_mkdir, 1},   {"create", do_create, 1}, {"open+close", do_open, 1},
    {"chmod", do_chmod, 1},   {"stat", do_stat, 1},     {"list", do_list, 2},
    {"rename", do_rename, 1}, {"unlink", do_unlink, 1}, {"rmdir", do_rmdir, 1},
};
enum { PHASES = sizeof phases / sizeof phases[0] };

struct board {
  pthread_barrier_t barrier;
  int64_t start[CLIENTS_MAX][PHASES], end[CLIENTS_MAX][PHASES];
};

static struct board *make_board(long clients) {
  struct board *const board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (board == MAP_FAILED) die("mmap");
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&board->barrier, &attributes, (unsigned)clients);
  return board;
}

static void client_run(struct board *board, const char *root, long client, long files) {
  char dir[PATH_MAX];
  snprintf(dir, sizeof dir, "%s/c%ld", root, client);
  if (mkdir(dir, 0755)) die(dir);
  for (int phase = 0; phase < PHASES; phase++) {
    pthread_barrier_wait(&board->barrier);
    board->start[client][phase] = now_ns();
    for (long i = 0; i < files; i++) phases[phase].run(dir, i);
    board->end[client][phase] = now_ns();
  }
  if (rmdir(dir)) die(dir);
}

/* Waits for all children; a failed one ends the rest, which may wait at a barrier. */
static int collect(const pid_t *children, long clients) {
  for (long left = clients; left > 0; left--) {
    int status;
    if (wait(&status) < 0) die("wait");
    if (status == 0) continue;
    for (long i = 0; i < clients; i++) kill(children[i], SIGKILL);
    return 1;
  }
  return 0;
}

int fork_clients(long clients, void (*run)(const void *context, long client), const void *context) {
  pid_t children[CLIENTS_MAX];
  if (clients > CLIENTS_MAX) {
    errno = E2BIG;
    die("clients");
  }
  for (long client = 0; client < clients; client++) {
    children[client] = fork();
    if (children[client] < 0) die("fork");
    if (children[client] == 0) {
      run(context, client);
      exit(0);
    }
  }
  return collect(children, clients);
}

struct metadata_plan {
  struct board *board;
  const char *root;
  long files;
};

static void metadata_run(const void *context, long client) {
  const struct metadata_plan *const plan = context;
  client_run(plan->board, plan->root, client, plan->files);
}

int rate_metadata(int argc, char **argv) {
  (void)argc;
  long const files = count_argument(argv[1]), clients = count_argument(argv[2]);
  if (clients > CLIENTS_MAX) return 2;
  struct board *const board = make_board(clients);
  struct metadata_plan const plan = {board, argv[0], files};
  if (fork_clients(clients, metadata_run, &plan)) return 1;
  for (int phase = 0; phase < PHASES; phase++) {
    int64_t start = INT64_MAX, end = 0;
    for (long client = 0; client < clients; client++) {
      if (board->start[client][phase] < start) start = board->start[client][phase];
      if (board->end[client][phase] > end) end = board->end[client][phase];
    }
    double const operations = (double)files * (double)clients * phases[phase].per_file;
    printf("%s\"%s\":%.1f", phase == 0 ? "{" : ",", phases[phase].name,
           operations * 1e9 / (double)(end - start));
  }
  printf("}\n");
  return 0;
}

/* -------------------------------------------------------------------- load */

struct load_plan {
  const char *root;
  /* Of each client. */
  long creates, chmods;
};

static void load_run(const void *context, long client) {
  const struct load_plan *const plan = context;
  char dir[PATH_MAX], path[PATH_MAX];
  snprintf(dir, sizeof dir, "%s/l%ld", plan->root, client);
  if (mkdir(dir, 0755)) die(dir);
  for (long i = 0; i < plan->creates; i++) do_create(dir, i);
  for (long i = 0; i < plan->chmods; i++) {
    name(path, dir, "f", i % plan->creates);
    if (chmod(path, i / plan->creates % 2 ? 0644 : 0600)) die(path);
  }
}

int make_load(int argc, char **argv) {
  (void)argc;
  long const creates = count_argument(argv[1]), chmods = count_argument(argv[2]);
  long const clients = count_argument(argv[3]);
  if (creates < clients) return 2;
  struct load_plan const plan = {argv[0], creates / clients, chmods / clients};
  int64_t const start = now_ns();
  if (fork_clients(clients, load_run, &plan)) return 1;
  printf("{\"seconds\":%.3f}\n", (double)(now_ns() - start) / 1e9);
  return 0;
}
