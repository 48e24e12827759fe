/*
 * What `paramecium bench` compares with: the same ends as paramecium-load, as plain C over the
 * host's own sockets. Same arguments, same output.
 *
 *   udp-sink PORT                              recvmmsg
 *   udp-source ADDRESS PORT BYTES MILLISECONDS sendmmsg, 64 at a time
 *   udp-echo PORT, udp-ping ADDRESS PORT BYTES COUNT
 *   tcp-sink PORT, tcp-source ADDRESS PORT MILLISECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define DATAGRAM 65536
#define WRITE (128 << 10)
#define SOCKET_BUFFER (4 << 20)
#define SILENCE_MS 300
#define START_LIMIT_MS 20000

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in name(const char *address, const char *port) {
  struct sockaddr_in to;
  memset(&to, 0, sizeof to);
  to.sin_family = AF_INET;
  to.sin_port = htons((unsigned short)atoi(port));
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
    errno = EINVAL;
    die(address);
  }
  return to;
}

static int open_socket(int type) {
  int fd = socket(AF_INET, type, 0);
  int size = SOCKET_BUFFER, one = 1;
  if (fd < 0) die("socket");
  if (type == SOCK_DGRAM) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return fd;
}

static int bound(int type, const char *port) {
  int fd = open_socket(type);
  struct sockaddr_in at = name("127.0.0.1", port);
  if (bind(fd, (struct sockaddr *)&at, sizeof at)) die("bind");
  return fd;
}

static int connected(int type, const char *address, const char *port) {
  int fd = open_socket(type);
  struct sockaddr_in to = name(address, port);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  return fd;
}

static void limit(int fd, int ms) {
  struct timeval t = {ms / 1000, ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

static void listening(void) {
  puts("listening");
  fflush(stdout);
}

static int received(long long count, long long bytes, long long nanos) {
  printf("received=%lld bytes=%lld nanos=%lld\n", count, bytes, nanos);
  return count == 0;
}

static int udp_sink(const char *port) {
  static char data[BURST][DATAGRAM];
  struct mmsghdr messages[BURST];
  struct iovec vectors[BURST];
  long long count = 0, bytes = 0, first = 0, last = 0;
  int fd = bound(SOCK_DGRAM, port);
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BURST; i++) {
    vectors[i] = (struct iovec){data[i], DATAGRAM};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  limit(fd, START_LIMIT_MS);
  listening();
  for (;;) {
    int got = recvmmsg(fd, messages, BURST, MSG_WAITFORONE, NULL);
    if (got < 0) {
      if (errno == EINTR) continue;
      break;
    }
    last = now();
    if (count == 0) {
      first = last;
      limit(fd, SILENCE_MS);
    }
    count += got;
    for (int i = 0; i < got; i++) bytes += messages[i].msg_len;
  }
  return received(count, bytes, last - first);
}

static int udp_source(char **words) {
  static char data[DATAGRAM];
  struct mmsghdr messages[BURST];
  struct iovec vector = {data, (size_t)atoi(words[2])};
  long long sent = 0, refused = 0, end = now() + atoi(words[3]) * 1000000LL;
  int fd = connected(SOCK_DGRAM, words[0], words[1]);
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BURST; i++) {
    messages[i].msg_hdr.msg_iov = &vector;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  while (now() < end) {
    int done = sendmmsg(fd, messages, BURST, 0);
    if (done > 0)
      sent += done;
    else
      refused++;
  }
  printf("sent=%lld refused=%lld\n", sent, refused);
  return 0;
}

static int udp_echo(const char *port) {
  static char data[DATAGRAM];
  struct sockaddr_in from;
  long long count = 0, bytes = 0, first = 0, last = 0;
  int fd = bound(SOCK_DGRAM, port);
  limit(fd, START_LIMIT_MS);
  listening();
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
    if (got < 0) {
      if (errno == EINTR) continue;
      break;
    }
    sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, size);
    last = now();
    if (count++ == 0) {
      first = last;
      limit(fd, SILENCE_MS);
    }
    bytes += got;
  }
  return received(count, bytes, last - first);
}

static int ascending(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

static int udp_ping(char **words) {
  static char data[DATAGRAM];
  size_t size = (size_t)atoi(words[2]);
  int count = atoi(words[3]), measured = 0, lost = 0;
  int fd = connected(SOCK_DGRAM, words[0], words[1]);
  long long *nanos = calloc((size_t)count, sizeof *nanos);
  if (!nanos) die("calloc");
  limit(fd, 500);
  for (int i = 0; i < count; i++) {
    long long start = now();
    if (send(fd, data, size, 0) < 0 || recv(fd, data, sizeof data, 0) < 0)
      lost++;
    else
      nanos[measured++] = now() - start;
  }
  if (measured == 0) return 1;
  qsort(nanos, (size_t)measured, sizeof *nanos, ascending);
  printf("count=%d lost=%d p50=%lld p99=%lld\n", measured, lost, nanos[(measured - 1) * 50LL / 100],
         nanos[(measured - 1) * 99LL / 100]);
  return 0;
}

static int tcp_sink(const char *port) {
  static char data[WRITE];
  long long count = 0, bytes = 0, first = 0, last = 0;
  int fd = bound(SOCK_STREAM, port), peer;
  ssize_t got;
  if (listen(fd, 1)) die("listen");
  listening();
  peer = accept(fd, NULL, NULL);
  if (peer < 0) die("accept");
  while ((got = recv(peer, data, sizeof data, 0)) > 0) {
    last = now();
    if (count++ == 0) first = last;
    bytes += got;
  }
  return received(count, bytes, last - first);
}

static int tcp_source(char **words) {
  static char data[WRITE];
  long long sent = 0, end = now() + atoi(words[2]) * 1000000LL;
  int fd = connected(SOCK_STREAM, words[0], words[1]);
  while (now() < end) {
    ssize_t done = send(fd, data, sizeof data, 0);
    if (done < 0) die("send");
    sent += done;
  }
  printf("sent=%lld\n", sent);
  return 0;
}

int main(int argc, char **argv) {
  const char *end = argc > 1 ? argv[1] : "";
  if (!strcmp(end, "udp-sink") && argc == 3) return udp_sink(argv[2]);
  if (!strcmp(end, "udp-source") && argc == 6) return udp_source(argv + 2);
  if (!strcmp(end, "udp-echo") && argc == 3) return udp_echo(argv[2]);
  if (!strcmp(end, "udp-ping") && argc == 6) return udp_ping(argv + 2);
  if (!strcmp(end, "tcp-sink") && argc == 3) return tcp_sink(argv[2]);
  if (!strcmp(end, "tcp-source") && argc == 5) return tcp_source(argv + 2);
  fprintf(stderr, "usage: see the top of reference.c\n");
  return 2;
}
