/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_send [-s SECONDS] MESSAGE...: sends each message to $NOTIFY_SOCKET, SECONDS apart, and sleeps. Of a message
 * that is a path it waits until there is such a file. Exit code 2 if it could not send. In a container it is the main
 * process.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void leave(int sig)
{
	(void)sig;
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	unsigned seconds = 0;
	int first = 1;

	signal(SIGTERM, leave);
	if (argc > 2 && !strcmp(argv[1], "-s")) {
		seconds = (unsigned)atoi(argv[2]);
		first = 3;
	}
	if (!path || strlen(path) >= sizeof(to.sun_path))
		return 2;
	strcpy(to.sun_path, path);
	for (int i = first; i < argc; i++) {
		if (argv[i][0] == '/') {
			while (access(argv[i], F_OK) < 0)
				usleep(10000);
			continue;
		}
		if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&to, sizeof(to)) <
		    0) {
			perror("sendto");
			return 2;
		}
		sleep(seconds);
	}
	for (;;)
		pause();
}
