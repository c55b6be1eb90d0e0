/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of lines, quotes, variables, specifiers: a test for each. */
#include <stdio.h>

#include "tests/unit/units/load_text.h"

static const char *text_at(const struct text_list *list, size_t i)
{
	assert_true(i < list->n);
	return list->items[i].value;
}

static struct unit_container *container(const struct unit_set *set)
{
	return get(set, "x.container")->container;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void lines_are_trimmed_and_comments_skipped(void **state)
{
	struct unit_set *set =
		load_one("x.container",
			 "# note\n ; note\n\t[Container]  \n  Image = localhost/x  \n\n#Exec=a\n");

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->image.value, "localhost/x");
	assert_int_equal(container(set)->exec.n, 0);
	unit_set_free(set);
}

static void a_backslash_joins_the_next_line_with_nothing_between(void **state)
{
	struct unit_set *set = load_container("Exec=a \\\n   b\\\nc\n");

	(void)state;
	assert_clean(set);
	assert_int_equal(container(set)->exec.n, 2);
	assert_string_equal(text_at(&container(set)->exec, 1), "bc");
	unit_set_free(set);
}

static void comments_and_empty_lines_do_not_end_a_continuation(void **state)
{
	struct unit_set *set = load_container("Exec=a \\\n# note\n\n; note\nb\n");

	(void)state;
	assert_clean(set);
	assert_int_equal(container(set)->exec.n, 2);
	unit_set_free(set);
}

static void a_header_that_a_continuation_swallows_is_told(void **state)
{
	struct unit_set *set = load_container("Exec=a \\\n\n[Service]\nRestart=always\n");

	(void)state;
	assert_warning(set, U_CONTINUATION, 5, 1);
	assert_string_equal(text_at(&container(set)->exec, 1), "[Service]");
	assert_error(set, U_WRONG_SECTION, 6, 1);
	unit_set_free(set);
}

static void there_are_no_comments_inside_a_line(void **state)
{
	struct unit_set *set = load_container("HostName=a # b\nExec=sh -c \"a ; b\"\n");

	(void)state;
	assert_string_equal(container(set)->host_name.value, "a # b");
	assert_string_equal(text_at(&container(set)->exec, 2), "a ; b");
	unit_set_free(set);
}

static void a_key_before_any_section_is_an_error(void **state)
{
	struct unit_set *set = load_one("x.container", "Image=localhost/x\n[Container]\n");

	(void)state;
	assert_error(set, U_NO_SECTION, 1, 1);
	unit_set_free(set);
}

static void repeated_sections_are_one(void **state)
{
	struct unit_set *set = load_container("[Unit]\nDescription=d\n[Container]\nHostName=h\n");

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->host_name.value, "h");
	unit_set_free(set);
}

static void a_value_is_all_behind_the_first_equals_sign(void **state)
{
	struct unit_set *set = load_container("Environment=A=b=c\nLabel=x:y=z\n");

	(void)state;
	assert_string_equal(container(set)->env.items[0].value, "b=c");
	assert_string_equal(container(set)->labels.items[0].name, "x:y");
	unit_set_free(set);
}

static void a_long_line_is_whole(void **state)
{
	char line[9000] = "Exec=/bin/x ";
	struct unit_set *set;

	(void)state;
	memset(line + 12, 'a', 8000);
	strcpy(line + 8012, " ; tail\n");
	set = load_container(line);
	assert_clean(set);
	assert_int_equal(container(set)->exec.n, 4);
	assert_int_equal(strlen(text_at(&container(set)->exec, 1)), 8000);
	unit_set_free(set);
}

static void a_line_over_the_limit_is_an_error_and_the_next_ones_are_read(void **state)
{
	char *text = malloc(100000);
	struct unit_set *set;

	(void)state;
	strcpy(text, "[Container]\nImage=localhost/x\nExec=");
	memset(text + strlen(text), 'a', 70000);
	strcpy(text + 35 + 70000, "\nReadOnly=maybe\n");
	set = load_one("x.container", text);
	assert_error(set, U_LIMIT, 3, 1);
	assert_error(set, U_BOOL, 4, 10);
	unit_set_free(set);
	free(text);
}

