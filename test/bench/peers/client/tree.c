/*
 * Trees and directories of many files, and what one operation costs in them. A tree
 * is DIR/pP/qQ/fF with WIDTH files in each q and WIDTH directories q in each p.
 *
 * Only the operation itself is timed. What comes before it (walking to the
 * directory, having its attributes and the file's name in the kernel's caches) would
 * grow with the tree on every filesystem, since less of a larger tree is cached.
 */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

/* STEP is a prime: multiples of it visit every file of a tree once, in no order. */
enum { WIDTH = 100, NAME_BYTES = 32, STEP = 611953, DIRS_MAX = 64 };

__attribute__((format(printf, 2, 3))) static void format(char path[PATH_MAX], const char *pattern,
                                                           ...) {
  va_list values;
  va_start(values, pattern);
  int const length = vsnprintf(path, PATH_MAX, pattern, values);
  va_end(values);
  if (length < PATH_MAX) return;
  errno = ENAMETOOLONG;
  die(pattern);
}

static void make_file(const char *path) {
  int const fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0 || close(fd)) die(path);
}

/* ------------------------------------------------------------------ making */

struct plan {
  const char *dir;
  long from, to, clients;
};

static void grow_leaf(const char *dir, long leaf, long files) {
  char path[PATH_MAX], file[PATH_MAX];
  format(path, "%s/p%ld/q%ld", dir, leaf / WIDTH, leaf % WIDTH);
  if (mkdir(path, 0755)) die(path);
  for (long i = 0; i < files; i++) {
    format(file, "%s/f%ld", path, i);
    make_file(file);
  }
}

static void grow_tree_run(const void *context, long client) {
  const struct plan *const plan = context;
  long const leaves = (plan->to + WIDTH - 1) / WIDTH;
  for (long leaf = client; leaf < leaves; leaf += plan->clients) {
    long const left = plan->to - leaf * WIDTH;
    grow_leaf(plan->dir, leaf, left < WIDTH ? left : WIDTH);
  }
}

static void grow_flat_run(const void *context, long client) {
  const struct plan *const plan = context;
  char path[PATH_MAX];
  for (long i = plan->from + client; i < plan->to; i += plan->clients) {
    format(path, "%s/e%ld", plan->dir, i);
    make_file(path);
  }
}

static int report_seconds(int64_t start) {
  printf("{\"seconds\":%.6f}\n", (double)(now_ns() - start) / 1e9);
  return 0;
}

int grow_tree(int argc, char **argv) {
  (void)argc;
  struct plan const plan = {argv[0], 0, count_argument(argv[1]), count_argument(argv[2])};
  char path[PATH_MAX];
  int64_t const start = now_ns();
  if (mkdir(plan.dir, 0755)) die(plan.dir);
  for (long p = 0; p * WIDTH * WIDTH < plan.to; p++) {
    format(path, "%s/p%ld", plan.dir, p);
    if (mkdir(path, 0755)) die(path);
  }
  if (fork_clients(plan.clients, grow_tree_run, &plan)) return 1;
  return report_seconds(start);
}

int grow_flat(int argc, char **argv) {
  (void)argc;
  struct plan const plan = {argv[0], 0, count_argument(argv[1]), count_argument(argv[2])};
  int64_t const start = now_ns();
  if (mkdir(plan.dir, 0755)) die(plan.dir);
  if (fork_clients(plan.clients, grow_flat_run, &plan)) return 1;
  return report_seconds(start);
}

/* --------------------------------------------------------------- measuring */

/* Where the operation happens: a directory that was walked to, and names in it. */
struct place {
  int dir;
  long i;
  char file[NAME_BYTES];
};

static void own_name(char *name, char prefix, long i) {
  snprintf(name, NAME_BYTES, "%c%ld", prefix, i);
}

static void see_file(const struct place *place) {
  struct stat st;
  if (fstatat(place->dir, place->file, &st, AT_SYMLINK_NOFOLLOW)) die(place->file);
}
static void see_own(const struct place *place, char prefix) {
  struct stat st;
  char name[NAME_BYTES];
  own_name(name, prefix, place->i);
  if (fstatat(place->dir, name, &st, AT_SYMLINK_NOFOLLOW)) die(name);
}
static void see_n(const struct place *place) { see_own(place, 'n'); }
static void see_r(const struct place *place) { see_own(place, 'r'); }
static void see_m(const struct place *place) { see_own(place, 'm'); }
static void see_nothing(const struct place *place) { (void)place; }

static void op_open(const struct place *place) {
  int const fd = openat(place->dir, place->file, O_RDONLY);
  if (fd < 0 || close(fd)) die(place->file);
}
static void op_chmod(const struct place *place) {
  if (fchmodat(place->dir, place->file, 0600, 0)) die(place->file);
}
static void op_create(const struct place *place) {
  char name[NAME_BYTES];
  own_name(name, 'n', place->i);
  int const fd = openat(place->dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0 || close(fd)) die(name);
}
static void op_mkdir(const struct place *place) {
  char name[NAME_BYTES];
  own_name(name, 'm', place->i);
  if (mkdirat(place->dir, name, 0755)) die(name);
}
static void op_rename(const struct place *place) {
  char from[NAME_BYTES], to[NAME_BYTES];
  own_name(from, 'n', place->i);
  own_name(to, 'r', place->i);
  if (renameat(place->dir, from, place->dir, to)) die(from);
}
static void op_unlink(const struct place *place) {
  char name[NAME_BYTES];
  own_name(name, 'r', place->i);
  if (unlinkat(place->dir, name, 0)) die(name);
}
static void op_rmdir(const struct place *place) {
  char name[NAME_BYTES];
  own_name(name, 'm', place->i);
  if (unlinkat(place->dir, name, AT_REMOVEDIR)) die(name);
}

