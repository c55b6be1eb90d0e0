/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the reference that the other tests touch only in passing, one test each. */
#include "tests/unit/units/load_text.h"

#define BODY "[Container]\nImage=localhost/x\n"

static const struct unit_container *container(const struct unit_set *set)
{
	return get(set, "x.container")->container;
}

static void a_header_is_a_name_in_brackets_and_blanks(void **state)
{
	struct unit_set *set = load_one("x.container", BODY "[Unit] \t \nDescription=d\n");

	(void)state;
	assert_clean(set);
	unit_set_free(set);
	set = load_one("x.container", BODY "[Unit\nDescription=d\n");
	assert_error(set, U_HEADER, 3, 1);
	unit_set_free(set);
	set = load_one("x.container", BODY "[Unit] junk\nDescription=d\n");
	assert_error(set, U_HEADER, 3, 8);
	unit_set_free(set);
	set = load_one("x.container", BODY "[]\n");
	assert_error(set, U_HEADER, 3, 1);
	unit_set_free(set);
	set = load_one("x.container", BODY "[My Unit]\n");
	assert_error(set, U_HEADER, 3, 1);
	unit_set_free(set);
}

static void keys_below_a_bad_header_are_not_told_on_top(void **state)
{
	struct unit_set *set = load_one("x.container", BODY "[Serv ice]\nRestart=always\n");

	(void)state;
	assert_int_equal(set->n_errors, 1);
	unit_set_free(set);
}

static void any_backslash_at_the_end_goes_on(void **state)
{
	/* systemd counts them; Quadlet takes the last one and joins. */
	struct unit_set *set = load_container("HostName=a\\\\\nb\n");

	(void)state;
	assert_string_equal(container(set)->host_name.value, "a\\b");
	unit_set_free(set);
}

static void a_lone_variable_may_be_no_word_at_all(void **state)
{
	struct unit_set *set =
		load_container("Exec=a $NONE ${NONE} b\n[Service]\nEnvironment=NONE=\n");

	(void)state;
	assert_clean(set);
	assert_int_equal(container(set)->exec.n, 3);
	assert_string_equal(container(set)->exec.items[1].value, "");
	unit_set_free(set);
}

static void a_variable_in_quotes_is_one_word(void **state)
{
	struct unit_set *set =
		load_container("Exec=a \"${X}\" x$X\n[Service]\nEnvironment=\"X=1 2\"\n");

	(void)state;
	assert_int_equal(container(set)->exec.n, 3);
	assert_string_equal(container(set)->exec.items[1].value, "1 2");
	assert_string_equal(container(set)->exec.items[2].value, "x$X");
	unit_set_free(set);
}

static void what_is_a_unit_is_told_before_variables(void **state)
{
#define VARS "[Service]\nEnvironment=V=data.volume I=x.image N=front.network D=data F=front\n"
	struct unit_set *set = load_files("/u/x.container",
					  BODY "Volume=${V}:/d\nVolume=${D}.volume:/e\n" VARS,
					  "/u/data.volume", "[Volume]\n", NULL);

	(void)state;
	assert_clean(set);
	assert_null(container(set)->mounts[0].unit);
	assert_string_equal(container(set)->mounts[0].source.value, "data.volume");
	assert_non_null(container(set)->mounts[1].unit);
	unit_set_free(set);

	set = load_files("/u/x.container", BODY "Network=${F}.network\n" VARS, "/u/front.network",
			 "[Network]\n", NULL);
	assert_clean(set);
	assert_non_null(container(set)->networks[0].unit);
	unit_set_free(set);
	/* A network of that name, which nobody has: not the unit's. */
	set = load_files("/u/x.container", BODY "Network=${N}\n" VARS, "/u/front.network",
			 "[Network]\n", NULL);
	assert_error(set, U_NETWORK, 3, 9);
	unit_set_free(set);

	set = load_files("/u/x.container", "[Container]\nImage=${I}\n" VARS, "/u/x.image",
			 "[Image]\nImage=localhost/i\n", NULL);
	assert_no_error(set);
	assert_null(container(set)->image_unit);
	unit_set_free(set);
}

