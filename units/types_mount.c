/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of Volume=, Mount= and Tmpfs=. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/store.h"
#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

/* Part i of both forms of a text split at ':', so that a part keeps its own raw form. When the two do not
 * have the same number of parts, a specifier had a ':' in it, and the raw form is left out. */
static struct text part_of(struct conv *c, struct text text, const char *start, size_t len, int i,
			   int n)
{
	struct text part = {arena_strndup(c->arena, start, len), NULL};
	const char *raw = text.raw;
	size_t raw_len;
	int raws = 1;

	if (!raw || !part.value)
		return part;
	for (const char *p = raw; *p; p++)
		raws += *p == ':' && raws < 3;
	if (raws != n)
		return part;
	for (; i > 0; i--)
		raw += strcspn(raw, ":") + 1;
	raw_len = strcspn(raw, ":");
	if (raw_len != len || strncmp(raw, part.value, len) != 0)
		part.raw = arena_strndup(c->arena, raw, raw_len);
	return part;
}

/* What may be said of a mount, by its sort. */
struct mount_options {
	const char *flags;
	bool values; /* size= and the like */
	const char *hint;
};

static const struct mount_options volume_options = {
	"ro rw z Z U idmap copy nocopy O noexec nosuid nodev exec suid dev bind rbind shared slave private "
	"rshared rslave rprivate noatime relatime nodiratime",
	false,
	"there are ro, rw, z, Z, U, O, noexec, nosuid, nodev, copy, nocopy, shared, slave, private",
};
static const struct mount_options tmpfs_options = {
	"ro rw z Z U noexec nosuid nodev exec suid dev noswap notmpcopyup tmpcopyup noatime relatime",
	true,
	"there are ro, noexec, nosuid, nodev, size=64m, mode=1777, uid=, gid=",
};
static const struct mount_options image_options = {
	"ro rw noexec nosuid nodev exec suid dev noatime relatime nodiratime",
	false,
	"an image's files keep their owners; there are ro, rw, noexec, nosuid, nodev",
};

static bool tmpfs_value(const char *s)
{
	int64_t value;
	const char *equals = strchr(s, '=');

	if (!equals)
		return false;
	if (strncmp(s, "mode=", 5) == 0)
		return !value_mode(equals + 1, &value);
	if (strncmp(s, "size=", 5) == 0) {
		size_t len = strlen(equals + 1);
		char number[8];

		if (len && len < sizeof(number) &&
		    equals[len] == '%') { /* of the memory: the kernel knows */
			snprintf(number, sizeof(number), "%.*s", (int)len - 1, equals + 1);
			return !value_int(number, 1, 100, &value);
		}
		return !value_podman_size(equals + 1, &value);
	}
	if (strncmp(s, "uid=", 4) == 0 || strncmp(s, "gid=", 4) == 0)
		return !value_int(equals + 1, 0, 4294967294, &value);
	return strncmp(s, "nr_inodes=", 10) == 0 && !value_podman_size(equals + 1, &value);
}

/* Two options that contradict one another. */
static const char *const contradictions[][2] = {{"ro", "rw"}, {"O", "U"}};

/* Whether an option is in a comma list. */
static bool has(const char *options, const char *option)
{
	size_t n = strlen(option);

	for (; *options; options += strspn(options, ",")) {
		size_t len = strcspn(options, ",");

		if (len == n && strncmp(options, option, n) == 0)
			return true;
		options += len;
	}
	return false;
}

