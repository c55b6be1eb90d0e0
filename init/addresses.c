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

static bool is(const char *w, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(w, text, len);
}

/* Lines are: lease NETWORK UNIT IPV4 IPV6. Those of networks in which the unit was earlier are among them. */
static bool find(const char *unit, const char *network, char *ret, size_t size)
{
	for (const char *line = leases; line && *line; line = strchr(line, '\n')) {
		const char *at, *w;
		size_t len;

		line += *line == '\n';
		at = line;
		len = word(&at, &w);
		if (!is(w, len, "lease"))
			continue;
		len = word(&at, &w);
		if (network && !is(w, len, network))
			continue;
		len = word(&at, &w);
		if (!is(w, len, unit))
			continue;
		len = word(&at, &w);
		if (len >= size || is(w, len, "-"))
			continue;
		memcpy(ret, w, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

bool addresses_any(const char *unit)
{
	char address[64];

	return find(unit, NULL, address, sizeof(address));
}

void addresses_of(const struct unit *u, char *ret, size_t size)
{
	const struct unit *owner = u && u->container ? unit_owner(u) : u;
	const struct unit_join *joins = NULL;
	size_t n = 0;

	ret[0] = '\0';
	if (owner && owner->container) {
		joins = owner->container->networks;
		n = owner->container->n_networks;
	} else if (owner && owner->pod) {
		joins = owner->pod->networks;
		n = owner->pod->n_networks;
	}
	for (size_t i = 0; i < n; i++)
		if (join_is_bridge(&joins[i]) && find(owner->name, joins[i].name.value, ret, size))
			return;
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