static void names_with_specifiers_are_known_to_others(void **state)
{
	struct unit_set *set = load_files(
		"/u/x.container", BODY "Network=n.network\nVolume=v.volume:/v\n", "/u/n.network",
		"[Network]\nNetworkName=%p-%H\n", "/u/v.volume", "[Volume]\nVolumeName=%N\n", NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(container(set)->networks[0].name.value, "n-network-box.lan");
	assert_string_equal(container(set)->mounts[0].source.value, "v-volume");
	unit_set_free(set);
}

static void a_network_and_its_member_may_be_a_cycle(void **state)
{
	struct unit_set *set = load_files("/u/x.container", BODY "Network=n.network\n",
					  "/u/n.network", "[Unit]\nAfter=x.container\n[Network]\n",
					  NULL);

	(void)state;
	assert_error(set, U_CYCLE, 3, 9);
	assert_int_equal(get(set, "n.network")->state, UNIT_REJECTED);
	assert_non_null(strstr(find_diag(set, U_CYCLE)->hint,
			       "x.container after n.network (/u/x.container:3)"));
	unit_set_free(set);
}

static void containers_in_one_anothers_networks_are_a_cycle(void **state)
{
	struct unit_set *set = load_files("/u/a.container", BODY "Network=b.container\n",
					  "/u/b.container", BODY "Network=container:systemd-a\n",
					  NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_REJECTED);
	assert_int_equal(get(set, "b.container")->state, UNIT_REJECTED);
	assert_non_null(find_diag(set, U_CYCLE));
	unit_set_free(set);
}

static void sections_that_are_nobodys_are_no_mistake(void **state)
{
	struct unit_set *set =
		load_container("[X-Notes]\nanything=1\nTwo=2\n[Kube]\nYaml=a\n[Timer]\nOnBoot=1\n");

	(void)state;
	assert_no_error(set);
	assert_warning(set, U_SECTION, 6, 1); /* [Kube] has no meaning in a .container file */
	unit_set_free(set);
}

static void deaths_by_a_signal_are_matched_in_both_forms(void **state)
{
	struct unit_set *set = load_container(
		"[Service]\nSuccessExitStatus=143\nRestartPreventExitStatus=SIGKILL\n"
		"RestartForceExitStatus=130 TEMPFAIL\n");
	const struct unit_policy *p = &get(set, "x.container")->policy;

	(void)state;
	assert_clean(set);
	assert_true(policy_exits_code(&p->success, 143));
	assert_true(policy_exits_signal(&p->success, 15));
	assert_true(policy_exits_signal(&p->restart_prevent, 9));
	assert_true(policy_exits_code(&p->restart_force, 130));
	assert_true(policy_exits_signal(&p->restart_force, 2));
	assert_true(policy_exits_code(&p->restart_force, 75));
	unit_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_a_name_in_brackets_and_blanks),
		cmocka_unit_test(keys_below_a_bad_header_are_not_told_on_top),
		cmocka_unit_test(any_backslash_at_the_end_goes_on),
		cmocka_unit_test(a_lone_variable_may_be_no_word_at_all),
		cmocka_unit_test(a_variable_in_quotes_is_one_word),
		cmocka_unit_test(what_is_a_unit_is_told_before_variables),
		cmocka_unit_test(names_with_specifiers_are_known_to_others),
		cmocka_unit_test(a_network_and_its_member_may_be_a_cycle),
		cmocka_unit_test(containers_in_one_anothers_networks_are_a_cycle),
		cmocka_unit_test(sections_that_are_nobodys_are_no_mistake),
		cmocka_unit_test(deaths_by_a_signal_are_matched_in_both_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
