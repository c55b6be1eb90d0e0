/* SPDX-License-Identifier: Apache-2.0 */
/* orphans N: leaves N children behind that all end when it has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc == 2 ? atoi(argv[1]) : 0;
	int gate[2];
	char c;

	if (pipe(gate) < 0)
		return 1;
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (pid == 0) {
			close(gate[1]);
			_exit(read(gate[0], &c, 1) == 0 ? i & 127 : 126);
		}
	}
	return 0;
}
