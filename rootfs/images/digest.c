/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/store.h"

int digest_check(const char *s, struct fail *f)
{
	size_t alg = strcspn(s, ":");
	bool wide = !strncmp(s, "sha512:", 7);

	if (!wide && strncmp(s, "sha256:", 7) != 0)
		return fail_set(
			f, EINVAL,
			"digest \"%.80s\": algorithm \"%.*s\" is not supported (sha256 and sha512 are)",
			s, (int)(alg > 20 ? 20 : alg), s);
	if (strlen(s + 7) != (wide ? 128u : 64u) || !store_hex_valid(s + 7))
		return fail_set(f, 0, "digest \"%.80s\" is malformed", s);
	return 0;
}

const char *digest_hex(const char *s)
{
	return s + 7;
}

void digest_init(struct digest *d, const char *like)
{
	d->wide = like && !strncmp(like, "sha512:", 7);
	if (d->wide)
		sha512_init(&d->u.sha512);
	else
		sha256_init(&d->u.sha256);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	if (d->wide)
		sha512_update(&d->u.sha512, len, data);
	else
		sha256_update(&d->u.sha256, len, data);
}

void digest_end(struct digest *d, char ret[DIGEST_MAX])
{
	unsigned char raw[SHA512_DIGEST_SIZE];
	size_t len = d->wide ? SHA512_DIGEST_SIZE : SHA256_DIGEST_SIZE;

	if (d->wide)
		sha512_digest(&d->u.sha512, len, raw);
	else
		sha256_digest(&d->u.sha256, len, raw);
	strcpy(ret, d->wide ? "sha512:" : "sha256:");
	for (size_t i = 0; i < len; i++)
		sprintf(ret + 7 + 2 * i, "%02x", raw[i]);
}
