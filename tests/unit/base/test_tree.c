/* SPDX-License-Identifier: Apache-2.0 */
/* A stream from a container's hands: what is wrong with it is refused, and nothing is made outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/tree.h"

static char root[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/orlop-tree-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, root, NULL);
}

static int open_place(void *ctx, bool folder, unsigned mode, struct fail *f)
{
	(void)ctx;
	(void)mode;
	return folder ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
		      : fail_set(f, EISDIR, "no file");
}

static const struct tree_place place = {.open = open_place, .modes = 0777};

static void put(struct buf *b, enum tree_kind kind, const char *name, size_t len, const char *link)
{
	struct tree_record record = {.magic = TREE_MAGIC,
				     .kind = kind,
				     .name = (uint16_t)len,
				     .link = (uint32_t)strlen(link),
				     .mode = 06755};

	buf_add(b, &record, sizeof(record));
	buf_add(b, name, len);
	buf_str(b, link);
}

static void put_file(struct buf *b, const char *name, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	put(b, TREE_FILE, name, strlen(name), "");
	buf_add(b, &len, sizeof(len));
	buf_str(b, text);
	if (!len)
		return;
	len = 0;
	buf_add(b, &len, sizeof(len));
}

static void put_plain(struct buf *b, enum tree_kind kind, const char *name)
{
	put(b, kind, name, strlen(name), "");
}

static int receive(const struct buf *b)
{
	_fd_
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_int_equal(io_write_all(fd, b->data, b->len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return tree_receive(fd, &place, NULL);
}

static bool is_there(const char *name)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return lstat(path, &st) == 0;
}

static void begin(struct buf *b)
{
	buf_reset(b);
	put_plain(b, TREE_FOLDER, "");
}

static void end(struct buf *b)
{
	put_plain(b, TREE_LEAVE, "");
	put_plain(b, TREE_END, "");
}

static void a_tree_is_made(void **state)
{
	_buf_ struct buf b = {0};
	char path[300], text[16] = "";
	struct stat st;
	int fd;

	(void)state;
	begin(&b);
	put_plain(&b, TREE_FOLDER, "d");
	put_file(&b, "f", "bytes");
	put(&b, TREE_LINK, "l", 1, "/etc/passwd");
	put_plain(&b, TREE_LEAVE, "");
	end(&b);
	assert_int_equal(receive(&b), 0);
	assert_int_equal(receive(&b), 0); /* over what is there */
	snprintf(path, sizeof(path), "%s/d/f", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* of 06755 */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	close(fd);
	for (size_t len = 0; len < b.len; len++) {
		struct buf cut = {.data = b.data, .len = len};

		assert_int_equal(receive(&cut), -EPIPE);
	}
}

static void names_lead_nowhere(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} names[] = {{"..", 2},  {".", 1},    {"", 0},     {"/x", 2},
		     {"a/b", 3}, {"../x", 4}, {"a\0b", 3}, {"/", 1}};
	_buf_ struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (enum tree_kind kind = TREE_FILE; kind <= TREE_LINK; kind++) {
			begin(&b);
			put(&b, kind, names[i].name, names[i].len, kind == TREE_LINK ? "t" : "");
			assert_int_equal(receive(&b), -EBADMSG);
		}
	begin(&b);
	put(&b, TREE_FILE, NULL, 0, "");
	((struct tree_record *)b.data)[1].name = NAME_MAX + 1;
	assert_int_equal(receive(&b), -EBADMSG);
}

/* A link that came before, or that stands there, is no folder and no file to write through. */
static void links_are_not_followed(void **state)
{
	_buf_ struct buf b = {0};
	char path[300], outside[300];

	(void)state;
	begin(&b);
	put(&b, TREE_LINK, "d", 1, "/tmp");
	put_plain(&b, TREE_FOLDER, "d");
	put_file(&b, "orlop-tree-through", "x");
	assert_true(receive(&b) < 0);
	assert_int_equal(access("/tmp/orlop-tree-through", F_OK), -1);

	snprintf(outside, sizeof(outside), "%s.outside", root);
	snprintf(path, sizeof(path), "%s/f", root);
	assert_int_equal(symlink(outside, path), 0);
	begin(&b);
	put_file(&b, "f", "x");
	end(&b);
	assert_int_equal(receive(&b), 0);
	assert_int_equal(access(outside, F_OK), -1);
}

static void what_makes_no_sense_is_refused(void **state)
{
	_buf_ struct buf b = {0};
	uint32_t huge = TREE_PIECE + 1;

	(void)state;
	begin(&b);
	for (unsigned i = 0; i < LIMIT_ENTRY_DEPTH + 1; i++)
		put_plain(&b, TREE_FOLDER, "d");
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put_plain(&b, TREE_LEAVE, "");
	put_plain(&b, TREE_LEAVE, "");
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put_plain(&b, TREE_LEAVE, "");
	put_file(&b, "", "one more");
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put_plain(&b, TREE_END, "");
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put(&b, TREE_FILE, "f", 1, "");
	buf_add(&b, &huge, sizeof(huge));
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put(&b, (enum tree_kind)99, "f", 1, "");
	assert_int_equal(receive(&b), -EBADMSG);
	begin(&b);
	put(&b, TREE_LINK, "l", 1, "");
	assert_int_equal(receive(&b), -EBADMSG);
	buf_reset(&b);
	put(&b, TREE_LINK, "", 0, "/etc/passwd");
	assert_int_equal(receive(&b), -EBADMSG);
	assert_false(is_there("l"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tree_is_made),
		TEST(names_lead_nowhere),
		TEST(links_are_not_followed),
		TEST(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
