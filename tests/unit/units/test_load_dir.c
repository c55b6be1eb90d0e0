/* SPDX-License-Identifier: Apache-2.0 */
/* The shell: real folders with everything in them that does not belong there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "tests/unit/units/load_text.h"

static char root[64];

static void put(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static const char *at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/orlop-units-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, root, NULL);
}

static struct unit_set *load_root(const char *more)
{
	const char *const paths[] = {root, "/nonexistent/folder", more, NULL};
	struct unit_set *set = NULL;
	struct fail f = {0};

	if (units_load_dirs(paths, NULL, &set, &f) < 0)
		fail_msg("%s", f.text);
	return set;
}

static const char good[] = "[Container]\nImage=localhost/x\n";

static void only_regular_files_are_read(void **state)
{
	struct unit_set *set;
	int fd;

	(void)state;
	put("good.container", good);
	assert_int_equal(mkfifo(at("fifo.container"), 0644), 0);
	assert_int_equal(mkdir(at("folder.container"), 0755), 0);
	assert_int_equal(symlink("/nonexistent", at("dangling.container")), 0);
	assert_int_equal(symlink("/dev/null", at("masked.container")), 0);
	assert_int_equal(symlink("/dev/zero", at("zero.container")), 0);
	fd = open(at("huge.container"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	close(fd);
	set = load_root(NULL);
	assert_int_equal(get(set, "good.container")->state, UNIT_OK);
	assert_int_equal(get(set, "masked.container")->state, UNIT_MASKED);
	for (size_t i = 0; i < 5; i++) {
		static const char *const bad[] = {"fifo", "folder", "dangling", "zero", "huge"};
		char name[40];

		snprintf(name, sizeof(name), "%s.container", bad[i]);
		assert_int_equal(get(set, name)->state, UNIT_REJECTED);
		assert_string_equal(get(set, name)->diags[0]->code, U_UNREADABLE);
	}
	unit_set_free(set);
}

static void folders_are_read_recursively_and_loops_end(void **state)
{
	struct unit_set *set;

	(void)state;
	assert_int_equal(mkdir(at("sub"), 0755), 0);
	assert_int_equal(mkdir(at("sub/deep"), 0755), 0);
	put("sub/deep/a.container", good);
	assert_int_equal(symlink("..", at("sub/up")), 0);
	assert_int_equal(symlink(".", at("sub/self")), 0);
	assert_int_equal(mkdir(at("a.container.d"), 0755), 0);
	put("a.container.d/x.conf", "[Container]\nHostName=h\n");
	put(".hidden.container", "nonsense");
	set = load_root(NULL);
	assert_clean(set);
	assert_string_equal(get(set, "a.container")->container->host_name.value, "h");
	unit_set_free(set);
}

/* Each folder has three links to the next: 14 million ways to the last one, which is read once. */
static void links_that_fork_are_followed_once(void **state)
{
	struct unit_set *set;

	(void)state;
	for (int i = 0; i < 16; i++) {
		char folder[16], link[24], target[16];

		snprintf(folder, sizeof(folder), "f%02d", i);
		assert_int_equal(mkdir(at(folder), 0755), 0);
		snprintf(target, sizeof(target), "../f%02d", i + 1);
		for (int k = 0; k < 3 && i < 15; k++) {
			snprintf(link, sizeof(link), "f%02d/%c", i, 'a' + k);
			assert_int_equal(symlink(target, at(link)), 0);
		}
	}
	put("f15/x.container", good);
	/* A folder of drop-ins may have two names all the same. */
	assert_int_equal(mkdir(at("x.container.d"), 0755), 0);
	put("x.container.d/h.conf", "[Container]\nHostName=h\n");
	put("y.container", good);
	assert_int_equal(symlink("x.container.d", at("y.container.d")), 0);
	set = load_root(NULL);
	assert_clean(set);
	assert_string_equal(get(set, "x.container")->container->host_name.value, "h");
	assert_string_equal(get(set, "y.container")->container->host_name.value, "h");
	unit_set_free(set);
}

static void a_link_to_a_template_is_an_instance(void **state)
{
	struct unit_set *set;

	(void)state;
	put("foo@.container", "[Container]\nImage=localhost/x\nHostName=%i\n");
	assert_int_equal(symlink("foo@.container", at("foo@one.container")), 0);
	set = load_root(NULL);
	assert_clean(set);
	assert_string_equal(get(set, "foo@one.container")->container->host_name.value, "one");
	unit_set_free(set);
}

