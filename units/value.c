/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int value_choice(const char *s, const char *choices)
{
	size_t len = strlen(s);
	int index = 0;

	for (const char *c = choices; len && *c; index++) {
		size_t n = strcspn(c, " ");

		if (n == len && memcmp(s, c, n) == 0)
			return index;
		c += n + (c[n] == ' ');
	}
	return -1;
}

static bool choice_any_case(const char *s, const char *choices)
{
	char lower[8];
	size_t len = strlen(s);

	if (len >= sizeof(lower))
		return false;
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
	return value_choice(lower, choices) >= 0;
}

static const char *parse_bool(const char *s, const char *yes, const char *no, bool *ret)
{
	bool is_yes = choice_any_case(s, yes);

	if (!is_yes && !choice_any_case(s, no))
		return "write true or false";
	*ret = is_yes;
	return NULL;
}

const char *value_bool(const char *s, bool *ret)
{
	return parse_bool(s, "1 yes true on", "0 no false off", ret);
}

const char *value_bool_systemd(const char *s, bool *ret)
{
	return parse_bool(s, "1 yes y true t on", "0 no n false f off", ret);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *value_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	const char *p = s + (*s == '-' || *s == '+');
	int64_t value = 0;

	if (!is_digit(*p))
		return "write a number";
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *p - '0', &value))
			return "the number is too large";
	if (*p)
		return "write a number, with nothing behind it";
	if (*s == '-')
		value = -value;
	if (value < min)
		return min == 0 ? "it must not be negative" : "the number is too small";
	if (value > max)
		return "the number is too large";
	*ret = value;
	return NULL;
}

const char *value_mode(const char *s, int64_t *ret)
{
	int64_t mode = 0;

	if (!*s || strlen(s) > 5)
		return "write an octal mode such as 0644";
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return "write an octal mode such as 0644";
		mode = mode * 8 + (*s - '0');
	}
	if (mode > 07777)
		return "write an octal mode of at most 7777";
	*ret = mode;
	return NULL;
}

/* --- numbers with a unit ---------------------------------------------------------------------- */

struct unit_row {
	const char *name;
	uint64_t factor;
};

static bool find_unit(const struct unit_row *rows, const char *s, size_t len, uint64_t *ret)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == len && strncmp(rows->name, s, len) == 0) {
			*ret = rows->factor;
			return true;
		}
	return false;
}

