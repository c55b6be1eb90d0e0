/* SPDX-License-Identifier: Apache-2.0 */
/* Name servers' command lines: all of it, or none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "netcfg/dns.h"
#include "netcfg/resolve.h"

static size_t find(const struct dns_job *job, const char *word)
{
	size_t i = 0;

	while (job->argv[i] && strncmp(job->argv[i], word, strlen(word)) != 0)
		i++;
	return i;
}

static size_t count(const struct dns_job *job, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; job->argv[i]; i++)
		n += !strncmp(job->argv[i], word, strlen(word));
	return n;
}

/* `n` addresses, a comma list. */
static char *list(const char *before, const char *after, size_t n)
{
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_fmt(&b, "%s%s%zu%s", i ? "," : "", before, i, after);
	return buf_take(&b);
}

static void the_most_that_a_set_can_have_is_all_there(void **state)
{
	(void)state;
	char *v4 = list("10.1.", ".1", RESOLVE_SUBNETS_MAX);
	char *v6 = list("fd01:", "::1", RESOLVE_SUBNETS_MAX);
	struct netspec_network net = {.name = (char *)"net", .gateway = v4, .gateway6 = v6};
	struct dns_set set = {.n = DNS_SET_SIZE, .file = "+1", .port = 64001};
	struct dns_job job;

	net.dns = (char *)"192.0.2.53";
	for (size_t i = 0; i < set.n; i++)
		set.networks[i] = &net;
	assert_int_equal(dns_set_job(&set, &job), 0);
	assert_int_equal(count(&job, "--listen-address="),
			 (size_t)DNS_SET_SIZE * 2 * RESOLVE_SUBNETS_MAX);
	assert_int_equal(count(&job, "--server=192.0.2.53"), 1);
	assert_int_equal(count(&job, "--port=64001"), 1);
	/* what it must not be without does not come last */
	assert_true(find(&job, "--addn-hosts=/run/orlop/hosts/+1") <
		    find(&job, "--listen-address="));
	assert_true(find(&job, "--no-resolv") < find(&job, "--listen-address="));
	dns_job_done(&job);
	free(v4);
	free(v6);
}

static void too_much_is_told(void **state)
{
	(void)state;
	char *servers = list("192.0.2.", "", 250), *more = list("192.0.2.", "", DNS_ARGS_MAX);
	struct netspec_network net = {
		.name = (char *)"net", .gateway = (char *)"10.1.0.1", .dns = servers};
	struct dns_job job;

	assert_int_equal(dns_job(&net, &job), 0);
	assert_int_equal(count(&job, "--server="), 250);
	dns_job_done(&job);
	net.dns = more;
	assert_int_equal(dns_job(&net, &job), -E2BIG);
	assert_null(job.text);
	free(servers);
	free(more);
}

static void an_internal_networks_server_asks_nobody(void **state)
{
	(void)state;
	struct netspec_network net = {.name = (char *)"net",
				      .gateway = (char *)"10.1.0.1",
				      .internal = (char *)"yes",
				      .dns = (char *)"192.0.2.53"};
	struct dns_job job;

	assert_int_equal(dns_job(&net, &job), 0);
	assert_int_equal(count(&job, "--no-resolv"), 1);
	assert_int_equal(count(&job, "--server="), 0);
	assert_int_equal(count(&job, "--resolv-file="), 0);
	dns_job_done(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_that_a_set_can_have_is_all_there),
		cmocka_unit_test(too_much_is_told),
		cmocka_unit_test(an_internal_networks_server_asks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
