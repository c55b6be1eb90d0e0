/* SPDX-License-Identifier: Apache-2.0 */
/* Which file is which unit: search order, masking, drop-ins, templates, aliases, names. */
#include <stdio.h>

#include "tests/unit/units/load_text.h"

#define ETC "/etc/containers/systemd/"
#define USR "/usr/share/containers/systemd/"
#define C   "[Container]\nImage=localhost/"

static const char *host_name(const struct unit_set *set, const char *unit)
{
	return get(set, unit)->container->host_name.value;
}

/* --- search order ----------------------------------------------------------------------------- */

static void of_one_name_the_first_folder_wins(void **state)
{
	struct unit_set *set = load_files(ETC "sub/a.container", C "etc\nHostName=etc\n",
					  USR "a.container", C "usr\nHostName=usr\n", NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(host_name(set, "a.container"), "etc");
	assert_int_equal(get(set, "a.container")->n_sources, 1);
	unit_set_free(set);
}

static void a_broken_file_masks_the_one_below_it(void **state)
{
	struct unit_set *set = load_files(ETC "a.container", "[Container]\nImag\n",
					  USR "a.container", C "usr\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_REJECTED);
	unit_set_free(set);
}

static void an_empty_file_and_a_link_to_dev_null_mask_silently(void **state)
{
	struct unit_set *set = load_files(ETC "a.container", "", USR "a.container", C "a\n", NULL);

	(void)state;
	assert_clean(set);
	assert_int_equal(get(set, "a.container")->state, UNIT_MASKED);
	unit_set_free(set);
	set = load_files(ETC "b.container", (const char *)NULL, NULL);
	assert_int_equal(get(set, "b.container")->state, UNIT_MASKED);
	unit_set_free(set);
}

static void a_masked_unit_satisfies_nobody(void **state)
{
	struct unit_set *set =
		load_files(ETC "a.container", "", ETC "b.container",
			   "[Unit]\nRequires=a.container\nAfter=a.container\n" C "b\n", NULL);

	(void)state;
	assert_error(set, U_NO_UNIT, 2, 10);
	assert_warning(set, U_NO_UNIT, 3, 7);
	unit_set_free(set);
}

static void other_extensions_are_nobodys_business_or_refused(void **state)
{
	struct unit_set *set = load_files(ETC "a.txt", "x", ETC "README", "x", ETC "a.timer", "x",
					  ETC "b.build", "x", ETC "c.kube", "x", NULL);

	(void)state;
	assert_int_equal(set->n_errors, 3);
	assert_non_null(strstr(find_diag(set, U_REFUSED)->message, "not supported"));
	unit_set_free(set);
}

/* --- drop-ins --------------------------------------------------------------------------------- */

static void drop_ins_are_appended_in_the_order_of_their_names(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a\nHostName=main\nEnvironment=A=1\n",
		ETC "a.container.d/20-b.conf", "[Container]\nHostName=b\n",
		ETC "a.container.d/10-a.conf", "[Container]\nHostName=a\nEnvironment=B=2\n",
		ETC "a.container.d/README", "nonsense", NULL);
	const struct unit *u = get(set, "a.container");

	(void)state;
	assert_clean(set);
	assert_string_equal(u->container->host_name.value, "b");
	assert_int_equal(u->container->env.n, 2);
	assert_int_equal(u->n_sources, 3);
	assert_string_equal(u->sources[1], ETC "a.container.d/10-a.conf");
	unit_set_free(set);
}

static void a_drop_in_may_clear_what_the_file_says(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a\nPublishPort=1:1\nPublishPort=2:2\n",
		ETC "a.container.d/x.conf", "[Container]\nPublishPort=\nPublishPort=3:3\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->container->n_ports, 1);
	assert_int_equal(get(set, "a.container")->container->ports[0].host, 3);
	unit_set_free(set);
}

static void of_one_drop_in_name_the_most_specific_folder_wins(void **state)
{
	struct unit_set *set =
		load_files(ETC "foo-bar.container", C "a\n", ETC "container.d/x.conf",
			   "[Container]\nHostName=all\n", ETC "foo-.container.d/x.conf",
			   "[Container]\nHostName=foo\n", USR "foo-bar.container.d/x.conf",
			   "[Container]\nHostName=foo-bar\n", ETC "container.d/y.conf",
			   "[Container]\nWorkingDir=/all\n", NULL);
	const struct unit *u = get(set, "foo-bar.container");

	(void)state;
	assert_clean(set);
	assert_string_equal(u->container->host_name.value, "foo-bar");
	assert_string_equal(u->container->working_dir.value, "/all");
	assert_int_equal(u->n_sources, 3);
	unit_set_free(set);
}

static void of_one_drop_in_path_the_first_search_folder_wins(void **state)
{
	struct unit_set *set = load_files(ETC "a.container", C "a\n", ETC "a.container.d/x.conf",
					  "[Container]\nHostName=etc\n", USR "a.container.d/x.conf",
					  "[Container]\nHostName=usr\n", NULL);

	(void)state;
	assert_string_equal(host_name(set, "a.container"), "etc");
	unit_set_free(set);
}

static void an_instance_has_its_own_drop_ins_and_its_templates(void **state)
{
	struct unit_set *set =
		load_files(ETC "foo@.container", C "a\n", ETC "foo@.container.d/a.conf",
			   "[Container]\nHostName=template\n", ETC "foo@one.container.d/b.conf",
			   "[Container]\nWorkingDir=/one\n", ETC "y.container",
			   "[Unit]\nWants=foo@one.container foo@two.container\n" C "y\n", NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(host_name(set, "foo@one.container"), "template");
	assert_string_equal(get(set, "foo@one.container")->container->working_dir.value, "/one");
	assert_string_equal(host_name(set, "foo@two.container"), "template");
	assert_null(get(set, "foo@two.container")->container->working_dir.value);
	unit_set_free(set);
}

static void quadlets_spelling_of_truncated_template_folders(void **state)
{
	struct unit_set *set =
		load_files(ETC "foo-bar@.container", C "a\n", ETC "foo-@.container.d/a.conf",
			   "[Container]\nHostName=cut\n", ETC "foo-bar@.container.d/b.conf",
			   "[Install]\nDefaultInstance=one\n", NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(host_name(set, "foo-bar@one.container"), "cut");
	unit_set_free(set);
}

static void a_drop_in_for_nobody_is_told(void **state)
{
	struct unit_set *set = load_files(ETC "gone.container.d/a.conf", "[Container]\n",
					  ETC "container.d/a.conf", "[Container]\n",
					  ETC "nginx.d/a.conf", "x", NULL);

	(void)state;
	assert_int_equal(set->n_diags, 1);
	assert_string_equal(set->diags[0]->at.file, ETC "gone.container.d/a.conf");
	unit_set_free(set);
}

/* --- templates -------------------------------------------------------------------------------- */

static void a_template_alone_is_never_started(void **state)
{
	struct unit_set *set = load_one("foo@.container",
					C "a\n[Install]\nWantedBy=default.target\n");

	(void)state;
	assert_clean(set);
	assert_int_equal(set->n_templates, 1);
	for (size_t i = 0; i < set->n; i++)
		assert_true(set->units[i]->builtin);
	unit_set_free(set);
}

static void a_default_instance_is_made(void **state)
{
	struct unit_set *set =
		load_one("foo@.container",
			 C "a\n[Install]\nWantedBy=default.target\nDefaultInstance=main\n");

	(void)state;
	assert_clean(set);
	assert_true(get(set, "foo@main.container")->boot);
	assert_string_equal(get(set, "foo@main.container")->service, "foo@main");
	assert_string_equal(get(set, "foo@main.container")->container->name.value,
			    "systemd-foo_main");
	unit_set_free(set);
}

static void an_instance_of_its_own_file_is_read_from_it(void **state)
{
	struct unit_set *set = load_files(ETC "foo@.container", C "a\nHostName=t\n",
					  ETC "foo@x.container", C "a\nHostName=%i\n", NULL);

	(void)state;
	assert_string_equal(host_name(set, "foo@x.container"), "x");
	unit_set_free(set);
}

static void a_template_names_the_same_instance_of_others(void **state)
{
	struct unit_set *set =
		load_files(ETC "foo@.container",
			   C "a\nVolume=data@.volume:/d\n[Install]\nDefaultInstance=one\n",
			   ETC "data@.volume", "[Volume]\n", NULL);
	const struct unit *u = get(set, "foo@one.container");

	(void)state;
	assert_clean(set);
	assert_string_equal(u->container->mounts[0].source.value, "systemd-data-one");
	assert_true(has_dep(u, DEP_REQUIRES, "data@one.volume"));
	assert_string_equal(get(set, "data@one.volume")->service, "data-volume@one");
	unit_set_free(set);
}

static void an_instance_may_be_named_by_its_service(void **state)
{
	struct unit_set *set = load_files(ETC "foo@.container", C "a\n", ETC "b.container",
					  "[Unit]\nRequires=foo@x.service\n" C "b\n", NULL);

	(void)state;
	assert_clean(set);
	assert_true(has_dep(get(set, "b.container"), DEP_REQUIRES, "foo@x.container"));
	unit_set_free(set);
}

static void an_instance_may_be_asked_for(void **state)
{
	struct unit_file file = {
		.path = ETC "foo@.container", .data = C "a\n", .len = strlen(C "a\n")};
	const char *names[] = {"foo@x.container", "nothing@x.container"};
	struct units_input in = {
		.files = &file, .n_files = 1, .instances = names, .n_instances = 2};
	struct unit_set *set;

	(void)state;
	assert_int_equal(units_load(&in, &set, NULL), 0);
	get(set, "foo@x.container");
	unit_set_free(set);
}

static void a_mistake_in_a_template_is_told_once(void **state)
{
	struct unit_set *set =
		load_files(ETC "foo@.container", C "a\nReadOnly=maybe\n", ETC "b.container",
			   "[Unit]\nWants=foo@x.container foo@y.container\n" C "b\n", NULL);

	(void)state;
	assert_int_equal(set->n_errors, 1);
	assert_int_equal(get(set, "foo@x.container")->state, UNIT_REJECTED);
	assert_int_equal(get(set, "foo@x.container")->n_diags, 1);
	unit_set_free(set);
}

/* --- names ------------------------------------------------------------------------------------ */

static void services_and_resources_have_their_names(void **state)
{
	static const struct {
		const char *file, *text, *service;
	} rows[] = {
		{"a.container", C "a\n", "a"},
		{"b.volume", "[Volume]\n", "b-volume"},
		{"c.network", "[Network]\n", "c-network"},
		{"d.pod", "[Pod]\n", "d-pod"},
		{"e.image", "[Image]\nImage=localhost/e\n", "e-image"},
		{"f.service", "[Service]\nExecStart=/bin/true\n", "f"},
		{"g.target", "[Unit]\nDescription=g\n", "g.target"},
		{"h.volume", "[Volume]\nServiceName=other\n", "other"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct unit_set *set = load_one(rows[i].file, rows[i].text);

		assert_clean(set);
		assert_string_equal(get(set, rows[i].file)->service, rows[i].service);
		assert_ptr_equal(unit_find(set, rows[i].service), get(set, rows[i].file));
		unit_set_free(set);
	}
}

static void default_names_of_resources(void **state)
{
	struct unit_set *set = load_files(ETC "a.container", C "a\n", ETC "a.volume", "[Volume]\n",
					  ETC "a.network", "[Network]\n", ETC "b.pod", "[Pod]\n",
					  NULL);

	(void)state;
	assert_clean(set);
	assert_string_equal(get(set, "a.container")->container->name.value, "systemd-a");
	assert_string_equal(get(set, "a.container")->container->name.raw, "systemd-%N");
	assert_string_equal(get(set, "a.volume")->volume->name.value, "systemd-a");
	assert_string_equal(get(set, "a.network")->network->name.value, "systemd-a");
	assert_string_equal(get(set, "b.pod")->pod->name.value, "systemd-b");
	unit_set_free(set);
}

static void an_alias_is_a_name(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a\n[Install]\nAlias=web.service http\n", ETC "b.container",
		"[Unit]\nRequires=web.service\nAfter=http.service\n" C "b\n", NULL);

	(void)state;
	assert_clean(set);
	assert_true(has_dep(get(set, "b.container"), DEP_REQUIRES, "a.container"));
	assert_true(has_dep(get(set, "b.container"), DEP_AFTER, "a.container"));
	assert_ptr_equal(unit_find(set, "http"), get(set, "a.container"));
	unit_set_free(set);
}

static void three_ways_to_name_a_dependency(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a\n", ETC "n.network", "[Network]\n", ETC "b.container",
		"[Unit]\nAfter=a.container\nWants=a.service\nRequires=n-network.service\n" C "b\n",
		NULL);
	const struct unit *u = get(set, "b.container");

	(void)state;
	assert_clean(set);
	assert_true(has_dep(u, DEP_AFTER, "a.container"));
	assert_true(has_dep(u, DEP_WANTS, "a.container"));
	assert_true(has_dep(u, DEP_REQUIRES, "n.network"));
	unit_set_free(set);
}

static void implicit_edges(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a.image\n", ETC "b.container",
		"[Container]\nImage=i.image\nVolume=v.volume:/v\nMount=type=image,source=j.image,target=/z\nNetwork=n.network:alias=bb,ip=192.0.2.5\n",
		ETC "i.image", "[Image]\nImage=localhost/real\n", ETC "j.image",
		"[Image]\nImage=localhost/other\nImageTag=localhost/tag\n", ETC "v.volume",
		"[Volume]\nVolumeName=vv\n", ETC "n.network", "[Network]\nNetworkName=nn\n",
		ETC "p.pod", "[Pod]\n", ETC "m.container", C "m\nPod=p.pod\n", NULL);
	const struct unit *b = get(set, "b.container"), *m = get(set, "m.container");
	static const char *const needs[] = {"i.image", "j.image", "v.volume", "n.network"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(has_dep(b, DEP_REQUIRES, needs[i]));
		assert_true(has_dep(b, DEP_AFTER, needs[i]));
	}
	assert_string_equal(b->container->image.value, "localhost/real");
	assert_string_equal(b->container->mounts[0].source.value, "vv");
	assert_string_equal(b->container->mounts[1].source.value, "localhost/tag");
	assert_string_equal(b->container->networks[0].name.value, "nn");
	assert_string_equal(b->container->networks[0].ip, "192.0.2.5");
	assert_true(has_dep(b, DEP_WANTS, "network-online.target"));
	assert_true(has_dep(b, DEP_AFTER, "network-online.target"));
	assert_true(has_dep(m, DEP_BINDS_TO, "p.pod"));
	assert_true(has_dep(m, DEP_AFTER, "p.pod"));
	assert_true(has_dep(get(set, "p.pod"), DEP_WANTS, "m.container"));
	assert_int_equal(m->container->n_networks, 0);
	unit_set_free(set);
}

static void default_dependencies_can_be_left_out(void **state)
{
	struct unit_set *set = load_container("[Quadlet]\nDefaultDependencies=false\n");

	(void)state;
	assert_int_equal(get(set, "x.container")->n_deps, 0);
	unit_set_free(set);
}

static void what_is_wanted_by_targets_starts_at_boot(void **state)
{
	static const struct {
		const char *target;
		bool boot;
	} rows[] = {
		{"default.target", true},   {"multi-user.target", true},
		{"graphical.target", true}, {"network-online.target", true},
		{"shutdown.target", false}, {"rescue.target", false},
		{"own.target", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[200];
		struct unit_set *set;

		snprintf(text, sizeof(text), C "a\nNetwork=n.network\n[Install]\nWantedBy=%s\n",
			 rows[i].target);
		set = load_files(ETC "a.container", text, ETC "n.network", "[Network]\n",
				 ETC "own.target", "[Unit]\nDescription=mine\n", NULL);
		assert_clean(set);
		assert_int_equal(get(set, "a.container")->boot, rows[i].boot);
		assert_int_equal(get(set, "n.network")->boot, rows[i].boot);
		unit_set_free(set);
	}
	{
		struct unit_set *set = load_one("a.container",
						C "a\n[Install]\nWantedBy=default.tagret\n");

		assert_warning(set, U_NO_UNIT, 4, 10);
		assert_non_null(strstr(set->diags[0]->hint, "default.target"));
		unit_set_free(set);
	}
}

static void a_target_comes_after_what_it_wants(void **state)
{
	struct unit_set *set = load_files(
		ETC "a.container", C "a\n[Install]\nWantedBy=mine.target\n", ETC "b.container",
		"[Unit]\nAfter=mine.target\n" C "b\n[Install]\nRequiredBy=mine.target\n",
		ETC "mine.target", "[Unit]\nDescription=mine\n", NULL);
	const struct unit *t = get(set, "mine.target");

	(void)state;
	assert_clean(set);
	assert_true(has_dep(t, DEP_WANTS, "a.container"));
	assert_true(has_dep(t, DEP_AFTER, "a.container"));
	assert_true(has_dep(t, DEP_REQUIRES, "b.container"));
	assert_false(has_dep(t, DEP_AFTER, "b.container"));
	unit_set_free(set);
}

static void networks_may_be_named_by_their_own_name(void **state)
{
	struct unit_set *set = load_files(ETC "a.container", C "a\nNetwork=web\n", ETC "n.network",
					  "[Network]\nNetworkName=web\n", ETC "b.container",
					  C "b\nNetwork=wbe\n", ETC "c.container",
					  C "c\nNetwork=container:systemd-a\n", ETC "d.container",
					  C "d\nNetwork=a.container\n", NULL);

	(void)state;
	assert_true(has_dep(get(set, "a.container"), DEP_REQUIRES, "n.network"));
	assert_error(set, U_NETWORK, 3, 9);
	assert_int_equal(set->n_errors, 1);
	assert_true(has_dep(get(set, "c.container"), DEP_REQUIRES, "a.container"));
	assert_true(has_dep(get(set, "d.container"), DEP_REQUIRES, "a.container"));
	assert_true(get(set, "d.container")->container->networks[0].container);
	unit_set_free(set);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_one_name_the_first_folder_wins),
		TEST(a_broken_file_masks_the_one_below_it),
		TEST(an_empty_file_and_a_link_to_dev_null_mask_silently),
		TEST(a_masked_unit_satisfies_nobody),
		TEST(other_extensions_are_nobodys_business_or_refused),
		TEST(drop_ins_are_appended_in_the_order_of_their_names),
		TEST(a_drop_in_may_clear_what_the_file_says),
		TEST(of_one_drop_in_name_the_most_specific_folder_wins),
		TEST(of_one_drop_in_path_the_first_search_folder_wins),
		TEST(an_instance_has_its_own_drop_ins_and_its_templates),
		TEST(quadlets_spelling_of_truncated_template_folders),
		TEST(a_drop_in_for_nobody_is_told),
		TEST(a_template_alone_is_never_started),
		TEST(a_default_instance_is_made),
		TEST(an_instance_of_its_own_file_is_read_from_it),
		TEST(a_template_names_the_same_instance_of_others),
		TEST(an_instance_may_be_named_by_its_service),
		TEST(an_instance_may_be_asked_for),
		TEST(a_mistake_in_a_template_is_told_once),
		TEST(services_and_resources_have_their_names),
		TEST(default_names_of_resources),
		TEST(an_alias_is_a_name),
		TEST(three_ways_to_name_a_dependency),
		TEST(implicit_edges),
		TEST(default_dependencies_can_be_left_out),
		TEST(what_is_wanted_by_targets_starts_at_boot),
		TEST(a_target_comes_after_what_it_wants),
		TEST(networks_may_be_named_by_their_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
