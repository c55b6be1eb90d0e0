/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/utf8.h"

#include <stdint.h>

#include "base/cleanup.h"

size_t utf8_char(const char *s, size_t left)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t min;
	} forms[] = {
		{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	const uint8_t *u = (const uint8_t *)s;

	for (size_t n = 1; n <= ARRAY_LEN(forms) && n <= left; n++) {
		uint32_t c;

		if ((u[0] & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		c = u[0] & (uint8_t)~forms[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((u[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (u[i] & 0x3f);
		}
		return c < forms[n - 1].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
	}
	return 0;
}
