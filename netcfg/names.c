/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/names.h"

#include <string.h>

#include "netcfg/port.h"

_Static_assert(PORT_DEVICE_MAX == NAME_DEVICE_MAX, "both are IFNAMSIZ");

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SHOWN          5
#define DIGITS         7

void name_device(const char *kind, const char *name, const char *salt, char ret[NAME_DEVICE_MAX])
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* no l, o, 0, 1 */
	uint64_t h = ip_hash(ip_hash(0, name), salt);
	char *at = ret;

	at = stpcpy(at, kind);
	for (size_t i = 0; i < SHOWN && name[i] && strchr(LETTERS_DIGITS "_", name[i]); i++)
		*at++ = name[i];
	*at++ = '-';
	for (int i = 0; i < DIGITS; i++, h >>= 5)
		*at++ = digits[h & 31];
	*at = '\0';
}

void port_device(const char *unit, const char *network, char ret_name[PORT_DEVICE_MAX])
{
	name_device("ol", unit, network, ret_name);
}

bool name_device_valid(const char *s)
{
	size_t n = strspn(s, LETTERS_DIGITS "._-");

	return n && !s[n] && n < NAME_DEVICE_MAX && s[0] != '.' && s[0] != '-';
}

bool name_host_valid(const char *s)
{
	size_t n = strspn(s, LETTERS_DIGITS "._-");

	return n && !s[n] && n <= 253;
}

struct mac name_bridge_mac(const char *bridge)
{
	uint64_t h = ip_hash(0, bridge);
	struct mac m = {{0x02, 0x6e}};

	memcpy(m.b + 2, &h, 4);
	return m;
}
