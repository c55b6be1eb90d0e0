/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/names.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

const char *const unit_kind_names[UNIT_KIND__N] = {
	[UNIT_CONTAINER] = "container", [UNIT_VOLUME] = "volume",
	[UNIT_NETWORK] = "network",     [UNIT_POD] = "pod",
	[UNIT_IMAGE] = "image",         [UNIT_SERVICE] = "service",
	[UNIT_TARGET] = "target",
};

const char *const unit_kind_suffixes[UNIT_KIND__N] = {
	[UNIT_CONTAINER] = "", [UNIT_VOLUME] = "-volume", [UNIT_NETWORK] = "-network",
	[UNIT_POD] = "-pod",   [UNIT_IMAGE] = "-image",   [UNIT_SERVICE] = "",
	[UNIT_TARGET] = "",
};

const char *const unit_kind_sections[UNIT_KIND__N] = {
	[UNIT_CONTAINER] = "Container", [UNIT_VOLUME] = "Volume",
	[UNIT_NETWORK] = "Network",     [UNIT_POD] = "Pod",
	[UNIT_IMAGE] = "Image",         [UNIT_SERVICE] = "Service",
	[UNIT_TARGET] = NULL,
};

static bool char_valid(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(":_.\\@-", c));
}

static bool kind_of(const char *extension, enum unit_kind *ret)
{
	for (int k = 0; k < UNIT_KIND__N; k++)
		if (strcmp(unit_kind_names[k], extension) == 0) {
			*ret = (enum unit_kind)k;
			return true;
		}
	return false;
}

const char *unit_name_parse(const char *name, struct unit_name *ret, bool *ret_foreign)
{
	const char *dot = strrchr(name, '.'), *at;
	size_t len = strlen(name);

	*ret = (struct unit_name){0};
	*ret_foreign = false;
	if (!dot || !kind_of(dot + 1, &ret->kind)) {
		*ret_foreign = true;
		return "not the name of a unit";
	}
	if (len > LIMIT_UNIT_NAME)
		return "the name is longer than 200 characters";
	for (size_t i = 0; i < len; i++)
		if (!char_valid(name[i]))
			return "a unit's name is letters, digits and :_.\\@-";
	if (name[0] == '.' || strstr(name, ".."))
		return "a unit's name does not start with a dot nor have two in a row";
	at = memchr(name, '@', (size_t)(dot - name));
	ret->at = at;
	ret->prefix_len = (size_t)((at ? at : dot) - name);
	if (ret->prefix_len == 0)
		return "the name has nothing before its extension";
	if (at)
		ret->instance_len = (size_t)(dot - at) - 1;
	return NULL;
}

char *unit_name_template(struct arena *arena, const char *name, const struct unit_name *n)
{
	return arena_fmt(arena, "%.*s@.%s", (int)n->prefix_len, name, unit_kind_names[n->kind]);
}

char *unit_name_with_instance(struct arena *arena, const char *template, const char *instance)
{
	const char *at = strchr(template, '@');

	return arena_fmt(arena, "%.*s@%s%s", (int)(at - template), template, instance, at + 1);
}

char *unit_service_name(struct arena *arena, const char *name, const struct unit_name *n,
			const char *override)
{
	if (n->kind == UNIT_TARGET)
		return arena_strdup(arena, name);
	if (override && !n->at)
		return arena_strdup(arena, override);
	if (override) {
		/* ServiceName= of a template names the template: its instances keep theirs apart. */
		size_t len = strlen(override);

		if (len && override[len - 1] == '@')
			len--;
		return arena_fmt(arena, "%.*s@%.*s", (int)len, override, (int)n->instance_len,
				 unit_name_instance(name, n));
	}
	return arena_fmt(arena, "%.*s%s%s%.*s", (int)n->prefix_len, name,
			 unit_kind_suffixes[n->kind], n->at ? "@" : "", (int)n->instance_len,
			 n->at ? unit_name_instance(name, n) : "");
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

char *unit_name_unescape(struct arena *arena, const char *s, size_t len)
{
	char *out = arena_alloc(arena, len + 1);
	size_t n = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' && i + 3 < len && s[i + 1] == 'x' && hex(s[i + 2]) >= 0 &&
		    hex(s[i + 3]) >= 0 && hex(s[i + 2]) + hex(s[i + 3]) > 0) {
			out[n++] = (char)(hex(s[i + 2]) * 16 + hex(s[i + 3]));
			i += 3;
		} else {
			out[n++] = s[i] == '-' ? '/' : s[i];
		}
	}
	return out;
}

const char *unit_refused_extension(const char *name)
{
	static const struct {
		const char *extension, *text;
	} rows[] = {
		{".build", "not supported: build the image elsewhere and use Image="},
		{".kube", "Kubernetes YAML is not supported: write .container and .pod files"},
		{".artifact", "OCI artifacts are not supported"},
		{".timer", "timers are not supported yet"},
		{".quadlets", "bundles of several units in one file are not supported yet"},
		{".socket", "socket activation is not supported: services start at boot"},
		{".mount", "mount units are not supported: use Volume= of the container"},
		{".path", "path units are not supported"},
		{".slice", "slice units are not supported: use Slice= and limits in [Service]"},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].extension, dot) == 0)
			return rows[i].text;
	return NULL;
}

bool unit_name_always_there(const char *name)
{
	static const char *const names[] = {
		"-.mount",
		"basic.target",
		"dbus.service",
		"dbus.socket",
		"local-fs-pre.target",
		"local-fs.target",
		"network-pre.target",
		"nss-lookup.target",
		"nss-user-lookup.target",
		"paths.target",
		"podman.service",
		"podman.socket",
		"podman-user-wait-network-online.service",
		"remote-fs-pre.target",
		"remote-fs.target",
		"slices.target",
		"sockets.target",
		"swap.target",
		"sysinit.target",
		"systemd-networkd-wait-online.service",
		"systemd-networkd.service",
		"systemd-resolved.service",
		"systemd-tmpfiles-setup.service",
		"time-set.target",
		"timers.target",
		"var.mount",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}