/* Checks a comma list of options; false: reported. */
static bool options_valid(struct conv *c, const struct item *item, const char *options,
			  const struct mount_options *known)
{

	for (const char *s = options; *s;) {
		size_t len = strcspn(s, ",");
		char option[80];

		snprintf(option, sizeof(option), "%.*s", (int)len, s);
		if (len >= sizeof(option) || (value_choice(option, known->flags) < 0 &&
					      !(known->values && tmpfs_value(option)))) {
			conv_report(c, DIAG_ERROR, item, s, len, U_VOLUME, known->hint,
				    "unknown option \"%.*s\" in %s=", (int)len, s, c->entry->key);
			return false;
		}
		s += len + (s[len] == ',');
	}
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(*contradictions); i++) {
		const char *const *pair = contradictions[i];

		if (!has(options, pair[0]) || !has(options, pair[1]))
			continue;
		conv_error(c, item, U_VOLUME, NULL, "both %s and %s in %s=", pair[0], pair[1],
			   c->entry->key);
		return false;
	}
	return true;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool target_valid(struct conv *c, const struct item *item, const char *target,
			 const char *part)
{
	const char *why = NULL;

	if (target[0] != '/')
		why = "the place in the container must be an absolute path";
	else if (target[strspn(target, "/")] == '\0')
		why = "nothing can be mounted over the container's root";
	else if (strstr(target, "/../") || ends_with(target, "/.."))
		why = "the place in the container must not have .. in it";
	else if (strncmp(target, "/proc", 5) == 0 && (!target[5] || target[5] == '/'))
		why = "nothing can be mounted on /proc";
	if (why)
		conv_report(c, DIAG_ERROR, item, part, strlen(target), U_VOLUME,
			    strchr(target, '/') ? NULL : "write NAME:/path or /host/path:/path",
			    "\"%s\": %s", target, why);
	return !why;
}

static void add_mount(struct conv *c, void *field, const struct item *item, struct unit_mount mount)
{
	struct unit_mount *slot = CONV_PUSH(c, struct unit_mount, field);

	mount.at = conv_at(c, item);
	if (slot)
		*slot = mount;
}

/* What the source of a volume is: a path, a unit or a name. false: reported. */
static bool volume_source(struct conv *c, const struct item *item, struct unit_mount *mount)
{
	const char *source = mount->source.value;
	/* Whether it is a unit is told by what is written, before variables are filled in. */
	const char *dot = strrchr(mount->source.raw ? mount->source.raw : source, '.');

	if (source[0] == '/' || source[0] == '.') {
		const char *path = conv_path(c, item, source, false);

		mount->source.value = path;
		mount->type = "bind";
		return path;
	}
	mount->type = "volume";
	if (!store_name_valid(source)) {
		conv_report(c, DIAG_ERROR, item, item->text.value, strlen(source), U_VOLUME,
			    "write a volume's name, x.volume, /host/path or ./path",
			    "\"%s\" is no name of a volume", source);
		return false;
	}
	if (dot && strcmp(dot, ".volume") == 0)
		mount->ref = source;
	return true;
}

void parse_volumes(struct conv *c, void *field)
{
	struct unit_mount mount = {.options = ""};
	const char *parts[3], *s;
	struct item item;
	size_t lens[3];
	int n = 0, target;

	if (!conv_value(c, CONV_ALL, false, &item))
		return;
	for (s = item.text.value; n < 3; s += lens[n - 1] + 1) {
		parts[n] = s;
		lens[n] = n == 2 ? strlen(s) : strcspn(s, ":");
		if (!s[lens[n++]])
			break;
	}
	target = n > 1 ? 1 : 0;
	mount.target = part_of(c, item.text, parts[target], lens[target], target, n);
	if (!mount.target.value || !target_valid(c, &item, mount.target.value, parts[target]))
		return;
	if (n > 2)
		mount.options = parts[2];
	if (!options_valid(c, &item, mount.options, &volume_options))
		return;
	if (n == 1) { /* no source: a volume of this container alone, as new at every start */
		mount.type = "anonymous";
	} else {
		mount.source = part_of(c, item.text, parts[0], lens[0], 0, n);
		if (!mount.source.value || !volume_source(c, &item, &mount))
			return;
	}
	add_mount(c, field, &item, mount);
}

