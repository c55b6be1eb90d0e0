/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a packet, for the network tests.
 *
 *     net_probe serve NAME PORT          answers TCP, UDP and (where the kernel has it) SCTP on PORT, both
 *                                        families: "NAME saw ADDRESS\n"
 *     net_probe ask PROTO ADDR PORT MS [SOURCE]   prints the answer, or "refused", "unreachable", "silence"
 *     net_probe hold ADDR PORT           connects by TCP, prints "open", then an answer for each line read
 *
 *     net_probe rr ADDR PORT N           N questions on one TCP connection; microseconds for each, the median
 *     net_probe frame DEV HEX            sends one raw frame
 *     net_probe sniff DEV HEX MS         waits for an incoming frame that contains these bytes
 *     net_probe cast ADDR PORT TEXT      sends one UDP datagram, to a broadcast address too
 *     net_probe stream ADDR PORT MS      sends UDP from one socket every 20 ms, prints each new answer
 *     net_probe gaps ADDR PORT           asks a web server again and again, on a connection for each question; for each
 *                                        line read, the longest time without an answer since the one before, in us
 *
 * "serve" keeps a TCP connection open and answers each line.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS  64
#define RR_MAX 100000

static int type_of(const char *proto, int *protocol)
{
	*protocol = !strcmp(proto, "sctp") ? IPPROTO_SCTP : 0;
	return !strcmp(proto, "udp") ? SOCK_DGRAM : SOCK_STREAM;
}

static int answer(char *text, size_t size, const char *name, const struct sockaddr_in6 *from)
{
	char addr[INET6_ADDRSTRLEN] = "";
	const struct in6_addr *a = &from->sin6_addr;

	if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, a->s6_addr + 12, addr, sizeof(addr));
	else
		inet_ntop(AF_INET6, a, addr, sizeof(addr));
	return snprintf(text, size, "%s saw %s\n", name, addr);
}

static int listener(const char *proto, int port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int protocol, type = type_of(proto, &protocol), off = 0, on = 1;
	int fd = socket(AF_INET6, type, protocol);

	if (fd < 0 && !strcmp(proto, "sctp"))
		return -1;
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) < 0)) {
		perror(proto);
		exit(1);
	}
	return fd;
}

static void serve(const char *name, int port)
{
	struct pollfd fds[3 + CONNS];
	struct sockaddr_in6 peers[3 + CONNS];
	nfds_t n = 3;

	fds[0] = (struct pollfd){listener("tcp", port), POLLIN, 0};
	fds[1] = (struct pollfd){listener("udp", port), POLLIN, 0};
	fds[2] = (struct pollfd){listener("sctp", port), POLLIN, 0};
	puts("ready");
	fflush(stdout);
	while (poll(fds, n, -1) >= 0) {
		for (nfds_t i = 0; i < n; i++) {
			struct sockaddr_in6 from = {0};
			socklen_t len = sizeof(from);
			char text[256], in[2048];
			ssize_t got;

			if (!fds[i].revents || fds[i].fd < 0)
				continue;
			if (i == 1) {
				got = recvfrom(fds[i].fd, in, sizeof(in), 0,
					       (struct sockaddr *)&from, &len);
				if (got >= 0)
					sendto(fds[i].fd, text,
					       (size_t)answer(text, sizeof(text), name, &from), 0,
					       (struct sockaddr *)&from, len);
			} else if (i < 3) {
				int c = accept(fds[i].fd, (struct sockaddr *)&from, &len);

				if (c >= 0 && n < 3 + CONNS) {
					peers[n] = from;
					fds[n++] = (struct pollfd){c, POLLIN, 0};
				} else if (c >= 0) {
					close(c);
				}
			} else {
				got = recv(fds[i].fd, in, sizeof(in), 0);
				if (got > 0) {
					send(fds[i].fd, text,
					     (size_t)answer(text, sizeof(text), name, &peers[i]),
					     MSG_NOSIGNAL);
				} else {
					close(fds[i].fd);
					n--;
					fds[i] = fds[n];
					peers[i] = peers[n];
					break;
				}
			}
		}
	}
}

static socklen_t address(const char *addr, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, addr, &v6->sin6_addr) != 1)
		exit(2);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*v6);
}

static int complain(void)
{
	puts(errno == ECONNREFUSED                           ? "refused"
	     : errno == EHOSTUNREACH || errno == ENETUNREACH ? "unreachable"
	     : errno == EINPROGRESS || errno == EAGAIN       ? "silence"
							     : strerror(errno));
	return 1;
}

static int ask(char **args, int n_args)
{
	int protocol, type = type_of(args[0], &protocol), ms = atoi(args[3]);
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct sockaddr_storage ss, source;
	socklen_t len = address(args[1], args[2], &ss);
	int fd = socket(ss.ss_family, type, protocol);
	char text[512];
	ssize_t got;

	if (fd < 0)
		return complain();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	if (n_args > 4 && bind(fd, (struct sockaddr *)&source, address(args[4], "0", &source)) < 0)
		return complain();
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 || send(fd, "?\n", 2, MSG_NOSIGNAL) < 0)
		return complain();
	got = recv(fd, text, sizeof(text), 0);
	if (got <= 0)
		return complain();
	fwrite(text, 1, (size_t)got, stdout);
	return 0;
}

