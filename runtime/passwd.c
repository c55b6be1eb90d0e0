/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/passwd.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A line's fields, borrowed: name:x:id:... */
#define FIELDS 7

struct entry {
	const char *field[FIELDS];
	size_t len[FIELDS];
	size_t n;
};

/* Reads the line at *at and moves behind it; false at the end of the text. */
static bool next_entry(const char **at, struct entry *e)
{
	const char *s = *at;

	if (!*s)
		return false;
	e->n = 0;
	for (;;) {
		size_t len = strcspn(s, ":\n");

		if (e->n < FIELDS) {
			e->field[e->n] = s;
			e->len[e->n++] = len;
		}
		s += len;
		if (*s != ':')
			break;
		s++;
	}
	*at = *s ? s + 1 : s;
	return true;
}

static bool field_is(const struct entry *e, size_t i, const char *s, size_t len)
{
	return i < e->n && e->len[i] == len && !memcmp(e->field[i], s, len);
}

/* A whole field or word as an id; 4294967295 means "no change" to the kernel and is never one. */
static bool parse_id(const char *s, size_t len, uint32_t *ret)
{
	uint64_t n = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	if (n >= UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return len > 0;
}

/* What useradd would take; so "-1" and "0x0" are no names, even if a hostile file has them. */
static bool name_valid(const char *s, size_t len)
{
	if (len == 0 || (!isalpha((unsigned char)s[0]) && s[0] != '_'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_.-$", s[i]))
			return false;
	return true;
}

/* Finds the entry whose name (by_id: whose id) the word is. */
static bool find(const char *text, const char *word, size_t len, bool by_id, struct entry *e)
{
	uint32_t want = 0, id;

	if (by_id && !parse_id(word, len, &want))
		return false;
	while (next_entry(&text, e)) {
		if (e->n < 3 || !parse_id(e->field[2], e->len[2], &id))
			continue;
		if (by_id ? id == want : field_is(e, 0, word, len))
			return true;
	}
	return false;
}

static int resolve_group(const char *word, size_t len, const char *group, uint32_t *ret,
			 struct fail *f)
{
	struct entry e;

	if (all_digits(word, len)) {
		if (!parse_id(word, len, ret))
			return fail_set(f, EINVAL, "group \"%.*s\" is out of range", (int)len,
					word);
		return 0;
	}
	if (!name_valid(word, len))
		return fail_set(f, EINVAL, "group \"%.*s\" is neither a number nor a name",
				(int)len, word);
	if (!find(group, word, len, false, &e))
		return fail_set(f, ENOENT, "group \"%.*s\" is not in the image's /etc/group",
				(int)len, word);
	parse_id(e.field[2], e.len[2], ret);
	return 0;
}

static int add_group(struct passwd_user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->n_groups == PASSWD_GROUPS_MAX)
		return -E2BIG;
	u->groups[u->n_groups++] = gid;
	return 0;
}

static bool has_member(const struct entry *e, const char *name, size_t len)
{
	const char *s = e->n > 3 ? e->field[3] : NULL;
	const char *end = s ? s + e->len[3] : NULL;

	while (s && s < end) {
		size_t n = strcspn(s, ",:\n");

		if (n == len && !memcmp(s, name, len))
			return true;
		s += n + 1;
	}
	return false;
}

static int add_memberships(struct passwd_user *u, const struct entry *user, const char *group,
			   struct fail *f)
{
	struct entry e;
	uint32_t gid;

	while (next_entry(&group, &e))
		if (e.n > 3 && parse_id(e.field[2], e.len[2], &gid) &&
		    has_member(&e, user->field[0], user->len[0]) && add_group(u, gid) < 0)
			return fail_set(f, E2BIG, "the user is in more than %u groups",
					PASSWD_GROUPS_MAX);
	return 0;
}

static int resolve_user(const char *word, size_t len, const char *passwd, bool *ret_found,
			struct entry *e, struct passwd_user *ret, struct fail *f)
{
	bool number = all_digits(word, len);

	if (number && !parse_id(word, len, &ret->uid))
		return fail_set(f, EINVAL, "user \"%.*s\" is out of range", (int)len, word);
	if (!number && !name_valid(word, len))
		return fail_set(f, EINVAL, "user \"%.*s\" is neither a number nor a name", (int)len,
				word);
	*ret_found = find(passwd, word, len, number, e);
	if (!number && !*ret_found)
		return fail_set(f, ENOENT, "user \"%.*s\" is not in the image's /etc/passwd",
				(int)len, word);
	if (*ret_found) {
		parse_id(e->field[2], e->len[2], &ret->uid);
		if (e->n > 3)
			parse_id(e->field[3], e->len[3], &ret->gid);
		if (e->n > 5 && e->len[5] && e->len[5] < PASSWD_HOME_MAX && e->field[5][0] == '/') {
			memcpy(ret->home, e->field[5], e->len[5]);
			ret->home[e->len[5]] = '\0';
		}
	}
	return 0;
}

static int add_list(struct passwd_user *u, const char *list, const char *group, struct fail *f)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		uint32_t gid;
		int r = resolve_group(list, len, group, &gid, f);

		if (r < 0)
			return r;
		if (add_group(u, gid) < 0)
			return fail_set(f, E2BIG, "more than %u groups", PASSWD_GROUPS_MAX);
		list += len + (list[len] == ',');
	}
	return 0;
}

int passwd_resolve(const char *user, const char *add, const char *passwd, const char *group,
		   struct passwd_user *ret, struct fail *f)
{
	const char *word = *user ? user : "0";
	size_t len = strcspn(word, ":");
	struct entry e = {0};
	bool found = false;
	int r;

	*ret = (struct passwd_user){.home = "/"};
	r = resolve_user(word, len, passwd, &found, &e, ret, f);
	if (r < 0)
		return r;
	if (word[len] == ':')
		r = resolve_group(word + len + 1, strlen(word + len + 1), group, &ret->gid, f);
	else if (found)
		r = add_memberships(ret, &e, group, f);
	return r < 0 ? r : add_list(ret, add, group, f);
}
