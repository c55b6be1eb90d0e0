/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "logs/line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS        1000000000LL
#define DAY       86400LL
#define YEAR_LAST 2261 /* int64_t nanoseconds end in April 2262 */

/* Days since 1970-01-01 of a date in the Gregorian calendar; years count from March, so that the leap
 * day is the last one, and come in eras of 400, which all have 146,097 days. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, doe;
	int yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (int)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, int *y, int *m, int *d)
{
	int64_t era, z = days + 719468;
	int doe, yoe, doy, mp;

	era = z / 146097;
	doe = (int)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

static char *put_digits(char *at, int64_t value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + n;
}

/* LINE_STAMP_LEN characters at p. Not snprintf: a flood has a million of them a second. */
static void put_stamp(char *p, int64_t ns)
{
	int64_t sec = ns < 0 ? 0 : ns / NS, clock = sec % DAY;
	int y, m, d;

	civil_from_days(sec / DAY, &y, &m, &d);
	p = put_digits(p, y, 4);
	*p++ = '-';
	p = put_digits(p, m, 2);
	*p++ = '-';
	p = put_digits(p, d, 2);
	*p++ = 'T';
	p = put_digits(p, clock / 3600, 2);
	*p++ = ':';
	p = put_digits(p, clock / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, clock % 60, 2);
	*p++ = '.';
	p = put_digits(p, ns < 0 ? 0 : ns % NS, 9);
	*p = 'Z';
}

void line_add_stamp(struct buf *b, int64_t ns)
{
	char stamp[LINE_STAMP_LEN];

	put_stamp(stamp, ns);
	buf_add(b, stamp, sizeof(stamp));
}

/* n digits at *p as a number up to max, or -1; *p then stands behind them. */
static int take_digits(const char **p, const char *end, int n, int max)
{
	int value = 0;

	if (end - *p < n)
		return -1;
	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value <= max ? value : -1;
}

static bool take_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* YYYY-MM-DD as seconds since 1970. */
static bool take_date(const char **p, const char *end, int64_t *ret)
{
	int y = take_digits(p, end, 4, YEAR_LAST), m, d;

	if (y < 1970 || !take_char(p, end, '-') || (m = take_digits(p, end, 2, 12)) < 1 ||
	    !take_char(p, end, '-') || (d = take_digits(p, end, 2, 31)) < 1)
		return false;
	*ret = days_from_civil(y, m, d) * DAY;
	return true;
}

/* HH:MM[:SS] in seconds. */
static bool take_clock(const char **p, const char *end, bool seconds, int64_t *ret)
{
	int h = take_digits(p, end, 2, 23), m, s = 0;

	if (h < 0 || !take_char(p, end, ':') || (m = take_digits(p, end, 2, 59)) < 0)
		return false;
	if (seconds && (!take_char(p, end, ':') || (s = take_digits(p, end, 2, 60)) < 0))
		return false;
	*ret = h * 3600 + m * 60 + s;
	return true;
}

/* .123 in nanoseconds; none is 0. */
static bool take_fraction(const char **p, const char *end, int64_t *ret)
{
	int64_t unit = NS / 10;

	*ret = 0;
	if (!take_char(p, end, '.'))
		return true;
	if (*p == end || **p < '0' || **p > '9')
		return false;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		*ret += (**p - '0') * unit;
	return true;
}

bool line_parse_stamp(const char *text, size_t len, int64_t *ret)
{
	const char *p = text, *end = text + LINE_STAMP_LEN;
	int64_t day, clock, fraction;

	if (len < LINE_STAMP_LEN || text[19] != '.' || !take_date(&p, end, &day) ||
	    !take_char(&p, end, 'T') || !take_clock(&p, end, true, &clock) ||
	    !take_fraction(&p, end, &fraction) || p != end - 1 || *p != 'Z')
		return false;
	*ret = (day + clock) * NS + fraction;
	return true;
}

/* The time of the next record: later than the last one, unless the clock was really set back. */
static int64_t next_time(int64_t now, int64_t *last)
{
	if (now <= *last && *last - now < NS)
		now = *last + 1;
	*last = now;
	return now;
}

static void add_record(struct buf *out, enum line_flag flag, const char *text, size_t len,
		       int64_t now, int64_t *last)
{
	char prefix[LINE_PREFIX_LEN];

	put_stamp(prefix, next_time(now, last));
	prefix[LINE_STAMP_LEN] = ' ';
	prefix[LINE_STAMP_LEN + 1] = (char)flag;
	prefix[LINE_STAMP_LEN + 2] = ' ';
	buf_add(out, prefix, sizeof(prefix));
	buf_add(out, text, len);
	buf_chr(out, '\n');
}

