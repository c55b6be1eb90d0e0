/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans against golden files: golden/NAME.spec (a line is a record, "-" an empty word) gives NAME.plan.
 * After a change on purpose: UPDATE=1 build/tests/unit/runtime/test_plan, and read the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/words.h"
#include "runtime/plan.h"

static const char image_ini[] =
	"[Image]\n"
	"Id=00\n"
	"Layer=1111111111111111111111111111111111111111111111111111111111111111\n"
	"Layer=2222222222222222222222222222222222222222222222222222222222222222\n"
	"Layer=1111111111111111111111111111111111111111111111111111111111111111\n"
	"Entrypoint=/bin/httpd\n"
	"Cmd=-f\n"
	"Cmd=a b\\n\n"
	"Env=PATH=/usr/bin\n"
	"Env=EMPTY=\n"
	"User=app\n"
	"WorkingDir=/www\n"
	"StopSignal=SIGQUIT\n"
	"Volume=/www\n"
	"Volume=/own\n"
	"Volume=/proc/sys\n"
	"Volume=/\n"
	"Label=ignored\n";

/* What mounts of type image are of: the upper layer is the other image's lower one too. */
static const char mounted_ini[] =
	"[Image]\n"
	"Id=01\n"
	"Layer=2222222222222222222222222222222222222222222222222222222222222222\n"
	"Layer=3333333333333333333333333333333333333333333333333333333333333333\n";

static struct container_spec spec;
static struct image image, mounted[8];
static struct plan plan;
static struct fail failure;

/* Reads a spec in text form: "key word word". */
static int read_spec(const char *text)
{
	struct buf words = {0};
	char *copy = strdup(text), *save = NULL;
	int r;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *in = NULL;

		for (char *w = strtok_r(line, " ", &in); w; w = strtok_r(NULL, " ", &in))
			words_add(&words, strcmp(w, "-") ? w : "");
	}
	free(copy);
	r = spec_decode(&spec, words.data ? words.data : "", words.len, &failure);
	buf_done(&words);
	return r;
}

static int make(const char *text)
{
	assert_int_equal(read_spec(text), 0);
	assert_int_equal(image_parse(&image, image_ini, sizeof(image_ini) - 1, &failure), 0);
	for (size_t i = 0; i < spec.n_mounts; i++)
		if (!strcmp(spec.mounts[i].type, "image"))
			assert_int_equal(image_parse(&mounted[i], mounted_ini,
						     sizeof(mounted_ini) - 1, &failure),
					 0);
	return plan_make(&plan, &spec, &image, mounted, &failure);
}

static int forget(void **state)
{
	(void)state;
	plan_done(&plan);
	image_done(&image);
	for (size_t i = 0; i < sizeof(mounted) / sizeof(*mounted); i++)
		image_done(&mounted[i]);
	spec_done(&spec);
	failure = (struct fail){0};
	return 0;
}

static char *read_text(const char *path)
{
	char *text;
	size_t len;

	if (io_read_file(AT_FDCWD, path, 1 << 20, &text, &len, &failure) < 0)
		fail_msg("%s", failure.text);
	return text;
}

static void golden(const char *name)
{
	char path[256];
	struct buf out = {0};
	char *text, *want;

	snprintf(path, sizeof(path), "tests/unit/runtime/golden/%s.spec", name);
	text = read_text(path);
	if (make(text) < 0)
		fail_msg("%s", failure.text);
	free(text);
	plan_show(&plan, &out);
	snprintf(path, sizeof(path), "tests/unit/runtime/golden/%s.plan", name);
	if (getenv("UPDATE")) {
		FILE *f = fopen(path, "w");

		fputs(out.data, f);
		fclose(f);
	}
	want = read_text(path);
	assert_string_equal(out.data, want);
	free(want);
	buf_done(&out);
}

static void plain(void **state)
{
	(void)state;
	golden("plain");
}

static void rich(void **state)
{
	(void)state;
	golden("rich");
}

static void overlays_and_owners(void **state)
{
	(void)state;
	golden("overlays");
}

static void member_of_a_pod(void **state)
{
	(void)state;
	golden("pod");
}

static void in_the_network_of_another(void **state)
{
	(void)state;
	golden("joined");
}