static void too_many_keys_are_an_error(void **state)
{
	char *text = malloc(200000);
	size_t len = (size_t)sprintf(text, "[Container]\n");
	struct unit_set *set;

	(void)state;
	for (int i = 0; i < 4097; i++)
		len += (size_t)sprintf(text + len, "Label=a=%d\n", i);
	set = load_one("x.container", text);
	assert_error(set, U_LIMIT, 4098, 1);
	unit_set_free(set);
	free(text);
}

static void a_nul_byte_is_an_error(void **state)
{
	static const char text[] = "[Container]\nImage=localhost/x\nHostName=a\0b\n";
	struct unit_file file = {.path = "/u/x.container", .data = text, .len = sizeof(text) - 1};
	struct units_input in = {.files = &file, .n_files = 1};
	struct unit_set *set;
	struct fail f;

	(void)state;
	assert_int_equal(units_load(&in, &set, &f), 0);
	assert_error(set, U_CHARACTER, 3, 11);
	unit_set_free(set);
}

static void bad_utf8_is_a_warning_and_kept(void **state)
{
	struct unit_set *set = load_container("HostName=a\xff"
					      "b\n");

	(void)state;
	assert_warning(set, U_UTF8, 3, 11);
	assert_string_equal(container(set)->host_name.value, "a\xff"
							     "b");
	unit_set_free(set);
}

/* --- quotes ----------------------------------------------------------------------------------- */

static void quotes_may_start_anywhere_in_a_word(void **state)
{
	struct unit_set *set = load_container("Exec=a\"b c\"d 'e f' \"\" g\n");
	const struct text_list *exec = &container(set)->exec;

	(void)state;
	assert_int_equal(exec->n, 4);
	assert_string_equal(text_at(exec, 0), "ab cd");
	assert_string_equal(text_at(exec, 1), "e f");
	assert_string_equal(text_at(exec, 2), "");
	assert_string_equal(text_at(exec, 3), "g");
	unit_set_free(set);
}

static void escapes_are_c_escapes_in_both_kinds_of_quotes(void **state)
{
	struct unit_set *set = load_container(
		"Exec=\"\\a\\b\\f\\n\\r\\t\\v\" '\\\\\\\"\\'' \\s\\x41\\101\\u00e9\\U0001F600\n");
	const struct text_list *exec = &container(set)->exec;

	(void)state;
	assert_clean(set);
	assert_string_equal(text_at(exec, 0), "\a\b\f\n\r\t\v");
	assert_string_equal(text_at(exec, 1), "\\\"'");
	assert_string_equal(text_at(exec, 2), " AA\xc3\xa9\xf0\x9f\x98\x80");
	unit_set_free(set);
}

static void a_nul_escape_is_an_error(void **state)
{
	static const char *const escapes[] = {"\\x00", "\\000", "\\u0000", "\\ud800",
					      "\\x4",  "\\q",   "\\400"};

	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		char line[64];
		struct unit_set *set;

		snprintf(line, sizeof(line), "Exec=a %s\n", escapes[i]);
		set = load_container(line);
		assert_error(set, U_ESCAPE, 3, 8);
		unit_set_free(set);
	}
}

static void words_without_escapes_keep_backslashes(void **state)
{
	struct unit_set *set = load_container("[Unit]\nDocumentation=a\\qb \"c d\"\n");
	const struct unit *u = get(set, "x.container");

	(void)state;
	assert_clean(set);
	assert_string_equal(text_at(&u->documentation, 0), "a\\qb");
	assert_string_equal(text_at(&u->documentation, 1), "c d");
	unit_set_free(set);
}

static void lines_are_not_unquoted_and_single_values_lose_one_pair(void **state)
{
	struct unit_set *set =
		load_container("HostName=\"a b\"\nDNSOption=\"x y\"\nWorkingDir=\"/a\n");

	(void)state;
	assert_string_equal(container(set)->host_name.value, "a b");
	assert_string_equal(text_at(&container(set)->dns_option, 0), "\"x y\"");
	assert_error(set, U_PATH, 5, 12);
	unit_set_free(set);
}

/* --- repetition ------------------------------------------------------------------------------- */

static void of_single_values_the_last_counts_and_empty_unsets(void **state)
{
	struct unit_set *set =
		load_container("HostName=a\nHostName=b\nWorkingDir=/a\nWorkingDir=\n");

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->host_name.value, "b");
	assert_null(container(set)->working_dir.value);
	unit_set_free(set);
}