static void a_single_file_has_its_drop_ins(void **state)
{
	char path[256];
	const char *const paths[] = {path, NULL};
	struct unit_set *set = NULL;

	(void)state;
	put("a.container", good);
	put("b.container", good);
	assert_int_equal(mkdir(at("a.container.d"), 0755), 0);
	put("a.container.d/x.conf", "[Container]\nHostName=h\n");
	snprintf(path, sizeof(path), "%s/a.container", root);
	assert_int_equal(units_load_dirs(paths, NULL, &set, NULL), 0);
	assert_string_equal(get(set, "a.container")->container->host_name.value, "h");
	assert_null(unit_by_name(set, "b.container"));
	unit_set_free(set);
}

static void the_first_folder_wins(void **state)
{
	char second[256];
	struct unit_set *set;

	(void)state;
	put("a.container", "[Container]\nImage=localhost/x\nHostName=first\n");
	snprintf(second, sizeof(second), "%s", at("zz"));
	assert_int_equal(mkdir(second, 0755), 0);
	put("zz/a.container", "[Container]\nImage=localhost/x\nHostName=second\n");
	set = load_root(second);
	assert_clean(set);
	assert_string_equal(get(set, "a.container")->container->host_name.value, "first");
	unit_set_free(set);
}

static void an_environment_file_is_read(void **state)
{
	struct unit_set *set;

	(void)state;
	put("a.container",
	    "[Container]\nImage=localhost/x:${TAG}\n[Service]\nEnvironmentFile=a.env\n");
	put("a.env", "TAG=1.2\n");
	set = load_root(NULL);
	assert_clean(set);
	assert_string_equal(get(set, "a.container")->container->image.value, "localhost/x:1.2");
	unit_set_free(set);
}

/* What is packed is loaded as what is there was, with the same messages; and again when nothing is there any more. */
static void what_is_packed_is_loaded_without_a_file(void **state)
{
	const char *const paths[] = {root, NULL};
	_buf_ struct buf pack = {0};
	struct unit_set *set, *again = NULL;

	(void)state;
	put("a.container",
	    "[Container]\nImage=localhost/x:${TAG}\n[Service]\nEnvironmentFile=a.env\n"
	    "EnvironmentFile=absent.env\n");
	put("a.env", "TAG=1.2\n");
	put("bad.container", "[Container]\nImage=\n");
	put("empty.volume", "");
	assert_int_equal(mkdir(at("a.container.d"), 0755), 0);
	put("a.container.d/x.conf", "[Container]\nHostName=%m-%H\n");
	assert_int_equal(mkdir(at("folder.container"), 0755), 0);
	assert_int_equal(symlink("/dev/null", at("masked.container")), 0);
	set = load_root(NULL);
	assert_int_equal(units_pack_dirs(paths, &pack, NULL), 0);
	assert_int_equal(unlink(at("a.container")), 0);
	assert_int_equal(unlink(at("a.env")), 0);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(units_load_packed(pack.data, pack.len, &again, NULL), 0);
		assert_int_equal(again->n, set->n);
		for (size_t i = 0; i < set->n; i++) {
			char *was = json_of(set->units[i]), *is = json_of(again->units[i]);

			assert_string_equal(is, was);
			free(was);
			free(is);
		}
		assert_int_equal(again->n_diags, set->n_diags);
		for (size_t i = 0; i < set->n_diags; i++)
			assert_string_equal(again->diags[i]->message, set->diags[i]->message);
		again = unit_set_free(again);
	}
	for (size_t len = 0; len < pack.len;
	     len++) /* in memory of its own: SAN=1 sees a step too far */
	{
		char *cut = malloc(len + 1);

		memcpy(cut, pack.data, len);
		assert_int_equal(units_load_packed(cut, len, &again, NULL), -EINVAL);
		free(cut);
	}
	unit_set_free(set);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_regular_files_are_read),
		TEST(folders_are_read_recursively_and_loops_end),
		TEST(links_that_fork_are_followed_once),
		TEST(a_link_to_a_template_is_an_instance),
		TEST(a_single_file_has_its_drop_ins),
		TEST(the_first_folder_wins),
		TEST(an_environment_file_is_read),
		TEST(what_is_packed_is_loaded_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
