/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

static bool lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z');
}

bool store_hex_valid(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return s[n] == '\0' && (n == 64 || n == 128);
}

bool store_name_valid(const char *s)
{
	size_t n = 0;

	if (!alnum(s[0]))
		return false;
	while (alnum(s[n]) || (s[n] && strchr("_.@:-", s[n])))
		n++;
	return s[n] == '\0' && n <= LIMIT_UNIT_NAME;
}

static bool digest_valid(const char *s)
{
	const char *hex = strchr(s, ':');
	size_t want;

	if (!hex)
		return false;
	want = !strncmp(s, "sha256:", 7) ? 64 : !strncmp(s, "sha512:", 7) ? 128 : 0;
	return want && strlen(hex + 1) == want && store_hex_valid(hex + 1);
}

static bool tag_valid(const char *s, size_t len)
{
	if (len == 0 || len > 128 || (!alnum(s[0]) && s[0] != '_'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!alnum(s[i]) && !strchr("._-", s[i]))
			return false;
	return true;
}

/* One component of NAME; a host (the first of several) may have upper case and a port. */
static bool component_valid(const char *s, size_t len, bool host)
{
	if (len == 0 || !alnum(s[0]) || !alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!lower(s[i]) && !strchr("._-", s[i]) && !(host && (alnum(s[i]) || s[i] == ':')))
			return false;
	return true;
}

static bool name_valid(const char *s, size_t len)
{
	bool first = true;

	for (;;) {
		const char *slash = memchr(s, '/', len);
		size_t n = slash ? (size_t)(slash - s) : len;

		if (!component_valid(s, n, first && slash))
			return false;
		if (!slash)
			return true;
		first = false;
		s += n + 1;
		len -= n + 1;
	}
}

/* Where NAME ends: at the '@', or at the ':' of the last component. */
static size_t name_length(const char *ref)
{
	size_t end = strcspn(ref, "@");

	for (size_t i = end; i > 0 && ref[i - 1] != '/'; i--)
		if (ref[i - 1] == ':')
			return i - 1;
	return end;
}

bool store_ref_short(const char *ref)
{
	return memchr(ref, '/', name_length(ref)) == NULL;
}

int store_ref_name(const char *ref, char ret_name[STORE_REF_MAX + 8], struct fail *f)
{
	size_t name = name_length(ref);
	size_t digest = strcspn(ref, "@");

	if (strlen(ref) > STORE_REF_MAX)
		return fail_set(f, ENAMETOOLONG, "image reference \"%.40s...\"", ref);
	if (!name_valid(ref, name))
		return fail_set(f, EINVAL,
				"image reference \"%s\": the name is not [host[:port]/]name"
				" in lower case",
				ref);
	if (name < digest && !tag_valid(ref + name + 1, digest - name - 1))
		return fail_set(f, EINVAL, "image reference \"%s\": bad tag", ref);
	if (ref[digest] == '@' && !digest_valid(ref + digest + 1))
		return fail_set(f, EINVAL,
				"image reference \"%s\": the digest is not sha256:<64 hex>", ref);
	snprintf(ret_name, STORE_REF_MAX + 8, "%s%s", ref, ref[name] ? "" : ":latest");
	for (char *c = ret_name; *c; c++)
		if (*c == '/')
			*c = '+';
	return 0;
}