static void of_exec_the_last_line_counts(void **state)
{
	struct unit_set *set = load_container("Exec=a b\nExec=c\n");

	(void)state;
	assert_int_equal(container(set)->exec.n, 1);
	unit_set_free(set);
}

static void an_empty_list_clears_those_above(void **state)
{
	struct unit_set *set = load_container(
		"Volume=a:/a\nVolume=\nVolume=b:/b\nEnvironment=A=1 B=2\nEnvironment=\nEnvironment=C=3\n");

	(void)state;
	assert_clean(set);
	assert_int_equal(container(set)->n_mounts, 1);
	assert_string_equal(container(set)->mounts[0].source.value, "b");
	assert_int_equal(container(set)->env.n, 1);
	unit_set_free(set);
}

static void a_cleared_mistake_is_none(void **state)
{
	struct unit_set *set = load_container("PublishPort=http:80\nPublishPort=\n");

	(void)state;
	assert_clean(set);
	unit_set_free(set);
}

static void pairs_are_sorted_and_the_later_value_wins(void **state)
{
	struct unit_set *set = load_container("Environment=B=1 A=2\nEnvironment=B=3\n");

	(void)state;
	assert_int_equal(container(set)->env.n, 2);
	assert_string_equal(container(set)->env.items[0].name, "A");
	assert_string_equal(container(set)->env.items[1].value, "3");
	unit_set_free(set);
}

static void an_empty_entrypoint_is_a_value(void **state)
{
	struct unit_set *set = load_container("Entrypoint=/bin/x\nEntrypoint=\n");

	(void)state;
	assert_true(container(set)->entrypoint_set);
	assert_int_equal(container(set)->entrypoint.n, 0);
	unit_set_free(set);
}

static void an_entrypoint_may_be_a_json_array(void **state)
{
	struct unit_set *set = load_container("Entrypoint=[\"/bin/x\", \"a b\", \"\\u00e9\\n\"]\n");
	const struct text_list *e = &container(set)->entrypoint;

	(void)state;
	assert_clean(set);
	assert_int_equal(e->n, 3);
	assert_string_equal(text_at(e, 1), "a b");
	assert_string_equal(text_at(e, 2), "\xc3\xa9\n");
	unit_set_free(set);
	set = load_container("Entrypoint=[\"/bin/x\",]\n");
	assert_error(set, U_COMMAND, 3, 22);
	unit_set_free(set);
}

static void health_commands_have_four_forms(void **state)
{
	static const struct {
		const char *value;
		size_t n;
		const char *last;
	} rows[] = {
		{"CMD-SHELL curl -f x || exit 1", 3, "curl -f x || exit 1"},
		{"pg_isready -U a", 3, "pg_isready -U a"},
		{"CMD pg_isready  -U a", 3, "a"},
		{"[\"CMD\", \"pg_isready\", \"-q\"]", 2, "-q"},
		{"[\"CMD-SHELL\", \"a && b\"]", 3, "a && b"},
		{"[\"redis-cli\", \"ping\"]", 2, "ping"},
		{"none", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[100];
		struct unit_set *set;

		snprintf(line, sizeof(line), "HealthCmd=%s\n", rows[i].value);
		set = load_container(line);
		assert_clean(set);
		assert_int_equal(container(set)->health_cmd.n, rows[i].n);
		if (rows[i].last)
			assert_string_equal(text_at(&container(set)->health_cmd, rows[i].n - 1),
					    rows[i].last);
		else
			assert_true(container(set)->health_none);
		unit_set_free(set);
	}
}

/* --- variables -------------------------------------------------------------------------------- */

static void variables_come_from_the_service_section(void **state)
{
	struct unit_set *set = load_container("HostName=h-${A}-${B}\nExec=${A}x $C $$C ${C} a$A\n"
					      "[Service]\nEnvironment=A=1 \"B=2\" \"C=x y\"\n");
	const struct text_list *exec = &container(set)->exec;

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->host_name.value, "h-1-2");
	assert_string_equal(container(set)->host_name.raw, "h-${A}-${B}");
	assert_int_equal(exec->n, 6);
	assert_string_equal(text_at(exec, 0), "1x");
	assert_string_equal(text_at(exec, 1), "x");
	assert_string_equal(text_at(exec, 2), "y");
	assert_string_equal(text_at(exec, 3), "$C");
	assert_string_equal(text_at(exec, 4), "x y");
	assert_string_equal(text_at(exec, 5), "a$A");
	unit_set_free(set);
}

