/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a lease file: read, written and read again it says the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netcfg/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lease_file first, second;
	struct buf a = {0}, b = {0};

	if (lease_parse((const char *)data, size, &first, NULL) < 0)
		return 0;
	lease_format(&first, &a);
	if (lease_parse(a.data, a.len, &second, NULL) < 0 || second.bad || second.n != first.n)
		abort();
	lease_format(&second, &b);
	if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
		abort();
	lease_done(&first);
	lease_done(&second);
	buf_done(&a);
	buf_done(&b);
	return 0;
}