/* "12.34" at *s: whole part and millionths; advances *s. false: no number, or too large. */
static bool read_decimal(const char **s, uint64_t *ret_whole, uint64_t *ret_millionths)
{
	const char *p = *s;
	uint64_t whole = 0, part = 0, scale = 100000;
	bool any = false;

	for (; is_digit(*p); p++, any = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return false;
	if (*p == '.') {
		for (p++; is_digit(*p); p++, any = true) {
			part += (uint64_t)(*p - '0') * scale;
			scale /= 10;
		}
	}
	if (!any)
		return false;
	*ret_whole = whole;
	*ret_millionths = part;
	*s = p;
	return true;
}

/* Adds (whole + millionths/10^6) * factor to *sum. */
static bool add_scaled(uint64_t whole, uint64_t millionths, uint64_t factor, uint64_t *sum)
{
	uint64_t n, part;

	if (__builtin_mul_overflow(whole, factor, &n) || __builtin_add_overflow(*sum, n, sum))
		return false;
	part = factor / 1000000 * millionths + factor % 1000000 * millionths / 1000000;
	return !__builtin_add_overflow(*sum, part, sum) && *sum < UINT64_MAX / 2;
}

#define SEC      UINT64_C(1000000)
#define MONTH    (UINT64_C(2629800) * SEC)  /* 30.4375 days */
#define YEAR     (UINT64_C(31557600) * SEC) /* 365.25 days */
#define TOO_LONG "the time is too long"

static const struct unit_row time_units[] = {
	{"", SEC},
	{"us", 1},
	{"usec", 1},
	{"\xc2\xb5s", 1}, /* micro sign */
	{"\xce\xbcs", 1}, /* Greek mu */
	{"ms", 1000},
	{"msec", 1000},
	{"s", SEC},
	{"sec", SEC},
	{"second", SEC},
	{"seconds", SEC},
	{"m", 60 * SEC},
	{"min", 60 * SEC},
	{"minute", 60 * SEC},
	{"minutes", 60 * SEC},
	{"h", 3600 * SEC},
	{"hr", 3600 * SEC},
	{"hour", 3600 * SEC},
	{"hours", 3600 * SEC},
	{"d", 86400 * SEC},
	{"day", 86400 * SEC},
	{"days", 86400 * SEC},
	{"w", 604800 * SEC},
	{"week", 604800 * SEC},
	{"weeks", 604800 * SEC},
	{"M", MONTH},
	{"month", MONTH},
	{"months", MONTH},
	{"y", YEAR},
	{"year", YEAR},
	{"years", YEAR},
	{NULL, 0},
};

static size_t skip_blanks(const char *s)
{
	return strspn(s, " \t");
}

const char *value_timespan(const char *s, uint64_t *ret)
{
	uint64_t sum = 0, whole, part, factor;

	if (strcmp(s, "infinity") == 0) {
		*ret = POLICY_INFINITY;
		return NULL;
	}
	if (!*s)
		return "write a time such as 30s or 5min";
	while (*s) {
		size_t len;

		if (*s == '-')
			return "a time cannot be negative";
		if (!read_decimal(&s, &whole, &part))
			return "write a time such as 30s or 5min 20s";
		s += skip_blanks(s);
		len = strcspn(s, " \t0123456789.");
		if (!find_unit(time_units, s, len, &factor))
			return "units of time are us, ms, s, min, h, d, w, month, y";
		if (!add_scaled(whole, part, factor, &sum))
			return TOO_LONG;
		s += len;
		s += skip_blanks(s);
	}
	*ret = sum;
	return NULL;
}

static const struct unit_row go_units[] = {
	{"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000},    {"\xce\xbcs", 1000},
	{"ms", 1000000}, {"s", SEC * 1000}, {"m", 60 * SEC * 1000}, {"h", 3600 * SEC * 1000},
	{NULL, 0},
};

const char *value_go_duration(const char *s, uint64_t *ret)
{
	uint64_t sum = 0, whole, part, factor;

	if (strcmp(s, "0") == 0) {
		*ret = 0;
		return NULL;
	}
	if (!*s)
		return "write a time such as 30s";
	while (*s) {
		size_t len;

		if (*s == '-')
			return "a time cannot be negative";
		if (!read_decimal(&s, &whole, &part))
			return "write a time such as 30s or 1m30s, without blanks";
		len = strcspn(s, "0123456789.");
		if (len == 0)
			return "the unit is missing: write for example 30s";
		if (!find_unit(go_units, s, len, &factor))
			return "units of time here are ns, us, ms, s, m, h, without blanks";
		if (!add_scaled(whole, part, factor, &sum))
			return TOO_LONG;
		s += len;
	}
	*ret = sum / 1000;
	return NULL;
}

static const char *scaled_size(uint64_t whole, uint64_t part, uint64_t factor, int64_t *ret)
{
	uint64_t sum = 0;

	if (!add_scaled(whole, part, factor, &sum))
		return "the size is too large";
	*ret = (int64_t)sum;
	return NULL;
}

#define KIB UINT64_C(1024)

const char *value_podman_size(const char *s, int64_t *ret)
{
	static const struct unit_row rows[] = {
		{"", 1},
		{"b", 1},
		{"k", KIB},
		{"m", KIB * KIB},
		{"g", KIB * KIB * KIB},
		{"t", KIB * KIB * KIB * KIB},
		{"p", KIB * KIB * KIB * KIB * KIB},
		{NULL, 0},
	};
	uint64_t whole, part, factor;
	char unit[4] = "";
	size_t len;

	if (!read_decimal(&s, &whole, &part))
		return "write a size such as 64m or 1g";
	s += skip_blanks(s);
	len = strlen(s);
	if (len > 3)
		return "units of size are b, k, m, g, t";
	for (size_t i = 0; i < len; i++)
		unit[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
	if (len == 3 && strcmp(unit + 1, "ib") == 0)
		unit[1] = '\0';
	else if (len == 2 && unit[1] == 'b' && unit[0] != 'b')
		unit[1] = '\0';
	if (!find_unit(rows, unit, strlen(unit), &factor))
		return "units of size are b, k, m, g, t";
	return scaled_size(whole, part, factor, ret);
}

const char *value_systemd_size(const char *s, int64_t total, int64_t *ret)
{
	static const struct unit_row rows[] = {
		{"", 1},
		{"B", 1},
		{"K", KIB},
		{"M", KIB * KIB},
		{"G", KIB * KIB * KIB},
		{"T", KIB * KIB * KIB * KIB},
		{"P", KIB * KIB * KIB * KIB * KIB},
		{"E", KIB * KIB * KIB * KIB * KIB * KIB},
		{NULL, 0},
	};
	uint64_t whole, part, factor;

	if (strcmp(s, "infinity") == 0) {
		*ret = -1;
		return NULL;
	}
	if (!read_decimal(&s, &whole, &part))
		return "write a size such as 512M or 1G, or infinity";
	s += skip_blanks(s);
	if (strcmp(s, "%") == 0) {
		if (whole > 100 || (whole == 100 && part))
			return "more than 100%";
		if (!total)
			return "the host's total is not known here: write bytes";
		part += whole * 1000000; /* of 10^8 */
		*ret = (int64_t)((uint64_t)total / 100000000 * part +
				 (uint64_t)total % 100000000 * part / 100000000);
		return NULL;
	}
	if (!find_unit(rows, s, strlen(s), &factor))
		return "units of size are K, M, G, T, P, E";
	return scaled_size(whole, part, factor, ret);
}

const char *value_systemd_rate(const char *s, int64_t *ret)
{
	static const struct unit_row rows[] = {
		{"", 1},
		{"B", 1},
		{"K", 1000},
		{"M", 1000000},
		{"G", UINT64_C(1000000000)},
		{"T", UINT64_C(1000000000000)},
		{"P", UINT64_C(1000000000000000)},
		{"E", UINT64_C(1000000000000000000)},
		{NULL, 0},
	};
	uint64_t whole, part, factor;
	const char *why;

	if (strcmp(s, "infinity") == 0) {
		*ret = -1;
		return NULL;
	}
	if (!read_decimal(&s, &whole, &part))
		return "write a limit such as 500K or 10M, or infinity";
	if (!find_unit(rows, s, strlen(s), &factor))
		return "units here are K, M, G, T, P, E, of 1000 each";
	why = scaled_size(whole, part, factor, ret);
	return why || *ret ? why : "write infinity for no limit";
}

/* --- addresses -------------------------------------------------------------------------------- */

const char *value_ipv4(const char *s)
{
	unsigned char out[4];

	return inet_pton(AF_INET, s, out) == 1 ? NULL : "write an IPv4 address such as 10.89.0.5";
}

const char *value_ipv6(const char *s)
{
	unsigned char out[16];

	return inet_pton(AF_INET6, s, out) == 1 ? NULL : "write an IPv6 address such as fd00::5";
}

const char *value_ip(const char *s)
{
	return value_ipv4(s) && value_ipv6(s) ? "write an IP address" : NULL;
}

const char *value_cidr(const char *s, bool *ret_v6)
{
	const char *slash = strchr(s, '/');
	char address[64];
	int64_t prefix;
	bool v6;

	if (!slash || (size_t)(slash - s) >= sizeof(address))
		return "write a subnet such as 10.89.1.0/24";
	snprintf(address, sizeof(address), "%.*s", (int)(slash - s), s);
	v6 = !value_ipv6(address);
	if (!v6 && value_ipv4(address))
		return "the part before the '/' is no IP address";
	if (value_int(slash + 1, 0, v6 ? 128 : 32, &prefix))
		return v6 ? "the prefix is 0 to 128" : "the prefix is 0 to 32";
	if (ret_v6)
		*ret_v6 = v6;
	return NULL;
}

const char *value_mac(const char *s)
{
	for (int i = 0; i < 17; i++) {
		char c = s[i];
		bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		if (i % 3 == 2 ? c != ':' : !hex)
			return "write a MAC address such as 02:00:00:00:00:01";
	}
	return s[17] ? "write a MAC address such as 02:00:00:00:00:01" : NULL;
}