/* The first needs a mount on which no file of the tree was looked up yet. */
static const struct {
  const char *name;
  void (*prepare)(const struct place *place);
  void (*run)(const struct place *place);
} operations[] = {
    {"lookup", see_nothing, see_file}, {"open+close", see_file, op_open},
    {"chmod", see_file, op_chmod},     {"create", see_nothing, op_create},
    {"mkdir", see_nothing, op_mkdir},  {"rename", see_n, op_rename},
    {"unlink", see_r, op_unlink},      {"rmdir", see_m, op_rmdir},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* A descriptor of `path` with the directory's attributes cached. */
static int walk_to(const char *path) {
  struct stat st;
  int const dir = open(path, O_PATH | O_DIRECTORY);
  if (dir < 0 || fstat(dir, &st)) die(path);
  return dir;
}

static int open_leaf(const char *root, long leaf) {
  char path[PATH_MAX];
  format(path, "%s/p%ld/q%ld", root, leaf / WIDTH, leaf % WIDTH);
  return walk_to(path);
}

static double mean_ns(const char *root, long files, long count, int operation) {
  int64_t total = 0;
  for (long i = 0; i < count; i++) {
    long const file = (long)((int64_t)i * STEP % files);
    struct place place = {.dir = open_leaf(root, file / WIDTH), .i = i};
    own_name(place.file, 'f', file % WIDTH);
    operations[operation].prepare(&place);
    int64_t const start = now_ns();
    operations[operation].run(&place);
    total += now_ns() - start;
    close(place.dir);
  }
  return (double)total / (double)count;
}

/* Reads `path` to its end, with lstat of each entry if asked; nanoseconds per entry. */
static double list_ns(const char *path, int with_stat) {
  long entries = 0;
  struct dirent *entry;
  struct stat st;
  int64_t const start = now_ns();
  DIR *const dir = opendir(path);
  if (!dir) die(path);
  for (; (entry = readdir(dir)) != NULL; entries++)
    if (with_stat && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
      die(entry->d_name);
  closedir(dir);
  return (double)(now_ns() - start) / (double)entries;
}

static double list_leaves_ns(const char *root, long files, long count) {
  char path[PATH_MAX];
  double total = 0;
  for (long i = 0; i < count; i++) {
    long const leaf = (long)((int64_t)i * STEP % files) / WIDTH;
    format(path, "%s/p%ld/q%ld", root, leaf / WIDTH, leaf % WIDTH);
    total += list_ns(path, 1);
  }
  return total / (double)count;
}

/* Nanoseconds per operation; what it makes it removes. */
int tree_operations(int argc, char **argv) {
  (void)argc;
  const char *const root = argv[0];
  long const files = count_argument(argv[1]), count = count_argument(argv[2]);
  long const each_once = count < files ? count : files;
  long const leaves = (files + WIDTH - 1) / WIDTH;
  for (int i = 0; i < OPERATIONS; i++) {
    /* A file is looked up, and its mode changes, only once. */
    long const times = operations[i].run == see_file || operations[i].run == op_chmod ? each_once : count;
    printf("%s\"%s\":%.1f", i == 0 ? "{" : ",", operations[i].name, mean_ns(root, files, times, i));
  }
  printf(",\"list\":%.1f}\n", list_leaves_ns(root, files, leaves < DIRS_MAX ? leaves : DIRS_MAX));
  /* So that the next run changes modes again. */
  for (long i = 0; i < each_once; i++) {
    long const file = (long)((int64_t)i * STEP % files);
    int const dir = open_leaf(root, file / WIDTH);
    char name[NAME_BYTES];
    own_name(name, 'f', file % WIDTH);
    if (fchmodat(dir, name, 0644, 0)) die(name);
    close(dir);
  }
  return 0;
}

/* Nanoseconds per operation in one directory of `entries` files; what it makes it removes. */
int flat_operations(int argc, char **argv) {
  (void)argc;
  long const entries = count_argument(argv[1]), count = count_argument(argv[2]);
  long const each_once = count < entries ? count : entries;
  struct place place = {.dir = walk_to(argv[0])};
  char name[NAME_BYTES];
  int64_t start = now_ns();
  for (long i = 0; i < each_once; i++) {
    own_name(place.file, 'e', (long)((int64_t)i * STEP % entries));
    see_file(&place);
  }
  printf("{\"lookup\":%.1f", (double)(now_ns() - start) / (double)each_once);
  printf(",\"list\":%.1f", list_ns(argv[0], 0));
  printf(",\"list+stat\":%.1f", list_ns(argv[0], 1));
  start = now_ns();
  for (long i = 0; i < count; i++) {
    own_name(name, 'e', entries + i);
    int const fd = openat(place.dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0 || close(fd)) die(name);
  }
  printf(",\"create\":%.1f", (double)(now_ns() - start) / (double)count);
  start = now_ns();
  for (long i = 0; i < count; i++) {
    own_name(name, 'e', entries + i);
    if (unlinkat(place.dir, name, 0)) die(name);
  }
  printf(",\"unlink\":%.1f}\n", (double)(now_ns() - start) / (double)count);
  return 0;
}
