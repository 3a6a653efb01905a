/*
 * Preloaded into a node (LD_PRELOAD): of every write to an LMDB file below a folder it first keeps what stood there, until
 * a sync covers the write. So whoever has killed the process can take back what a power cut would have taken.
 * CHAOS_UNSYNCED_FOLDER: a part of the paths that are meant. CHAOS_UNSYNCED_JOURNALS: the folder with a journal per file,
 * named by the file's inode, since files are renamed. A journal has entries of: where (8 bytes), how many bytes are written
 * (4), how many of them were there before (4), the file's size before (8), the bytes that were there. The last one may be
 * cut short: its write had not begun.
 *
 * LMDB's writers take turns, also those of several processes, and nobody writes during a sync. So one lock per journal does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef int sync_fn(int);
typedef ssize_t pwrite_fn(int, const void *, size_t, off64_t);
typedef ssize_t pwritev_fn(int, const struct iovec *, int, off64_t);
typedef ssize_t writev_fn(int, const struct iovec *, int);
typedef ssize_t write_fn(int, const void *, size_t);

#define REAL(name, type) static type *real; if (real == NULL) real = (type *)dlsym(RTLD_NEXT, name)

static void die(const char *what) {
  perror(what);
  abort();
}

/* The path of an open file; 0: it has none. */
static int path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, size - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return 1;
}

static int is_meant(int fd) {
  const char *folder = getenv("CHAOS_UNSYNCED_FOLDER");
  char path[4096];
  if (folder == NULL || !path_of(fd, path, sizeof path) || strstr(path, folder) == NULL) return 0;
  const char *name = strrchr(path, '/');
  return name != NULL && strcmp(name, "/data.mdb") == 0;
}

/* The file's journal, locked until it is closed. */
static int open_journal(int fd) {
  struct stat file;
  char path[4096];
  if (fstat(fd, &file) != 0) die("fstat");
  snprintf(path, sizeof path, "%s/%llu", getenv("CHAOS_UNSYNCED_JOURNALS"), (unsigned long long)file.st_ino);
  int journal = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal < 0) die(path);
  while (flock(journal, LOCK_EX) != 0)
    if (errno != EINTR) die("flock");
  return journal;
}

static off64_t size_of(int fd) {
  struct stat file;
  if (fstat(fd, &file) != 0) die("fstat");
  return file.st_size;
}

static void cut_journal(int journal, off64_t size) {
  if (ftruncate(journal, size) != 0) die("ftruncate");
}

/* Keeps what a write replaces. */
static void keep(int fd, int journal, off64_t at, size_t count) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) die(path);
  char *entry = malloc(24 + count);
  if (entry == NULL) die("malloc");
  uint32_t before = 0;
  while (before < count) {
    ssize_t n = pread64(file, entry + 24 + before, count - before, at + before);
    if (n < 0) die("pread64");
    if (n == 0) break;
    before += n;
  }
  uint64_t where = at, size = size_of(fd);
  uint32_t written = count;
  memcpy(entry, &where, 8);
  memcpy(entry + 8, &written, 4);
  memcpy(entry + 12, &before, 4);
  memcpy(entry + 16, &size, 8);
  static write_fn *write_really;
  if (write_really == NULL) write_really = (write_fn *)dlsym(RTLD_NEXT, "write");
  if (write_really(journal, entry, 24 + before) != 24 + (ssize_t)before) die("write of the journal");
  free(entry);
  close(file);
}

/* The lock of a write under way: -1 where the file isn't meant. */
struct turn {
  int journal;
  off64_t size;
};

static struct turn begin(int fd, off64_t at, size_t count) {
  struct turn turn = {-1, 0};
  if (!is_meant(fd)) return turn;
  turn.journal = open_journal(fd);
  turn.size = size_of(turn.journal);
  keep(fd, turn.journal, at, count);
  return turn;
}

static ssize_t end(int fd, struct turn turn, ssize_t result) {
  if (turn.journal < 0) return result;
  int error = errno;
  /* Such a write is durable when it returns. */
  if (result >= 0 && (fcntl(fd, F_GETFL) & O_DSYNC) != 0) cut_journal(turn.journal, turn.size);
  close(turn.journal);
  errno = error;
  return result;
}

static int sync_file(int fd, sync_fn *real) {
  if (!is_meant(fd)) return real(fd);
  int journal = open_journal(fd);
  off64_t size = size_of(journal);
  close(journal);
  int result = real(fd);
  int error = errno;
  if (result == 0) {
    journal = open_journal(fd);
    if (size_of(journal) != size) {
      fprintf(stderr, "a file was written during its sync\n");
      abort();
    }
    cut_journal(journal, 0);
    close(journal);
  }
  errno = error;
  return result;
}

static off64_t place_of(int fd) {
  if ((fcntl(fd, F_GETFL) & O_APPEND) != 0) return size_of(fd);
  return lseek64(fd, 0, SEEK_CUR);
}

static size_t sum_of(const struct iovec *parts, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += parts[i].iov_len;
  return sum;
}

int fdatasync(int fd) {
  REAL("fdatasync", sync_fn);
  return sync_file(fd, real);
}

int fsync(int fd) {
  REAL("fsync", sync_fn);
  return sync_file(fd, real);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL("pwrite64", pwrite_fn);
  struct turn turn = begin(fd, at, count);
  return end(fd, turn, real(fd, bytes, count, at));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  REAL("pwrite", pwrite_fn);
  struct turn turn = begin(fd, at, count);
  return end(fd, turn, real(fd, bytes, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL("pwritev64", pwritev_fn);
  struct turn turn = begin(fd, at, sum_of(parts, count));
  return end(fd, turn, real(fd, parts, count, at));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL("pwritev", pwritev_fn);
  struct turn turn = begin(fd, at, sum_of(parts, count));
  return end(fd, turn, real(fd, parts, count, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL("writev", writev_fn);
  struct turn turn = {-1, 0};
  if (is_meant(fd)) turn = begin(fd, place_of(fd), sum_of(parts, count));
  return end(fd, turn, real(fd, parts, count));
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL("write", write_fn);
  struct turn turn = {-1, 0};
  if (is_meant(fd)) turn = begin(fd, place_of(fd), count);
  return end(fd, turn, real(fd, bytes, count));
}