/* How long the first piece of an overlong line is: not cut inside a UTF-8 character. */
static size_t piece_length(const char *text)
{
	size_t n = LINE_TEXT_MAX;

	while (n > LINE_TEXT_MAX - 4 && ((uint8_t)text[n] & 0xc0) == 0x80)
		n--;
	return ((uint8_t)text[n] & 0xc0) == 0x80 ? LINE_TEXT_MAX : n;
}

size_t line_split(const char *data, size_t len, bool end, int64_t now, int64_t *last,
		  struct buf *out, size_t out_max)
{
	size_t used = 0;

	while (used < len && out->len < out_max && !out->bad) {
		const char *text = data + used;
		size_t left = len - used;
		const char *newline = memchr(text, '\n',
					     left < LINE_TEXT_MAX + 1 ? left : LINE_TEXT_MAX + 1);

		if (newline) {
			add_record(out, LINE_FULL, text, (size_t)(newline - text), now, last);
			used += (size_t)(newline - text) + 1;
		} else if (left > LINE_TEXT_MAX) {
			size_t n = piece_length(text);

			add_record(out, LINE_PARTIAL, text, n, now, last);
			used += n;
		} else if (end) {
			add_record(out, LINE_PARTIAL, text, left, now, last);
			used = len;
		} else {
			break;
		}
	}
	return used;
}

void line_add_dropped(struct buf *out, uint64_t dropped, int64_t now, int64_t *last)
{
	_buf_ struct buf text = {0};

	buf_fmt(&text, "%" PRIu64 " bytes dropped", dropped);
	if (text.data)
		add_record(out, LINE_MARKER, text.data, text.len, now, last);
}

bool line_parse(const char *data, size_t len, struct line *ret)
{
	char flag;

	if (len < LINE_PREFIX_LEN || data[LINE_STAMP_LEN] != ' ' || data[LINE_STAMP_LEN + 2] != ' ')
		return false;
	flag = data[LINE_STAMP_LEN + 1];
	if ((flag != LINE_FULL && flag != LINE_PARTIAL && flag != LINE_MARKER) ||
	    !line_parse_stamp(data, len, &ret->time))
		return false;
	ret->flag = (enum line_flag)flag;
	ret->text = data + LINE_PREFIX_LEN;
	ret->len = len - LINE_PREFIX_LEN;
	return true;
}

/* 90s, 10m, 2h, 3d, 1w: that long before now. */
static bool parse_ago(const char *text, int64_t now, int64_t *ret)
{
	static const char letters[] = "smhdw";
	static const int64_t sizes[] = {1, 60, 3600, DAY, 7 * DAY};
	const char *letter;
	char *end;
	long long n = strtoll(text, &end, 10);

	letter = *end ? strchr(letters, *end) : NULL;
	if (end == text || !letter || end[1] || n < 0 || n > 100000000)
		return false;
	n *= sizes[letter - letters];
	*ret = n > now / NS ? 0 : now - n * NS;
	return true;
}

/* Z, +hh:mm, -hh:mm or nothing, as seconds to subtract. */
static bool take_zone(const char **p, const char *end, int64_t *ret)
{
	bool west = *p < end && **p == '-';

	*ret = 0;
	if (*p == end || take_char(p, end, 'Z'))
		return true;
	if (!take_char(p, end, west ? '-' : '+') || !take_clock(p, end, false, ret))
		return false;
	*ret = west ? -*ret : *ret;
	return true;
}

bool line_parse_since(const char *text, int64_t now, int64_t *ret)
{
	const char *p = text, *end = text + strlen(text);
	int64_t day, clock = 0, fraction = 0, zone = 0;

	if (*text == '@') {
		char *tail;
		long long n = strtoll(text + 1, &tail, 10);

		*ret = n < 0 || n > INT64_MAX / NS ? 0 : n * NS;
		return tail != text + 1 && !*tail && n >= 0 && n <= INT64_MAX / NS;
	}
	if (!take_date(&p, end, &day))
		return parse_ago(text, now, ret);
	if (p < end && (*p == 'T' || *p == 't' || *p == ' ')) {
		p++;
		if (!take_clock(&p, end, true, &clock) || !take_fraction(&p, end, &fraction) ||
		    !take_zone(&p, end, &zone))
			return false;
	}
	*ret = (day + clock - zone) * NS + fraction;
	if (*ret < 0)
		*ret = 0;
	return p == end;
}