static void environment_files_win_over_environment(void **state)
{
	struct unit_set *set = load_container(
		"HostName=${A}-${TAG}\nWorkingDir=${DIR}\n[Service]\nEnvironment=A=1\n"
		"EnvironmentFile=./web.env\nEnvironmentFile=-/absent\n");

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->host_name.value, "from-file-1.27");
	assert_string_equal(container(set)->working_dir.value, "/srv/with blank");
	unit_set_free(set);
	set = load_container("[Service]\nEnvironmentFile=/absent\n");
	assert_warning(set, U_ENV_FILE, 4, 1);
	unit_set_free(set);
}

static void an_unset_variable_is_empty_with_a_warning(void **state)
{
	struct unit_set *set = load_container("HostName=a${NOPE}b\n");

	(void)state;
	assert_warning(set, U_VARIABLE, 3, 11);
	assert_string_equal(container(set)->host_name.value, "ab");
	unit_set_free(set);
}

static void the_containers_environment_is_not_expanded(void **state)
{
	struct unit_set *set =
		load_container("Environment=X=${A} Y=$A Z=$$\n[Service]\nEnvironment=A=1\n");

	(void)state;
	assert_warning(set, U_VARIABLE, 3, 15);
	assert_string_equal(container(set)->env.items[0].value, "${A}");
	assert_string_equal(container(set)->env.items[2].value, "$$");
	unit_set_free(set);
}

static void pod_and_booleans_are_not_expanded(void **state)
{
	struct unit_set *set =
		load_container("ReadOnly=${A}\nPod=${P}.pod\n[Service]\nEnvironment=A=true P=p\n");

	(void)state;
	assert_error(set, U_BOOL, 3, 10);
	assert_error(set, U_NO_UNIT, 4, 5);
	unit_set_free(set);
}

/* --- specifiers ------------------------------------------------------------------------------- */

static const struct {
	const char *specifier, *value,
		*instance; /* of x.container and of foo-bar@a-b\x2dc.container */
} specifiers[] = {
	{"%n", "x.service", "foo-bar@a-b\\x2dc.service"},
	{"%N", "x", "foo-bar@a-b\\x2dc"},
	{"%p", "x", "foo-bar"},
	{"%P", "x", "foo/bar"},
	{"%i", "", "a-b\\x2dc"},
	{"%I", "", "a/b-c"},
	{"%j", "x", "bar"},
	{"%J", "x", "bar"},
	{"%f", "/x", "/a/b-c"},
	{"%y", "/etc/containers/systemd/x.container", "/etc/containers/systemd/foo-bar@.container"},
	{"%Y", "/etc/containers/systemd", "/etc/containers/systemd"},
	{"%h", "/root", "/root"},
	{"%t", "/run", "/run"},
	{"%S", "/var/lib", "/var/lib"},
	{"%C", "/var/cache", "/var/cache"},
	{"%L", "/var/log", "/var/log"},
	{"%E", "/etc", "/etc"},
	{"%D", "/usr/share", "/usr/share"},
	{"%T", "/tmp", "/tmp"},
	{"%V", "/var/tmp", "/var/tmp"},
	{"%d", "/run/credentials/x.service", "/run/credentials/foo-bar@a-b\\x2dc.service"},
	{"%u%U%g%G", "root0root0", "root0root0"},
	{"%s", "/bin/sh", "/bin/sh"},
	{"%H", "box.lan", "box.lan"},
	{"%l", "box", "box"},
	{"%q", "box.lan", "box.lan"},
	{"%m", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
	{"%b", "fedcba9876543210fedcba9876543210", "fedcba9876543210fedcba9876543210"},
	{"%v", "6.1.0", "6.1.0"},
	{"%a", "x86-64", "x86-64"},
	{"%o", "orlop", "orlop"},
	{"%w", "1.2", "1.2"},
	{"%W%B%A%M", "", ""},
	{"%%", "%", "%"},
	{"50%", "50%", "50%"},
};

static void every_specifier_has_its_value(void **state)
{
	char line[64], text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(specifiers) / sizeof(*specifiers); i++) {
		struct unit_set *set;
		const struct unit *u;

		snprintf(line, sizeof(line), "DNSOption=[%s]\n", specifiers[i].specifier);
		set = load_container(line);
		assert_clean(set);
		snprintf(text, sizeof(text), "[%s]", specifiers[i].value);
		assert_string_equal(container(set)->dns_option.items[0].value, text);
		unit_set_free(set);

		snprintf(text, sizeof(text), "[Container]\nImage=localhost/x\nDNSOption=[%s]\n",
			 specifiers[i].specifier);
		set = load_files(
			"/etc/containers/systemd/foo-bar@.container", text,
			"/etc/containers/systemd/y.container",
			"[Unit]\nWants=foo-bar@a-b\\x2dc.container\n[Container]\nImage=localhost/y\n",
			NULL);
		assert_clean(set);
		u = get(set, "foo-bar@a-b\\x2dc.container");
		snprintf(text, sizeof(text), "[%s]", specifiers[i].instance);
		assert_string_equal(u->container->dns_option.items[0].value, text);
		unit_set_free(set);
	}
}

