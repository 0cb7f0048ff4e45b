/* Records what a process does to the files of one folder, as it does it: loaded before the C library (LD_PRELOAD), it
   passes every call on and appends a record of it to a log. A record has a number, its place in the log.

   A record: operation, length of path (2 bytes), path, offset (8), length of data (4), data. All little-endian.
   Beside this it can play a full disk (POWER_FULL).
   w write, t truncate, c create, r rename (data: new path), l link (data: new path), u unlink,
   B a sync begins, E the sync that began with record `offset` has ended. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096
static char *paths[FILES];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int log_file = -1;
static const char *folder, *full;
static uint64_t number;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("POWER_FOLDER");
  const char *log = getenv("POWER_LOG");
  full = getenv("POWER_FULL");
  if (folder && log)
    log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) {
  return (log_file >= 0 || full) && folder && path && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "-shm");
}

static uint64_t record(char operation, const char *path, uint64_t offset, const void *data, uint32_t length) {
  if (log_file < 0) return 0;
  uint16_t long_path = (uint16_t)strlen(path);
  size_t size = 1 + 2 + (size_t)long_path + 8 + 4 + length;
  char *record = malloc(size), *at = record;
  *at++ = operation;
  memcpy(at, &long_path, 2), at += 2;
  memcpy(at, path, long_path), at += long_path;
  memcpy(at, &offset, 8), at += 8;
  memcpy(at, &length, 4), at += 4;
  if (length) memcpy(at, data, length);
  syscall(SYS_write, log_file, record, size);
  free(record);
  return number++;
}

static const char *path_of(int file) { return file >= 0 && file < FILES ? paths[file] : NULL; }

static int opened(int file, const char *path, int flags, int existed) {
  if (file < 0 || file >= FILES || !ours(path)) return file;
  pthread_mutex_lock(&lock);
  free(paths[file]);
  paths[file] = strdup(path);
  if (!existed) record('c', path, 0, NULL, 0);
  else if (flags & O_TRUNC) record('t', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return file;
}

#define NEXT(name) static typeof(name) *next; if (!next) next = (typeof(name) *)dlsym(RTLD_NEXT, #name)
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { NEXT(open); MODE(flags) int existed = access(path, F_OK) == 0; return opened(next(path, flags, mode), path, flags, existed); }
int open64(const char *path, int flags, ...) { NEXT(open64); MODE(flags) int existed = access(path, F_OK) == 0; return opened(next(path, flags, mode), path, flags, existed); }
int openat(int at, const char *path, int flags, ...) { NEXT(openat); MODE(flags) int existed = access(path, F_OK) == 0; return opened(next(at, path, flags, mode), path, flags, existed); }
int openat64(int at, const char *path, int flags, ...) { NEXT(openat64); MODE(flags) int existed = access(path, F_OK) == 0; return opened(next(at, path, flags, mode), path, flags, existed); }

int close(int file) {
  NEXT(close);
  if (path_of(file)) {
    pthread_mutex_lock(&lock);
    free(paths[file]);
    paths[file] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return next(file);
}

/* Whether the disk is full: while the file that POWER_FULL names is there, nothing is written. */
static int is_full(void) {
  if (!full || access(full, F_OK) != 0) return 0;
  errno = ENOSPC;
  return 1;
}

static uint64_t place(int file) {
  struct stat stat;
  int flags = fcntl(file, F_GETFL);
  if (flags & O_APPEND) return fstat(file, &stat) == 0 ? (uint64_t)stat.st_size : 0;
  return (uint64_t)lseek(file, 0, SEEK_CUR);
}

ssize_t write(int file, const void *data, size_t length) {
  NEXT(write);
  const char *path = path_of(file);
  if (!path) return next(file, data, length);
  if (is_full()) return -1;
  pthread_mutex_lock(&lock);
  uint64_t at = place(file);
  ssize_t done = next(file, data, length);
  if (done > 0) record('w', path, at, data, (uint32_t)done);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  NEXT(writev);
  if (!path_of(file)) return next(file, parts, count);
  ssize_t all = 0;
  for (int n = 0; n < count; n++) {
    ssize_t done = write(file, parts[n].iov_base, parts[n].iov_len);
    if (done < 0) return all ? all : done;
    all += done;
    if ((size_t)done < parts[n].iov_len) break;
  }
  return all;
}

#define PWRITE(name, type) \
  ssize_t name(int file, const void *data, size_t length, type at) { \
    NEXT(name); \
    const char *path = path_of(file); \
    if (!path) return next(file, data, length, at); \
    if (is_full()) return -1; \
    pthread_mutex_lock(&lock); \
    ssize_t done = next(file, data, length, at); \
    if (done > 0) record('w', path, (uint64_t)at, data, (uint32_t)done); \
    pthread_mutex_unlock(&lock); \
    return done; \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, type) \
  int name(int file, type length) { \
    NEXT(name); \
    const char *path = path_of(file); \
    if (!path) return next(file, length); \
    pthread_mutex_lock(&lock); \
    int done = next(file, length); \
    if (done == 0) record('t', path, (uint64_t)length, NULL, 0); \
    pthread_mutex_unlock(&lock); \
    return done; \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

/* The lock is free while the disk works: what is written meanwhile is not covered by this sync. */
#define SYNC(name) \
  int name(int file) { \
    NEXT(name); \
    const char *path = path_of(file); \
    if (!path) return next(file); \
    pthread_mutex_lock(&lock); \
    char *kept = strdup(path); \
    uint64_t begun = record('B', kept, 0, NULL, 0); \
    pthread_mutex_unlock(&lock); \
    int done = next(file); \
    pthread_mutex_lock(&lock); \
    if (done == 0) record('E', kept, begun, NULL, 0); \
    pthread_mutex_unlock(&lock); \
    free(kept); \
    return done; \
  }
SYNC(fsync)
SYNC(fdatasync)

static void moved(char operation, const char *from, const char *to) {
  if (!ours(from)) return;
  pthread_mutex_lock(&lock);
  record(operation, from, 0, to, to ? (uint32_t)strlen(to) : 0);
  pthread_mutex_unlock(&lock);
}

int rename(const char *from, const char *to) { NEXT(rename); int done = next(from, to); if (done == 0) moved('r', from, to); return done; }
int link(const char *from, const char *to) { NEXT(link); int done = next(from, to); if (done == 0) moved('l', from, to); return done; }
int unlink(const char *path) { NEXT(unlink); int done = next(path); if (done == 0) moved('u', path, NULL); return done; }
