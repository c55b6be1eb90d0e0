/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/passwd.h"

#include <stdlib.h>
#include <string.h>

/* The start of the nth (from 0) field of the line whose first field is name; NULL if there is none. */
static const char *field(const char *text, const char *name, int n)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		for (; n > 0 && *line && *line != '\n'; line++)
			n -= *line == ':';
		return n == 0 ? line : NULL;
	}
	return NULL;
}

static bool number(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n;

	if (!text || *text < '0' || *text > '9')
		return false;
	n = strtoul(text, &end, 10);
	if ((*end && *end != ':' && *end != '\n') || n >= 0xffffffffu)
		return false;
	*ret = (unsigned)n;
	return true;
}

bool passwd_user(const char *passwd, const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	if (number(user, ret_uid)) {
		*ret_gid = *ret_uid;
		return true;
	}
	return number(field(passwd, user, 2), ret_uid) && number(field(passwd, user, 3), ret_gid);
}

bool passwd_group(const char *group, const char *name, gid_t *ret_gid)
{
	return number(name, ret_gid) || number(field(group, name, 2), ret_gid);
}
