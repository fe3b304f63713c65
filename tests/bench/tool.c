// The plain-C side of the benchmark: a launcher that makes the measured program PID 1 of a namespace, the workers, and
// the floors: minimal programs that do one step of a supervisor and nothing else. Every message goes to the FIFO named
// in BENCH_FIFO as one atomic line "what pid nanoseconds" (CLOCK_MONOTONIC).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char* what) {
  fprintf(stderr, "bench tool: %s: %s\n", what, strerror(errno));
  _exit(111);
}

static int open_fifo(void) {
  const char* path = getenv("BENCH_FIFO");
  if (!path) die("BENCH_FIFO is not set");
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  return fd;
}

static void say(int fd, const char* what) {
  struct timespec now;
  char line[96];
  clock_gettime(CLOCK_MONOTONIC, &now);
  int length = snprintf(line, sizeof line, "%s %d %lld\n", what, (int)getpid(),
                        (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
  if (write(fd, line, (size_t)length) != length) die("write to the FIFO");
}

static void on_term(int signal) {
  (void)signal;
  _exit(0);
}

static void rest(void) {
  signal(SIGTERM, on_term);
  signal(SIGINT, on_term);
}

// launch CMD...: CMD as PID 1 of a PID namespace with its own /proc; says `exec` right before it becomes CMD.
static int launch(char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fifo = open_fifo();
  if (unshare(CLONE_NEWNS | CLONE_NEWPID)) die("unshare");
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("proc", "/proc", "proc", 0, NULL)) die("mount");
    say(fifo, "exec");
    execvp(argv[0], argv);
    die(argv[0]);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  say(fifo, "gone");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int worker(void) {
  rest();
  int fifo = open_fifo();
  say(fifo, "up");
  close(fifo);
  for (;;) pause();
}

// orphans N: N processes whose parent ends before them.
static int orphans(long count) {
  rest();
  int fifo = open_fifo();
  say(fifo, "begin");
  for (long i = 0; i < count; ++i) {
    pid_t parent = fork();
    if (parent < 0) die("fork");
    if (parent == 0) {
      fork();
      _exit(0);
    }
    while (waitpid(parent, NULL, 0) < 0 && errno == EINTR) continue;
  }
  say(fifo, "done");
  for (;;) pause();
}

// logger BYTES SIZE [stay]: lines of SIZE bytes, one write each, and a last line.
static int logger(long long bytes, size_t size, int stay) {
  rest();
  int fifo = open_fifo();
  char* line = malloc(size);
  if (!line) die("malloc");
  memset(line, 'x', size);
  line[size - 1] = '\n';
  say(fifo, "begin");
  for (long long left = bytes; left > 0; left -= (long long)size) {
    for (size_t done = 0; done < size;) {
      ssize_t wrote = write(1, line + done, size - done);
      if (wrote < 0 && errno != EINTR) die("write");
      if (wrote > 0) done += (size_t)wrote;
    }
  }
  if (write(1, "END-OF-BENCH\n", 13) != 13) die("write");
  say(fifo, "done");
  while (stay) pause();
  return 0;
}

static pid_t start(char** argv) {
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    _exit(127);
  }
  return pid;
}

// floor N CMD...: what no supervisor can do without: start N, reap everything, start again what ended, stop on TERM.
static int floor_of(int count, char** argv) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid_t* pids = calloc((size_t)count, sizeof *pids);
  if (!pids) die("calloc");
  for (int i = 0; i < count; ++i) pids[i] = start(argv);
  int stopping = 0;
  for (;;) {
    if (sigwaitinfo(&set, NULL) == SIGTERM && !stopping) {
      stopping = 1;
      for (int i = 0; i < count; ++i) kill(pids[i], SIGTERM);
    }
    for (;;) {
      pid_t ended = waitpid(-1, NULL, WNOHANG);
      if (ended < 0 && errno == ECHILD) return 0;
      if (ended <= 0) break;
      for (int i = 0; i < count; ++i) {
        if (pids[i] == ended && !stopping) pids[i] = start(argv);
      }
    }
  }
}

int main(int argc, char** argv) {
  // As a service directory's `run` it has no arguments: what to do is in the environment.
  const char* name = strrchr(argv[0], '/');
  const char* mode = getenv("BENCH_RUN");
  if (!strcmp(name ? name + 1 : argv[0], "run") && mode) {
    if (!strcmp(mode, "orphans")) return orphans(atol(getenv("BENCH_COUNT")));
    return worker();
  }
  if (argc >= 3 && !strcmp(argv[1], "launch")) return launch(argv + 2);
  if (argc == 2 && !strcmp(argv[1], "worker")) return worker();
  if (argc == 3 && !strcmp(argv[1], "orphans")) return orphans(atol(argv[2]));
  if (argc >= 4 && !strcmp(argv[1], "logger")) return logger(atoll(argv[2]), (size_t)atol(argv[3]), argc > 4);
  if (argc >= 4 && !strcmp(argv[1], "floor")) return floor_of(atoi(argv[2]), argv + 3);
  fprintf(stderr, "usage: tool launch|worker|orphans|logger|floor ...\n");
  return 64;
}