void parse_tmpfs(struct conv *c, void *field)
{
	struct unit_mount mount = {.type = "tmpfs", .options = ""};
	struct item item;
	const char *colon;
	size_t len;

	if (!conv_value(c, CONV_ALL, false, &item))
		return;
	colon = strchr(item.text.value, ':');
	len = colon ? (size_t)(colon - item.text.value) : strlen(item.text.value);
	mount.target = part_of(c, item.text, item.text.value, len, 0, colon ? 2 : 1);
	if (colon)
		mount.options = colon + 1;
	if (mount.target.value && target_valid(c, &item, mount.target.value, item.text.value) &&
	    options_valid(c, &item, mount.options, &tmpfs_options))
		add_mount(c, field, &item, mount);
}

/* --- Mount= ----------------------------------------------------------------------------------- */

struct mount_parse {
	struct unit_mount mount;
	struct buf options;
	const char *type;
};

static void add_option(struct mount_parse *m, const char *name, const char *value)
{
	if (m->options.len)
		buf_chr(&m->options, ',');
	buf_str(&m->options, name);
	buf_str(&m->options, value);
}

static bool is_true(const char *value)
{
	bool yes;

	return !*value || (!value_bool(value, &yes) && yes);
}

/* What podman calls the fields, and what they become. */
static const struct {
	const char *names; /* blank-separated */
	const char
		*when_true; /* option that a flag becomes; NULL: the field is handled by `kind` */
	const char *when_false;
	enum {
		FIELD_FLAG,
		FIELD_TYPE,
		FIELD_SOURCE,
		FIELD_TARGET,
		FIELD_OPTION,
		FIELD_NOTHING
	} kind;
} mount_fields[] = {
	{"type", NULL, NULL, FIELD_TYPE},
	{"source src", NULL, NULL, FIELD_SOURCE},
	{"target destination dst", NULL, NULL, FIELD_TARGET},
	{"ro readonly", "ro", "rw", FIELD_FLAG},
	{"rw readwrite", "rw", "ro", FIELD_FLAG},
	{"noexec", "noexec", "exec", FIELD_FLAG},
	{"nosuid", "nosuid", "suid", FIELD_FLAG},
	{"nodev", "nodev", "dev", FIELD_FLAG},
	{"exec", "exec", "noexec", FIELD_FLAG},
	{"suid", "suid", "nosuid", FIELD_FLAG},
	{"dev", "dev", "nodev", FIELD_FLAG},
	{"U chown", "U", NULL, FIELD_FLAG},
	{"idmap", "idmap", NULL, FIELD_FLAG},
	{"nocopy volume-nocopy", "nocopy", "copy", FIELD_FLAG},
	{"notmpcopyup", "notmpcopyup", "tmpcopyup", FIELD_FLAG},
	{"tmpcopyup", "tmpcopyup", "notmpcopyup", FIELD_FLAG},
	{"tmpfs-size size", "size=", NULL, FIELD_OPTION},
	{"tmpfs-mode mode", "mode=", NULL, FIELD_OPTION},
	{"bind-propagation", "", NULL, FIELD_OPTION},
	{"relabel z Z", NULL, NULL, FIELD_NOTHING},
	{"bind-nonrecursive", "bind", "rbind", FIELD_FLAG},
	{"consistency", NULL, NULL, FIELD_NOTHING},
};

static void apply_field(struct conv *c, struct mount_parse *m, size_t row, const char *value)
{
	switch (mount_fields[row].kind) {
	case FIELD_TYPE: m->type = arena_strdup(c->arena, value); break;
	case FIELD_SOURCE: m->mount.source.value = arena_strdup(c->arena, value); break;
	case FIELD_TARGET: m->mount.target.value = arena_strdup(c->arena, value); break;
	case FIELD_OPTION: add_option(m, mount_fields[row].when_true, value); break;
	case FIELD_NOTHING: break;
	case FIELD_FLAG:
		if (is_true(value))
			add_option(m, mount_fields[row].when_true, "");
		else if (mount_fields[row].when_false)
			add_option(m, mount_fields[row].when_false, "");
		break;
	}
}

