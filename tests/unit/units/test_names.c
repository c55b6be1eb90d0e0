/* SPDX-License-Identifier: Apache-2.0 */
/* Names that other units use: templates, instances that are made for a name, service names, boot targets. */
#include "tests/unit/units/load_text.h"

#define BODY "[Container]\nImage=localhost/x\n"

static void a_template_itself_is_no_unit_to_wait_for(void **state)
{
	struct unit_set *set =
		load_files("/u/aaa.container", BODY, "/u/data@.volume", "[Volume]\n",
			   "/u/foo@.container", BODY, "/u/x.container",
			   "[Unit]\nAfter=foo@.container\n" BODY "Volume=data@.volume:/d\n", NULL);

	(void)state;
	assert_warning(set, U_NO_UNIT, 2, 7);
	assert_error(set, U_NO_UNIT, 5, 8);
	assert_non_null(strstr(find_diag(set, U_NO_UNIT)->hint, "foo@NAME.container"));
	/* The name stays; there is no unit behind it. */
	for (size_t i = 0; i < get(set, "x.container")->n_deps; i++)
		if (strstr(get(set, "x.container")->deps[i].name, "@."))
			assert_null(get(set, "x.container")->deps[i].unit);
	unit_set_free(set);
}

static void an_instance_that_install_asks_for_is_whole(void **state)
{
	struct unit_set *set = load_files(
		"/u/foo@.container", "[Container]\nImage=x.image\nNetwork=n.network\n",
		"/u/x.image", "[Image]\nImage=localhost/i\n", "/u/n.network", "[Network]\n",
		"/u/z.container", BODY "[Install]\nWantedBy=foo@q.service\n", NULL);
	const struct unit *u = get(set, "foo@q.container");

	(void)state;
	assert_true(has_dep(u, DEP_WANTS, "z.container"));
	assert_true(has_dep(u, DEP_REQUIRES, "n.network"));
	assert_string_equal(u->container->image.value, "localhost/i");
	unit_set_free(set);
}

static void an_instance_that_is_only_named_is_not_enabled(void **state)
{
	struct unit_set *set = load_files(
		"/u/foo@.container", BODY "[Install]\nWantedBy=default.target\nDefaultInstance=a\n",
		"/u/foo@b.container", BODY "[Install]\nWantedBy=default.target\n", "/u/x.container",
		"[Unit]\nRequires=foo@c.service\n" BODY, "/u/y.container",
		"[Unit]\nWants=foo@d.service\n" BODY "[Install]\nWantedBy=default.target\n", NULL);

	(void)state;
	assert_true(get(set, "foo@a.container")->boot);  /* the default instance */
	assert_true(get(set, "foo@b.container")->boot);  /* has a file */
	assert_false(get(set, "foo@c.container")->boot); /* named by a unit that no boot starts */
	assert_true(get(set, "foo@d.container")->boot);  /* and by one that it starts */
	assert_false(has_dep(get(set, "default.target"), DEP_WANTS, "foo@d.container"));
	unit_set_free(set);
}

static void a_service_name_is_written_without_its_extension(void **state)
{
	struct unit_set *set = load_container("ServiceName=web.service\n");

	(void)state;
	assert_error(set, U_NAME, 3, 13);
	assert_non_null(strstr(find_diag(set, U_NAME)->hint, "without .service"));
	unit_set_free(set);
}

static void a_service_with_target_in_its_name_is_none(void **state)
{
	struct unit_set *set = load_files("/u/my.target-proxy.container", BODY "Label=n=%n\n",
					  NULL);
	const struct unit *u = get(set, "my.target-proxy.container");

	(void)state;
	assert_string_equal(u->container->labels.items[0].value, "my.target-proxy.service");
	unit_set_free(set);
}

static void a_cycle_through_a_boot_target_stops_only_its_units(void **state)
{
	struct unit_set *set = load_files(
		"/u/c.target", "[Unit]\nAfter=multi-user.target\n", "/u/a.container",
		"[Unit]\nAfter=c.target\n" BODY "[Install]\nWantedBy=multi-user.target\n",
		"/u/good.container", BODY "[Install]\nWantedBy=multi-user.target\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_REJECTED);
	assert_int_equal(get(set, "c.target")->state, UNIT_REJECTED);
	assert_int_equal(get(set, "multi-user.target")->state, UNIT_OK);
	assert_true(get(set, "good.container")->boot);
	/* The target is named all the same. */
	assert_non_null(
		strstr(find_diag(set, U_CYCLE)->hint, "multi-user.target after a.container"));
	unit_set_free(set);
}

static void boot_targets_of_files_that_are_a_cycle_alone_are_refused(void **state)
{
	struct unit_set *set = load_files("/u/network.target", "[Unit]\nAfter=time-sync.target\n",
					  "/u/time-sync.target", "[Unit]\nAfter=network.target\n",
					  NULL);

	(void)state;
	assert_int_equal(get(set, "network.target")->state, UNIT_REJECTED);
	assert_int_equal(get(set, "time-sync.target")->state, UNIT_REJECTED);
	unit_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_itself_is_no_unit_to_wait_for),
		cmocka_unit_test(an_instance_that_install_asks_for_is_whole),
		cmocka_unit_test(an_instance_that_is_only_named_is_not_enabled),
		cmocka_unit_test(a_service_name_is_written_without_its_extension),
		cmocka_unit_test(a_service_with_target_in_its_name_is_none),
		cmocka_unit_test(a_cycle_through_a_boot_target_stops_only_its_units),
		cmocka_unit_test(boot_targets_of_files_that_are_a_cycle_alone_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