static void in_a_network_namespace_by_its_path(void **state)
{
	(void)state;
	golden("path");
}

#define BASIC                                                                         \
	"unit a.container\nservice a\nname a\nimage a\nuserns auto\nids-base 65536\n" \
	"ids-count 65536\n"

static void refused(const char *more, const char *part)
{
	char text[2048];

	snprintf(text, sizeof(text), BASIC "%s\n", more);
	assert_int_equal(make(text), -EINVAL);
	if (!strstr(failure.text, part))
		fail_msg("\"%s\" does not say \"%s\"", failure.text, part);
	assert_int_equal(plan.n, 0);
	forget(NULL);
}

static void impossible_wishes_are_refused_with_the_reason(void **state)
{
	(void)state;
	refused("mount volume v /proc/x - - -", "kernel's own");
	refused("mount volume v /sys - - -", "kernel's own");
	refused("mount volume v / - - -", "no place");
	refused("mount volume v relative - - -", "no place");
	refused("mount volume v /a/../proc - - -", "no place");
	refused("mount volume v //proc - - -", "no place");
	refused("mount volume v /proc/. - - -", "no place");
	refused("mount volume ../x /v - - -", "volume");
	refused("mount bind etc /v - - -", "not absolute");
	refused("network host - - - -\nnetwork orlop orlop0 - - -", "no other network");
	refused("network ns:run/x - - - -", "no absolute path");
	refused("network ns: - - - -", "no absolute path");
	refused("network ns:/run/x - - - -\nnetwork orlop orlop0 - - -", "no other network");
	refused("network ns:/run/x - - - -\nsysctl net.ipv4.ip_forward 1", "the namespace's");
	refused("network ns:/run/x - - - -\nadd-host me:host-gateway", "write the address");
	refused("network ../x - - - -", "no name of a network");
	refused("joins ../x.pod", "no unit to join");
	refused("seccomp profile.json", "no absolute path");
	refused("cap-add CAP_SYS_TIME", "UserNS=host");
	refused("cap-add CAP_NOTHING", "no capability");
	refused("workdir relative", "not absolute");
	refused("mount device /dev/sdb /d O ext4 -", "device");
}

static void nothing_to_run_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_spec(BASIC "entrypoint-set"), 0);
	assert_int_equal(image_parse(&image, image_ini, sizeof(image_ini) - 1, &failure), 0);
	assert_int_equal(plan_make(&plan, &spec, &image, mounted, &failure), -EINVAL);
	assert_non_null(strstr(failure.text, "no entrypoint"));
}

static void bad_range_is_refused(void **state)
{
	(void)state;
	assert_int_equal(make("unit a.container\nname a\nimage a\nuserns auto\nids-count 65536\n"),
			 -EINVAL);
	forget(NULL);
	assert_int_equal(make("unit a.container\nname a\nimage a\nuserns auto\n"
			      "ids-base 4294901761\nids-count 65536\n"),
			 -EINVAL);
}

static void bad_image_files_are_refused(void **state)
{
	static const char *const bad[] = {"[Image]\nLayer=../../etc\n", "[Image]\nLayer=12\n",
					  "[Image]\nEnv=a\\x5\n",       "[Image]\nCmd=\\x00\n",
					  "[Image]\nCmd=\\q\n",         "[Image]\nnonsense\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(image_parse(&image, bad[i], strlen(bad[i]), &failure), -EINVAL);
		assert_int_equal(image.layers.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(plain, forget),
		cmocka_unit_test_teardown(overlays_and_owners, forget),
		cmocka_unit_test_teardown(rich, forget),
		cmocka_unit_test_teardown(member_of_a_pod, forget),
		cmocka_unit_test_teardown(in_the_network_of_another, forget),
		cmocka_unit_test_teardown(in_a_network_namespace_by_its_path, forget),
		cmocka_unit_test_teardown(impossible_wishes_are_refused_with_the_reason, forget),
		cmocka_unit_test_teardown(nothing_to_run_is_refused, forget),
		cmocka_unit_test_teardown(bad_range_is_refused, forget),
		cmocka_unit_test_teardown(bad_image_files_are_refused, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
