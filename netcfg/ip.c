/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

bool ip_parse(const char *s, struct ip *ret)
{
	struct ip ip = {0};

	if (inet_pton(AF_INET, s, ip.b) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, s, ip.b) == 1)
		ip.family = 6;
	else
		return false;
	*ret = ip;
	return true;
}

bool ip_prefix_parse(const char *s, struct ip_prefix *ret)
{
	char text[IP_TEXT_MAX];
	const char *slash = strchr(s, '/');
	struct ip_prefix p;
	char *end;
	long len;

	if (!slash || (size_t)(slash - s) >= sizeof(text) || slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	len = strtol(slash + 1, &end, 10);
	if (!ip_parse(text, &p.ip) || *end || len < 0 || len > (p.ip.family == 4 ? 32 : 128))
		return false;
	p.len = (uint8_t)len;
	*ret = p;
	return true;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

bool mac_parse(const char *s, struct mac *ret)
{
	struct mac m;

	for (int i = 0; i < 6; i++, s += 3) {
		int hi = hex_digit(s[0]), lo = hi < 0 ? -1 : hex_digit(s[1]);

		if (lo < 0 || s[2] != (i < 5 ? ':' : '\0'))
			return false;
		m.b[i] = (uint8_t)(hi << 4 | lo);
	}
	if (m.b[0] & 1)
		return false;
	*ret = m;
	return true;
}

const char *ip_text(const struct ip *ip, char ret[IP_TEXT_MAX])
{
	if (!ip->family ||
	    !inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->b, ret, IP_TEXT_MAX))
		ret[0] = '\0';
	return ret;
}

const char *ip_prefix_text(const struct ip_prefix *p, char ret[IP_TEXT_MAX])
{
	size_t used = strlen(ip_text(&p->ip, ret));

	if (used)
		snprintf(ret + used, IP_TEXT_MAX - used, "/%u", p->len);
	return ret;
}

const char *mac_text(const struct mac *m, char ret[18])
{
	snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3],
		 m->b[4], m->b[5]);
	return ret;
}

unsigned ip_bytes(const struct ip *ip)
{
	return ip->family == 4 ? 4 : ip->family == 6 ? 16 : 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, ip_bytes(a));
}

/* The mask of byte i under a prefix of len bits. */
static uint8_t mask_byte(unsigned len, unsigned i)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	return len <= 8 * i ? 0 : (uint8_t)(0xff00 >> (len - 8 * i));
}

bool ip_in_prefix(const struct ip *ip, const struct ip_prefix *p)
{
	if (!ip->family || ip->family != p->ip.family)
		return false;
	for (unsigned i = 0; i < ip_bytes(ip); i++)
		if ((ip->b[i] ^ p->ip.b[i]) & mask_byte(p->len, i))
			return false;
	return true;
}

bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len <= b->len ? ip_in_prefix(&b->ip, a) : ip_in_prefix(&a->ip, b);
}

struct ip_prefix ip_prefix_base(const struct ip_prefix *p)
{
	struct ip_prefix base = *p;

	for (unsigned i = 0; i < ip_bytes(&p->ip); i++)
		base.ip.b[i] &= mask_byte(p->len, i);
	return base;
}

uint64_t ip_prefix_size(const struct ip_prefix *p)
{
	unsigned bits = 8 * ip_bytes(&p->ip) - p->len;

	return 1ull << (bits > 32 ? 32 : bits);
}

struct ip ip_prefix_at(const struct ip_prefix *p, uint64_t offset)
{
	struct ip ip = ip_prefix_base(p).ip;

	for (unsigned i = ip_bytes(&ip); i-- > 0 && offset; offset >>= 8) {
		offset += ip.b[i];
		ip.b[i] = (uint8_t)offset;
	}
	return ip;
}

uint64_t ip_prefix_offset(const struct ip_prefix *p, const struct ip *ip)
{
	struct ip_prefix base = ip_prefix_base(p);
	uint64_t offset = 0;

	for (unsigned i = 0; i < ip_bytes(ip); i++) {
		if (offset >> 24)
			return UINT64_MAX;
		offset = offset << 8 | (uint8_t)(ip->b[i] - base.ip.b[i]);
	}
	return offset;
}

uint64_t ip_hash(uint64_t seed, const char *s)
{
	uint64_t h = hash_bytes(seed ? seed : HASH_START, s, strlen(s) + 1);

	return h ^ h >> 29;
}

struct mac mac_for_ip(const struct ip *ip)
{
	struct mac m = {{0x02, 0x6f}};
	unsigned n = ip_bytes(ip);

	if (n)
		memcpy(m.b + 2, ip->b + n - 4, 4);
	return m;
}

struct ip ip_link_local(const struct mac *m)
{
	return (struct ip){6,
			   {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m->b[0] ^ 2, m->b[1], m->b[2], 0xff, 0xfe,
			    m->b[3], m->b[4], m->b[5]}};
}

bool ip_is_link_local(const struct ip *ip)
{
	return ip->family == 6 ? ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80
			       : ip->b[0] == 169 && ip->b[1] == 254;
}
