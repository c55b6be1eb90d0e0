/* SPDX-License-Identifier: Apache-2.0 */
/* bench_spawn N PAUSE COMMAND...: runs it N times, PAUSE microseconds after one another, and prints what each took,
 * from fork to reaped, in microseconds. A command that fails ends it. */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	for (int i = argc < 4 ? 0 : atoi(argv[1]); i > 0; i--) {
		uint64_t began = now_us();
		int status;
		pid_t pid;

		if (posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ) != 0 ||
		    waitpid(pid, &status, 0) < 0 || status != 0) {
			fprintf(stderr, "bench_spawn: %s failed\n", argv[3]);
			return 1;
		}
		printf("%llu\n", (unsigned long long)(now_us() - began));
		usleep((useconds_t)atoi(argv[2]));
	}
	return 0;
}