/* One field of the comma list, quotes gone; false: reported. */
static bool take_field(struct conv *c, const struct item *item, struct mount_parse *m, char *field)
{
	char *value = strchr(field, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(mount_fields) / sizeof(*mount_fields); i++)
		if (value_choice(field, mount_fields[i].names) >= 0) {
			apply_field(c, m, i, value ? value : "");
			return true;
		}
	conv_error(
		c, item, U_VOLUME,
		"there are type, source, target, ro, size, mode, noexec, nosuid, nodev, bind-propagation",
		"unknown field \"%s\" in Mount=", field);
	return false;
}

/* Splits the CSV: a field may stand in "...", in which "" is a quote. */
static bool take_fields(struct conv *c, const struct item *item, struct mount_parse *m)
{
	const char *s = item->text.value;

	while (*s) {
		_buf_ struct buf field = {0};
		bool quoted = *s == '"';

		for (s += quoted; *s && (quoted || *s != ','); s++) {
			if (quoted && *s == '"') {
				if (s[1] != '"') {
					s++;
					quoted = false;
					break;
				}
				s++;
			}
			buf_chr(&field, *s);
		}
		if (quoted || (*s && *s != ',')) {
			conv_error(c, item, U_VOLUME, NULL, "a quote is not closed in Mount=");
			return false;
		}
		s += *s == ',';
		if (field.bad)
			arena_set_bad(c->arena);
		if (!field.data)
			continue;
		if (!take_field(c, item, m, field.data))
			return false;
	}
	return true;
}

static const struct mount_options *options_of(const char *type)
{
	if (strcmp(type, "tmpfs") == 0)
		return &tmpfs_options;
	return strcmp(type, "image") == 0 ? &image_options : &volume_options;
}

/* What is mounted, by the sort of the mount. false: reported. */
static bool mount_source(struct conv *c, const struct item *item, struct unit_mount *mount)
{
	if (strcmp(mount->type, "tmpfs") == 0)
		return true;
	if (!mount->source.value) {
		if (strcmp(mount->type, "volume") == 0) {
			mount->type = "anonymous";
			return true;
		}
		conv_error(c, item, U_VOLUME, "write source=...", "Mount= without a source");
		return false;
	}
	if (strcmp(mount->type, "bind") == 0) {
		mount->source.value = conv_path(c, item, mount->source.value, false);
		return mount->source.value;
	}
	if (strcmp(mount->type, "volume") == 0)
		return volume_source(c, item, mount);
	if (!conv_image(c, item, &mount->source))
		return false;
	if (ends_with(mount->source.value, ".image") && !strchr(mount->source.value, '/'))
		mount->ref = mount->source.value;
	return true;
}

static void finish_mount(struct conv *c, void *field, const struct item *item,
			 struct mount_parse *m)
{
	struct unit_mount *mount = &m->mount;

	mount->type = m->type ? m->type : "volume";
	if (value_choice(mount->type, "bind volume tmpfs image") < 0) {
		bool later = value_choice(mount->type, "glob devpts artifact ramfs") >= 0;

		conv_error(c, item, later ? U_LATER : U_VOLUME,
			   "there are bind, volume, tmpfs and image",
			   later ? "mounts of type \"%s\" are not supported yet"
				 : "unknown type \"%s\" in Mount=",
			   mount->type);
		return;
	}
	if (!mount->target.value) {
		conv_error(c, item, U_VOLUME, "write target=/path", "Mount= without a target");
		return;
	}
	if (m->options.bad)
		arena_set_bad(c->arena);
	mount->options = m->options.data ? arena_strdup(c->arena, m->options.data) : "";
	if (!mount->options || !target_valid(c, item, mount->target.value, NULL) ||
	    !options_valid(c, item, mount->options, options_of(mount->type)))
		return;
	if (mount_source(c, item, mount))
		add_mount(c, field, item, *mount);
}

void parse_mounts(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_ALL | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		struct mount_parse m = {0};

		if (take_fields(c, &items.items[i], &m))
			finish_mount(c, field, &items.items[i], &m);
		buf_done(&m.options);
	}
}