static int hold(char **args)
{
	struct sockaddr_storage ss;
	socklen_t len = address(args[0], args[1], &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);
	char line[256], text[512];
	struct timeval t = {.tv_sec = 5};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) < 0)
		return complain();
	puts("open");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		ssize_t got;

		if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			return complain();
		got = recv(fd, text, sizeof(text), 0);
		if (got <= 0)
			return complain();
		fwrite(text, 1, (size_t)got, stdout);
		fflush(stdout);
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int rr(char **args)
{
	static double us[RR_MAX];
	struct sockaddr_storage ss;
	socklen_t len = address(args[0], args[1], &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0), on = 1, n = atoi(args[2]);
	struct timespec a, b;
	char text[512];

	if (n < 1 || n > RR_MAX)
		return 2;
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) < 0)
		return complain();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (int i = 0; i < n; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		if (send(fd, "?", 1, MSG_NOSIGNAL) != 1 || recv(fd, text, sizeof(text), 0) <= 0)
			return complain();
		clock_gettime(CLOCK_MONOTONIC, &b);
		us[i] = (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
	}
	qsort(us, (size_t)n, sizeof(us[0]), by_size);
	printf("%.2f\n", us[n / 2]);
	return 0;
}

static size_t unhex(const char *hex, unsigned char *ret, size_t size)
{
	size_t n = 0;

	for (; hex[0] && hex[1] && n < size; hex += 2)
		if (sscanf(hex, "%2hhx", &ret[n]) == 1)
			n++;
	return n;
}

static int raw_socket(const char *dev)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(3 /* all */)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(3));

	ll.sll_ifindex = (int)if_nametoindex(dev);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0) {
		perror(dev);
		exit(2);
	}
	return fd;
}

static int frame(char **args)
{
	unsigned char data[1600];
	size_t n = unhex(args[1], data, sizeof(data));

	if (send(raw_socket(args[0]), data, n, 0) != (ssize_t)n) {
		perror("send");
		return 2;
	}
	return 0;
}

static int sniff(char **args)
{
	unsigned char want[256], data[65536];
	size_t n = unhex(args[1], want, sizeof(want));
	struct pollfd p = {.fd = raw_socket(args[0]), .events = POLLIN};
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);

	puts("ready");
	fflush(stdout);
	while (poll(&p, 1, atoi(args[2])) > 0) {
		ssize_t got = recvfrom(p.fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (got > 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    memmem(data, (size_t)got, want, n)) {
			puts("seen");
			return 0;
		}
	}
	puts("nothing");
	return 1;
}

static int cast(char **args)
{
	struct sockaddr_storage ss;
	socklen_t len = address(args[0], args[1], &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
	    sendto(fd, args[2], strlen(args[2]), 0, (struct sockaddr *)&ss, len) < 0)
		return complain();
	return 0;
}

static int stream(char **args)
{
	struct sockaddr_storage ss;
	socklen_t len = address(args[0], args[1], &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM, 0), left = atoi(args[2]);
	char text[512] = "", last[512] = "";

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) < 0)
		return complain();
	for (; left > 0; left -= 20) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		(void)!send(fd, "?", 1, MSG_NOSIGNAL);
		if (poll(&p, 1, 20) <= 0)
			continue;
		got = recv(fd, text, sizeof(text) - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		if (*text && strcmp(text, last) != 0) {
			fputs(text, stdout);
			fflush(stdout);
			strcpy(last, text);
		}
		usleep(20000);
	}
	return 0;
}

/* One question, on its own connection; whether something came back. */
static bool answers(const struct sockaddr_storage *ss, socklen_t len)
{
	static const char question[] = "GET / HTTP/1.0\r\n\r\n";
	struct timeval t = {.tv_sec = 1};
	int fd = socket(ss->ss_family, SOCK_STREAM, 0);
	char text[64];
	bool good;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	good = fd >= 0 && connect(fd, (const struct sockaddr *)ss, len) == 0 &&
	       send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 &&
	       recv(fd, text, sizeof(text), 0) > 0;
	close(fd);
	return good;
}

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int gaps(char **args)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	struct sockaddr_storage ss;
	socklen_t len = address(args[0], args[1], &ss);
	long long last = now_us(), longest = 0;
	char line[64];

	for (;;) {
		bool asked = poll(&in, 1, 1) > 0; /* a millisecond of nothing to do is enough */

		while (!answers(&ss, len))
			usleep(1000);
		if (now_us() - last > longest)
			longest = now_us() - last;
		last = now_us();
		if (!asked)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		printf("%lld\n", longest);
		fflush(stdout);
		longest = 0;
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(argv[2], atoi(argv[3]));
	else if (argc >= 6 && !strcmp(argv[1], "ask"))
		return ask(argv + 2, argc - 2);
	else if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "gaps"))
		return gaps(argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "rr"))
		return rr(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "frame"))
		return frame(argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "sniff"))
		return sniff(argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "cast"))
		return cast(argv + 2);
	else if (argc == 5 && !strcmp(argv[1], "stream"))
		return stream(argv + 2);
	return 2;
}
