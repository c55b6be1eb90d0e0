/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading units: from the bytes of files to a resolved, ordered `struct unit_set`.
 *
 * units_load() is pure: the same input gives the same set and the same messages, in the same order.
 * What is wrong with a file is a diagnostic in the set, never a failure of the load; the load itself
 * fails only when memory runs out (-ENOMEM) or LIMIT_UNITS is passed (-E2BIG).
 *
 * units_load_dirs() is the thin shell around it: it reads folders (recursively; links followed; only
 * regular files; LIMIT_UNIT_FILE each) and gathers the facts that specifiers ask for.
 */
#pragma once

#include "base/buf.h"
#include "units/unit.h"

/* One file as found: a unit ("/etc/containers/systemd/web.container") or a drop-in (its folder ends in
 * ".d", its name in ".conf"). Files come in order of precedence; of two units with one name the first
 * wins and masks the other. */
struct unit_file {
	const char *path;
	const char *data; /* NULL: not readable, see error */
	size_t len;
	const char *error; /* why it could not be read; the unit is rejected with it */
	bool masked;       /* a link to /dev/null */
};

/* What specifiers stand for. NULL = "". */
struct unit_host {
	const char *hostname;   /* %H %l */
	const char *machine_id; /* %m */
	const char *boot_id;    /* %b */
	const char *release;    /* %v: kernel */
	const char *arch;       /* %a */
	const char *os_release; /* text of /etc/os-release: %o %w %W %B %A %M */
	int64_t memory_total;   /* bytes, for MemoryMax=25%; 0 = not known */
	int64_t pids_total;     /* for TasksMax=10%; 0 = not known */
};

struct units_input {
	const struct unit_file *files;
	size_t n_files;
	const char *const
		*instances; /* template instances to make beside those the files ask for */
	size_t n_instances;
	struct unit_host host;
	/* Reads a file that a unit names ([Service] EnvironmentFile=): 0 or -errno; the result is freed
	 * with free(). NULL: such files count as absent, with a warning. */
	int (*read)(void *ctx, const char *path, char **ret, size_t *ret_len);
	void *ctx;
};

int units_load(const struct units_input *in, struct unit_set **ret, struct fail *f);

/* The folders of base/paths.h in their order, ended by NULL. */
extern const char *const units_dirs[];

/* paths: folders and single files, first wins, ended by NULL; a folder that does not exist is silent.
 * instances: as in units_input, ended by NULL, or NULL. */
int units_load_dirs(const char *const *paths, const char *const *instances, struct unit_set **ret,
		    struct fail *f);

/* The same in two halves. The first reads, everything that a load needs, and may take as long as a disk takes; the
 * second is pure and makes of it what units_load_dirs() would have made then, as often as it is asked. It refuses what
 * was cut off (-EINVAL). */
int units_pack_dirs(const char *const *paths, struct buf *out, struct fail *f);
int units_load_packed(const char *data, size_t len, struct unit_set **ret, struct fail *f);
