/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/units/load_text.h"

#include <errno.h>
#include <stdio.h>

#include "units/unit_json.h"

const struct unit_host test_host = {
	.hostname = "box.lan",
	.machine_id = "0123456789abcdef0123456789abcdef",
	.boot_id = "fedcba9876543210fedcba9876543210",
	.release = "6.1.0",
	.arch = "x86-64",
	.os_release = "NAME=\"Orlop\"\nID=orlop\nVERSION_ID=\"1.2\"\n",
	.memory_total = INT64_C(1) << 30,
	.pids_total = 4194304,
};

/* The one file that [Service] EnvironmentFile= can find in tests. */
static int read_file(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	static const char text[] = "# comment\nTAG=1.27\nDIR=\"/srv/with blank\"\nA=from-file\n";

	(void)ctx;
	if (strcmp(path, "/etc/containers/systemd/web.env") != 0)
		return -ENOENT;
	*ret = strdup(text);
	*ret_len = strlen(text);
	return *ret ? 0 : -ENOMEM;
}

static struct unit_set *load(const struct unit_file *files, size_t n)
{
	struct units_input in = {
		.files = files, .n_files = n, .host = test_host, .read = read_file};
	struct unit_set *set = NULL;
	struct fail f = {0};

	assert_int_equal(units_load(&in, &set, &f), 0);
	assert_non_null(set);
	return set;
}

struct unit_set *load_files(const char *path, ...)
{
	struct unit_file files[64];
	size_t n = 0;
	va_list args;

	va_start(args, path);
	for (; path; path = va_arg(args, const char *)) {
		const char *text = va_arg(args, const char *);

		assert_true(n < 64);
		files[n++] = (struct unit_file){.path = path,
						.data = text,
						.len = text ? strlen(text) : 0,
						.masked = !text};
	}
	va_end(args);
	return load(files, n);
}

struct unit_set *load_one(const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "/etc/containers/systemd/%s", name);
	return load_files(path, text, NULL);
}

struct unit_set *load_container(const char *lines)
{
	char text[8192];

	snprintf(text, sizeof(text), "[Container]\nImage=localhost/x\n%s", lines);
	return load_one("x.container", text);
}

const struct diag *find_diag(const struct unit_set *set, const char *code)
{
	for (size_t i = 0; i < set->n_diags; i++)
		if (strcmp(set->diags[i]->code, code) == 0)
			return set->diags[i];
	return NULL;
}

static void print_all(const struct unit_set *set)
{
	for (size_t i = 0; i < set->n_diags; i++) {
		_buf_ struct buf b = {0};

		diag_print(set->diags[i], &b);
		print_message("%s", b.data);
	}
}

static void assert_diag(const struct unit_set *set, enum diag_severity severity, const char *code,
			unsigned line, unsigned column)
{
	for (size_t i = 0; i < set->n_diags; i++) {
		const struct diag *d = set->diags[i];

		if (d->severity == severity && strcmp(d->code, code) == 0 && d->at.line == line &&
		    d->at.column == column)
			return;
	}
	print_all(set);
	fail_msg("no %s[%s] at %u:%u", severity == DIAG_ERROR ? "error" : "warning", code, line,
		 column);
}

void assert_error(const struct unit_set *set, const char *code, unsigned line, unsigned column)
{
	assert_diag(set, DIAG_ERROR, code, line, column);
}

void assert_warning(const struct unit_set *set, const char *code, unsigned line, unsigned column)
{
	assert_diag(set, DIAG_WARNING, code, line, column);
}

void assert_clean(const struct unit_set *set)
{
	if (set->n_diags)
		print_all(set);
	assert_int_equal(set->n_diags, 0);
}

void assert_no_error(const struct unit_set *set)
{
	if (set->n_errors)
		print_all(set);
	assert_int_equal(set->n_errors, 0);
}

struct unit *get(const struct unit_set *set, const char *name)
{
	struct unit *u = unit_by_name(set, name);

	if (!u)
		fail_msg("there is no unit %s", name);
	return u;
}

bool has_dep(const struct unit *u, enum dep_kind kind, const char *name)
{
	for (size_t i = 0; i < u->n_deps; i++)
		if (u->deps[i].kind == kind && strcmp(u->deps[i].name, name) == 0)
			return true;
	return false;
}

char *json_of(const struct unit *u)
{
	struct buf b = {0};
	struct json_out j;

	json_init(&j, &b);
	unit_json(&j, u);
	return buf_take(&b);
}
