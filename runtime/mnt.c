/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the file system says about a refusal, for people, with a colon before it; "" if it says nothing. Its lines
 * begin with the severity. */
static const char *explanation(int fs, char text[128])
{
	char line[124];
	ssize_t n = read(fs, line, sizeof(line) - 1);
	size_t skip;

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	skip = line[0] && line[1] == ' ' ? 2 : 0;
	snprintf(text, 128, "%s%s", line[skip] ? ": " : "", line + skip);
	return text;
}

static int set_option(int fs, char *option, struct fail *f)
{
	char *value = strchr(option, '=');
	char text[128];
	int r;

	if (value)
		*value++ = '\0';
	r = fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0);
	return r < 0 ? fail_set(f, errno, "mount option %s%s%s%s", option, value ? "=" : "",
				value ? value : "", explanation(fs, text))
		     : 0;
}

static int set_options(int fs, const char *options, struct fail *f)
{
	_free_
	char *copy = strdup(options);
	char *save = NULL;

	if (!copy)
		return fail_set(f, ENOMEM, "mount options");
	for (char *o = strtok_r(copy, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		int r = set_option(fs, o, f);

		if (r < 0)
			return r;
	}
	return 0;
}

int mnt_new(const char *type, const char *options, uint64_t attr, struct fail *f)
{
	_fd_
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	char text[128];
	int r, fd;

	if (fs < 0)
		return fail_set(f, errno, "fsopen(\"%s\")", type);
	r = set_options(fs, options, f);
	if (r < 0)
		return r;
	/* what /proc/mounts shows in the first column */
	if (strncmp(options, "source=", 7) != 0)
		(void)fsconfig(fs, FSCONFIG_SET_STRING, "source", type, 0);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_set(f, errno, "%s%s", type, explanation(fs, text));
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
	return fd < 0 ? fail_set(f, errno, "fsmount(\"%s\")", type) : fd;
}

int mnt_clone(int dirfd, const char *path, bool recursive, struct fail *f)
{
	int fd = open_tree(dirfd, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) |
				   (*path ? 0 : AT_EMPTY_PATH));

	return fd < 0 ? fail_set(f, errno, "open_tree(\"%s\")", path) : fd;
}

static int set_attr(int mount, struct mount_attr *attr, bool recursive)
{
	return mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr,
			     sizeof(*attr));
}

int mnt_attr(int mount, uint64_t set, uint64_t clear, int userns, bool recursive, struct fail *f)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	if (set_attr(mount, &attr, recursive) < 0)
		return fail_set(f, errno, "mount_setattr%s",
				userns >= 0 && errno == EINVAL
					? " (this file system cannot be mounted with mapped ids)"
					: "");
	return 0;
}

int mnt_propagation(int mount, uint64_t propagation, struct fail *f)
{
	struct mount_attr attr = {.propagation = propagation};

	if (set_attr(mount, &attr, true) < 0)
		return fail_set(f, errno, "mount_setattr(propagation)");
	return 0;
}

int mnt_attach(int mount, int target, struct fail *f)
{
	if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
	    0)
		return fail_set(f, errno, "move_mount");
	return 0;
}

static const struct {
	const char *name;
	uint64_t attr;
} attrs[] = {
	{"ro", MOUNT_ATTR_RDONLY},       {"nosuid", MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV},     {"noexec", MOUNT_ATTR_NOEXEC},
	{"noatime", MOUNT_ATTR_NOATIME}, {"nodiratime", MOUNT_ATTR_NODIRATIME},
};

uint64_t mnt_attr_parse(const char *flags)
{
	uint64_t set = 0;

	while (*flags) {
		size_t len = strcspn(flags, ",");

		for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
			if (strlen(attrs[i].name) == len && !memcmp(flags, attrs[i].name, len))
				set |= attrs[i].attr;
		flags += len + (flags[len] == ',');
	}
	return set;
}
