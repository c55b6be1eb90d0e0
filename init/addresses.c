/* SPDX-License-Identifier: Apache-2.0 */
#include "init/addresses.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"

#define LEASES_MAX (8u << 20)

static char *leases; /* text of the file, or NULL */

void addresses_load(void)
{
	char *text = NULL;
	size_t len;

	if (io_read_file(AT_FDCWD, PATH_LEASES_RUN, LEASES_MAX, &text, &len, NULL) < 0)
		return;
	free(leases);
	leases = text;
}

/* One word of a line: its start and length; moves *at behind it. */
static size_t word(const char **at, const char **ret)
{
	size_t len;

	*at += strspn(*at, " ");
	len = strcspn(*at, " \n");
	*ret = *at;
	*at += len;
	return len;
}

/* Lines are: lease NETWORK UNIT IPV4 IPV6 */
void addresses_of(const char *unit, char *ret, size_t size)
{
	const char *line = leases;
	size_t unit_len = strlen(unit);

	ret[0] = '\0';
	for (; line && *line; line = strchr(line, '\n')) {
		const char *at, *w;
		size_t len;

		line += *line == '\n';
		at = line;
		if (word(&at, &w) != strlen("lease") || strncmp(w, "lease", strlen("lease")) != 0)
			continue;
		word(&at, &w);
		len = word(&at, &w);
		if (len != unit_len || strncmp(w, unit, len) != 0)
			continue;
		len = word(&at, &w);
		if (len >= size || (len == 1 && *w == '-'))
			continue;
		memcpy(ret, w, len);
		ret[len] = '\0';
		return;
	}
}

void addresses_host(char *ret, size_t size)
{
	/* TEST-NET-1: nobody's address, so only the default route leads there */
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in own = {0};
	socklen_t len = sizeof(own);
	_fd_
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ret[0] = '\0';
	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &len) == 0)
		inet_ntop(AF_INET, &own.sin_addr, ret, (socklen_t)size);
}
