/*
 * The C competitor of the round-trip bench: a libfuse 3 low-level server with
 * two files, one thread.
 *
 *   test    11 bytes, direct I/O; SEEK_DATA answers 7, so that a caller can
 *           tell a server's answer from the kernel's own
 *   quiet   nothing to read: a read waits until it is interrupted, poll says 0
 *
 * Usage: one-file MOUNTPOINT
 */
#define FUSE_USE_VERSION 314
#define _GNU_SOURCE
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INO_ROOT = 1, INO_TEST = 2, INO_QUIET = 3, DATA_AT = 7 };
#define VALID_SECONDS 3600.0
static const char text[] = "hello world";

static void fill(fuse_ino_t ino, struct stat *st) {
  memset(st, 0, sizeof *st);
  st->st_ino = ino;
  st->st_nlink = ino == INO_ROOT ? 2 : 1;
  st->st_mode = ino == INO_ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
  st->st_size = ino == INO_TEST ? (off_t)sizeof text - 1 : 0;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
  struct fuse_entry_param entry = {.attr_timeout = VALID_SECONDS, .entry_timeout = VALID_SECONDS};
  if (parent == INO_ROOT && strcmp(name, "test") == 0) entry.ino = INO_TEST;
  if (parent == INO_ROOT && strcmp(name, "quiet") == 0) entry.ino = INO_QUIET;
  if (entry.ino == 0) {
    fuse_reply_err(req, ENOENT);
    return;
  }
  fill(entry.ino, &entry.attr);
  fuse_reply_entry(req, &entry);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)fi;
  struct stat st;
  fill(ino, &st);
  fuse_reply_attr(req, &st, VALID_SECONDS);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  fi->fh = ino;
  fi->direct_io = 1;
  fuse_reply_open(req, fi);
}

static void on_interrupt(fuse_req_t req, void *data) {
  (void)data;
  fuse_reply_err(req, EINTR);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi) {
  (void)fi;
  if (ino == INO_QUIET) {
    fuse_req_interrupt_func(req, on_interrupt, NULL);
    return;
  }
  size_t const length = sizeof text - 1;
  size_t const at = off < 0 || (uint64_t)off > length ? length : (size_t)off;
  size_t const count = size < length - at ? size : length - at;
  fuse_reply_buf(req, text + at, count);
}

static void on_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
                     struct fuse_file_info *fi) {
  (void)ino;
  (void)fi;
  fuse_reply_lseek(req, whence == SEEK_DATA && off < DATA_AT ? DATA_AT : off);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
                    struct fuse_pollhandle *handle) {
  (void)fi;
  if (handle) fuse_pollhandle_destroy(handle);
  fuse_reply_poll(req, ino == INO_QUIET ? 0 : 1);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .open = on_open,
    .read = on_read,
    .lseek = on_lseek,
    .poll = on_poll,
};

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: one-file MOUNTPOINT\n");
    return 2;
  }
  char *arguments[] = {argv[0], NULL};
  struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
  struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, NULL);
  if (!session) return 1;
  int status = 1;
  if (fuse_set_signal_handlers(session) == 0) {
    if (fuse_session_mount(session, argv[1]) == 0) {
      status = fuse_session_loop(session) < 0;
      fuse_session_unmount(session);
    }
    fuse_remove_signal_handlers(session);
  }
  fuse_session_destroy(session);
  return status;
}