static void other_kinds_have_their_service_name_in_specifiers(void **state)
{
	struct unit_set *set = load_one("web.network", "[Network]\nNetworkName=%N\n");

	(void)state;
	assert_string_equal(get(set, "web.network")->network->name.value, "web-network");
	unit_set_free(set);
}

static void paths_are_relative_to_the_unit_file(void **state)
{
	struct unit_set *set =
		load_files("/srv/units/sub/x.container",
			   "[Container]\nImage=localhost/x\nVolume=./data:/d\nVolume=%t/x:/t\n"
			   "EnvironmentFile=a.env ./b.env /c.env\n",
			   NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->mounts[0].source.value, "/srv/units/sub/data");
	assert_string_equal(container(set)->mounts[1].source.value, "/run/x");
	assert_string_equal(container(set)->mounts[1].source.raw, "%t/x");
	assert_string_equal(text_at(&container(set)->env_files, 0), "/srv/units/sub/a.env");
	assert_string_equal(text_at(&container(set)->env_files, 1), "/srv/units/sub/b.env");
	assert_string_equal(text_at(&container(set)->env_files, 2), "/c.env");
	unit_set_free(set);
}

static void systemd_and_quadlet_booleans_differ(void **state)
{
	struct unit_set *set = load_container("ReadOnly=y\n[Service]\nRemainAfterExit=y\n");

	(void)state;
	assert_error(set, U_BOOL, 3, 10);
	assert_int_equal(set->n_errors, 1);
	unit_set_free(set);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_trimmed_and_comments_skipped),
		TEST(a_backslash_joins_the_next_line_with_nothing_between),
		TEST(comments_and_empty_lines_do_not_end_a_continuation),
		TEST(a_header_that_a_continuation_swallows_is_told),
		TEST(there_are_no_comments_inside_a_line),
		TEST(a_key_before_any_section_is_an_error),
		TEST(repeated_sections_are_one),
		TEST(a_value_is_all_behind_the_first_equals_sign),
		TEST(a_long_line_is_whole),
		TEST(a_line_over_the_limit_is_an_error_and_the_next_ones_are_read),
		TEST(too_many_keys_are_an_error),
		TEST(a_nul_byte_is_an_error),
		TEST(bad_utf8_is_a_warning_and_kept),
		TEST(quotes_may_start_anywhere_in_a_word),
		TEST(escapes_are_c_escapes_in_both_kinds_of_quotes),
		TEST(a_nul_escape_is_an_error),
		TEST(words_without_escapes_keep_backslashes),
		TEST(lines_are_not_unquoted_and_single_values_lose_one_pair),
		TEST(of_single_values_the_last_counts_and_empty_unsets),
		TEST(of_exec_the_last_line_counts),
		TEST(an_empty_list_clears_those_above),
		TEST(a_cleared_mistake_is_none),
		TEST(pairs_are_sorted_and_the_later_value_wins),
		TEST(an_empty_entrypoint_is_a_value),
		TEST(an_entrypoint_may_be_a_json_array),
		TEST(health_commands_have_four_forms),
		TEST(variables_come_from_the_service_section),
		TEST(environment_files_win_over_environment),
		TEST(an_unset_variable_is_empty_with_a_warning),
		TEST(the_containers_environment_is_not_expanded),
		TEST(pod_and_booleans_are_not_expanded),
		TEST(every_specifier_has_its_value),
		TEST(other_kinds_have_their_service_name_in_specifiers),
		TEST(paths_are_relative_to_the_unit_file),
		TEST(systemd_and_quadlet_booleans_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
