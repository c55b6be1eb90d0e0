/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading with memory that runs out: every allocation in turn fails, and all after it. The load says
 * -ENOMEM and nothing else happens: PID 1 reads units too. (Linked with --wrap: see the Makefile.)
 */
#include <errno.h>

#include "tests/unit/units/load_text.h"
#include "units/diff.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static size_t left = SIZE_MAX; /* allocations that still succeed */

static bool spent(void)
{
	if (left == 0)
		return true;
	if (left != SIZE_MAX)
		left--;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return spent() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return spent() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return spent() ? NULL : __real_realloc(p, size);
}

#define FILE(name, content)                                                     \
	{                                                                       \
		.path = "/u/" name, .data = content, .len = sizeof(content) - 1 \
	}

static const struct unit_file files[] = {
	FILE("a.container",
	     "[Unit]\nAfter=b.container c@x.container\n[Container]\nImage=localhost/a:${T}\nVolume=v.volume:/v\nVolume=%h/x:/x:ro\n"
	     "Network=n.network:alias=z\nPublishPort=1000-1040:1000-1040\nEnvironment=A=1 \"B=%n\"\nExec=a \"b c\" $L\n"
	     "HealthCmd=[\"a\", \"b\"]\nAddDevice=/dev/a\nSecret=s\nUlimit=nofile=1\nPodmanArgs=--cap-add=CHOWN\nBad=1\nLabel=a=\\q\n"
	     "Mount=\"type=bind,source=/a,target=/b\"\n[Service]\nEnvironment=T=1 \"L=p q\"\nExecStartPre=/bin/true\n"
	     "[Install]\nWantedBy=default.target\n"),
	FILE("b.container",
	     "[Unit]\nAfter=a.container\n[Container]\nImage=localhost/b\nPublishPort=1000:1\n"),
	FILE("c@.container",
	     "[Container]\nImage=localhost/c\nHostName=%i\n[Install]\nAlias=other\n"),
	FILE("v.volume", "[Volume]\n"),
	FILE("n.network", "[Network]\nSubnet=192.0.2.0/24\n"),
	FILE("p.pod", "[Pod]\nNetwork=n.network\n"),
	FILE("m.container", "[Container]\nImage=localhost/m\nPod=p.pod\n"),
	FILE("m.container.d/x.conf", "[Container]\nHostName=\xff\n"),
};

static int ignore_change(void *ctx, enum unit_change change, const struct unit *from,
			 const struct unit *to)
{
	(void)ctx, (void)change, (void)from, (void)to;
	return 0;
}

/* What the whole set says, to be freed. */
static char *all_of(const struct unit_set *set)
{
	struct buf b = {0};

	for (size_t i = 0; i < set->n; i++) {
		char *one = json_of(set->units[i]);

		buf_str(&b, one ? one : "");
		b.bad |= !one;
		free(one);
	}
	for (size_t i = 0; i < set->n_diags; i++)
		diag_print(set->diags[i], &b);
	return buf_take(&b);
}

/* 0 or -errno of all that is done with units; what came out of it, if anything did. */
static int use(char **ret_text)
{
	struct units_input in = {
		.files = files, .n_files = sizeof(files) / sizeof(*files), .host = test_host};
	struct unit_set *set = NULL;
	struct container_spec spec;
	struct net_spec net;
	struct fail f = {0};
	int r = units_load(&in, &set, &f);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < set->n; i++) {
		if (set->units[i]->kind != UNIT_CONTAINER || set->units[i]->state != UNIT_OK)
			continue;
		r = spec_from_unit(set, set->units[i], 0, &spec, &f);
		if (r == 0)
			spec_done(&spec);
	}
	if (r == 0) {
		r = netspec_from_units(set, &net, &f);
		if (r == 0)
			netspec_done(&net);
	}
	if (r == 0)
		r = units_diff(set, set, ignore_change, NULL);
	*ret_text = NULL;
	if (r == 0) {
		*ret_text = all_of(set);
		r = *ret_text ? 0 : -ENOMEM;
	}
	unit_set_free(set);
	return r;
}

static void every_allocation_may_fail(void **state)
{
	char *want, *have;
	size_t n = 0;
	int r;

	(void)state;
	assert_int_equal(use(&want), 0);
	do {
		left = n++;
		r = use(&have);
		left = SIZE_MAX;
		if (r != 0 && r != -ENOMEM)
			fail_msg("allocation %zu: %d", n, r);
	} while (r < 0);
	/* The first success is a whole one: nothing was lost on the way. */
	assert_string_equal(have, want);
	free(have);
	free(want);
	print_message("%zu allocations\n", n - 1);
	assert_true(n > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
