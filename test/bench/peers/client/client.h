/* The bench's client: one small program makes the system calls for all competitors. */
#ifndef FEEDFS_BENCH_CLIENT_H
#define FEEDFS_BENCH_CLIENT_H
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Nanoseconds of CLOCK_MONOTONIC, the same clock in every process. */
int64_t now_ns(void);
/* Prints `what` and errno's text, and exits 1. */
void die(const char *what);
/* A whole number above zero, or exit 2. */
long count_argument(const char *text);

/* Runs `run` in so many child processes; 0 when all ended well. */
int fork_clients(long clients, void (*run)(const void *context, long client), const void *context);

int rate_pread(int argc, char **argv);
int rate_metadata(int argc, char **argv);
int make_load(int argc, char **argv);
int wake_latency(int argc, char **argv);
int drain(int argc, char **argv);
int punch(int argc, char **argv);
int probe_poll(int argc, char **argv);
int probe_seek(int argc, char **argv);
int probe_interrupt(int argc, char **argv);
int trace_calls(int argc, char **argv);
int grow_tree(int argc, char **argv);
int grow_flat(int argc, char **argv);
int tree_operations(int argc, char **argv);
int flat_operations(int argc, char **argv);
int file_io(int argc, char **argv);
int seek_data(int argc, char **argv);
int read_end(int argc, char **argv);
int change_latency(int argc, char **argv);

#endif
