/*
 * Preloaded into a node (LD_PRELOAD): what is written to files below a folder fails, or takes long, as a command file says.
 * CHAOS_DISK_FOLDER: a part of the paths that are meant. CHAOS_DISK_COMMAND: the file with "eio", "erofs" or "slow MS".
 * A sync fails once, as with a kernel that has then forgotten what it couldn't write: all further ones of the process say
 * that all is well, and each adds a line to the file named as the command's, with ".again" after it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef int sync_fn(int);
typedef ssize_t pwrite_fn(int, const void *, size_t, off64_t);
typedef ssize_t pwritev_fn(int, const struct iovec *, int, off64_t);
typedef ssize_t writev_fn(int, const struct iovec *, int);
typedef ssize_t write_fn(int, const void *, size_t);

enum fault { NONE, EIO_ON_SYNC, READ_ONLY, SLOW };

static int is_meant(int fd) {
  const char *folder = getenv("CHAOS_DISK_FOLDER");
  char link[64], path[4096];
  if (folder == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return strstr(path, folder) != NULL;
}

static enum fault command(long *ms) {
  const char *file = getenv("CHAOS_DISK_COMMAND");
  char text[64] = {0};
  *ms = 0;
  if (file == NULL) return NONE;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NONE;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return NONE;
  if (strncmp(text, "eio", 3) == 0) return EIO_ON_SYNC;
  if (strncmp(text, "erofs", 5) == 0) return READ_ONLY;
  if (strncmp(text, "slow ", 5) == 0) {
    *ms = atol(text + 5);
    return SLOW;
  }
  return NONE;
}

static atomic_int has_failed;

/* Somebody syncs again after a sync has failed. */
static void note_again(void) {
  const char *file = getenv("CHAOS_DISK_COMMAND");
  char path[4096];
  snprintf(path, sizeof path, "%s.again", file);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) abort();
  if (write(fd, "again\n", 6) != 6) abort();
  close(fd);
}

/* The errno with which a sync fails; 0: it goes on, perhaps late. */
static int before_sync(int fd) {
  long ms;
  if (!is_meant(fd)) return 0;
  if (atomic_load(&has_failed)) {
    note_again();
    return 0;
  }
  enum fault fault = command(&ms);
  if (fault == SLOW) {
    struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
  }
  if (fault != EIO_ON_SYNC) return 0;
  atomic_store(&has_failed, 1);
  return EIO;
}

static int before_write(int fd) {
  long ms;
  return is_meant(fd) && command(&ms) == READ_ONLY ? EROFS : 0;
}

#define REAL(name, type) static type *real; if (real == NULL) real = (type *)dlsym(RTLD_NEXT, name)
#define FAIL(check) do { int failed = (check); if (failed != 0) { errno = failed; return -1; } } while (0)

int fdatasync(int fd) {
  REAL("fdatasync", sync_fn);
  FAIL(before_sync(fd));
  return real(fd);
}

int fsync(int fd) {
  REAL("fsync", sync_fn);
  FAIL(before_sync(fd));
  return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL("pwrite64", pwrite_fn);
  FAIL(before_write(fd));
  return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  REAL("pwrite", pwrite_fn);
  FAIL(before_write(fd));
  return real(fd, bytes, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL("pwritev", pwritev_fn);
  FAIL(before_write(fd));
  return real(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL("pwritev64", pwritev_fn);
  FAIL(before_write(fd));
  return real(fd, parts, count, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL("writev", writev_fn);
  FAIL(before_write(fd));
  return real(fd, parts, count);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL("write", write_fn);
  FAIL(before_write(fd));
  return real(fd, bytes, count);
}
