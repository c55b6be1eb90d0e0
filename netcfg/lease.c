/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* --- the file ------------------------------------------------------------------------------------ */

static void lease_free(struct lease *item)
{
	free(item->network);
	free(item->unit);
}

void lease_done(struct lease_file *file)
{
	for (size_t i = 0; i < file->n; i++)
		lease_free(&file->items[i]);
	free(file->items);
	*file = (struct lease_file){0};
}

void lease_forget(struct lease_file *file, const char *unit)
{
	for (size_t i = 0; i < file->n;) {
		struct lease *item = &file->items[i];

		if (!item->unit || strcmp(item->unit, unit) != 0) {
			i++;
			continue;
		}
		lease_free(item);
		memmove(item, item + 1, (--file->n - i) * sizeof(*item));
	}
}

int lease_add(struct lease_file *file, const struct lease *item)
{
	struct lease copy = *item;

	if ((file->n & (file->n - 1)) == 0) { /* full at every power of two */
		size_t cap = file->n ? file->n * 2 : 1;
		struct lease *grown = realloc(file->items, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		file->items = grown;
	}
	copy.network = strdup(item->network);
	copy.unit = item->unit ? strdup(item->unit) : NULL;
	if (!copy.network || (item->unit && !copy.unit)) {
		lease_free(&copy);
		return -ENOMEM;
	}
	file->items[file->n++] = copy;
	return 0;
}

#define LINE_WORDS 5

/* Splits at single blanks. Returns how many words, or 0 if a word is empty, too long or one too many. */
static size_t split(char *line, char *words[LINE_WORDS])
{
	size_t n = 0;

	for (char *word = line; word; n++) {
		char *blank = strchr(word, ' ');

		if (blank)
			*blank = '\0';
		if (n == LINE_WORDS || !*word || strlen(word) > LEASE_WORD_MAX)
			return 0;
		words[n] = word;
		word = blank ? blank + 1 : NULL;
	}
	return n;
}

static bool read_ip(const char *word, uint8_t family, struct ip *ret)
{
	return !strcmp(word, "-") || (ip_parse(word, ret) && ret->family == family);
}

static bool read_prefix(const char *word, uint8_t family, struct ip_prefix *ret)
{
	return !strcmp(word, "-") || (ip_prefix_parse(word, ret) && ret->ip.family == family);
}

static bool read_line(char *line, struct lease *ret)
{
	char *w[LINE_WORDS];
	size_t n = split(line, w);

	*ret = (struct lease){0};
	if (n == 4 && !strcmp(w[0], "network")) {
		ret->network = w[1];
		return read_prefix(w[2], 4, &ret->net4) && read_prefix(w[3], 6, &ret->net6);
	}
	if (n == 5 && !strcmp(w[0], "lease")) {
		ret->network = w[1];
		ret->unit = w[2];
		return read_ip(w[3], 4, &ret->ip4) && read_ip(w[4], 6, &ret->ip6);
	}
	return false;
}

int lease_parse(const char *text, size_t len, struct lease_file *ret, struct fail *f)
{
	char line[4 * (LEASE_WORD_MAX + 1)];
	struct lease_file file = {0};
	struct lease item;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = (end ? (size_t)(end - text) : len) - at;

		if (n && text[at] != '#') {
			bool good = end && n < sizeof(line) && !memchr(text + at, '\0', n);

			memcpy(line, text + at, good ? n : 0);
			line[good ? n : 0] = '\0';
			if (!good || file.n >= LEASE_MAX || !read_line(line, &item)) {
				file.bad++;
			} else if (lease_add(&file, &item) < 0) {
				lease_done(&file);
				return fail_set(f, ENOMEM, "reading leases");
			}
		}
		at += n + 1;
	}
	*ret = file;
	return 0;
}

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

void lease_format(const struct lease_file *file, struct buf *b)
{
	char a[IP_TEXT_MAX], c[IP_TEXT_MAX];

	buf_str(b,
		"# Addresses of orlop's units, most recently used first; written by orlop-net.\n");
	for (size_t i = 0; i < file->n && i < LEASE_MAX; i++) {
		const struct lease *l = &file->items[i];

		if (l->unit)
			buf_fmt(b, "lease %s %s %s %s\n", l->network, l->unit,
				or_dash(ip_text(&l->ip4, a)), or_dash(ip_text(&l->ip6, c)));
		else
			buf_fmt(b, "network %s %s %s\n", l->network,
				or_dash(ip_prefix_text(&l->net4, a)),
				or_dash(ip_prefix_text(&l->net6, c)));
	}
}

/* --- the pool ------------------------------------------------------------------------------------ */

static int pool_range(struct lease_pool *pool, const char *range, struct fail *f)
{
	char text[2 * IP_TEXT_MAX];
	struct ip_prefix p;
	struct ip lo, hi;
	char *dash;

	if (strlen(range) >= sizeof(text))
		return fail_set(f, EINVAL, "IPRange \"%.100s\"", range);
	strcpy(text, range);
	dash = strchr(text, '-');
	if (dash) {
		*dash = '\0';
		if (!ip_parse(text, &lo) || !ip_parse(dash + 1, &hi))
			return fail_set(f, EINVAL, "IPRange \"%s\"", range);
	} else {
		if (!ip_prefix_parse(range, &p))
			return fail_set(f, EINVAL, "IPRange \"%s\"", range);
		lo = ip_prefix_base(&p).ip;
		hi = ip_prefix_at(&p, ip_prefix_size(&p) - 1);
	}
	if (!ip_in_prefix(&lo, &pool->subnet) || !ip_in_prefix(&hi, &pool->subnet))
		return fail_set(f, EINVAL, "IPRange \"%s\" lies outside of the subnet", range);
	pool->first = ip_prefix_offset(&pool->subnet, &lo);
	pool->last = ip_prefix_offset(&pool->subnet, &hi);
	if (pool->first > pool->last || pool->last == UINT64_MAX)
		return fail_set(f, EINVAL, "IPRange \"%s\" is empty or too far out", range);
	return 0;
}

int lease_pool_init(struct lease_pool *pool, const struct ip_prefix *subnet,
		    const struct ip *gateway, const char *range, struct fail *f)
{
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
	uint64_t size = ip_prefix_size(subnet);

	*pool = (struct lease_pool){.subnet = ip_prefix_base(subnet), .gateway = *gateway};
	if (size < 4)
		return fail_set(f, EINVAL, "subnet %s is too small", ip_prefix_text(subnet, a));
	if (!gateway->family)
		pool->gateway = ip_prefix_at(subnet, 1);
	else if (!ip_in_prefix(gateway, subnet))
		return fail_set(f, EINVAL, "gateway %s lies outside of %s", ip_text(gateway, a),
				ip_prefix_text(subnet, b));
	pool->first = 1;
	pool->last = size - (subnet->ip.family == 4 ? 2 : 1);
	return *range ? pool_range(pool, range, f) : 0;
}

/* --- a set of offsets: open addressing, never full ------------------------------------------------ */

struct offsets {
	uint64_t *slots; /* offset + 1; 0 = free */
	size_t mask;
};

static int offsets_init(struct offsets *set, size_t n)
{
	size_t cap = 16;

	while (cap < 2 * n)
		cap *= 2;
	set->slots = calloc(cap, sizeof(*set->slots));
	set->mask = cap - 1;
	return set->slots ? 0 : -ENOMEM;
}

static uint64_t *offsets_slot(const struct offsets *set, uint64_t offset)
{
	size_t i = (size_t)(offset * 0x9e3779b97f4a7c15ull >> 20) & set->mask;

	while (set->slots[i] && set->slots[i] != offset + 1)
		i = (i + 1) & set->mask;
	return &set->slots[i];
}

static bool offsets_has(const struct offsets *set, uint64_t offset)
{
	return *offsets_slot(set, offset) != 0;
}

static void offsets_add(struct offsets *set, uint64_t offset)
{
	*offsets_slot(set, offset) = offset + 1;
}

/* --- giving out ----------------------------------------------------------------------------------- */

struct assignment {
	const struct lease_pool *pool;
	struct lease_want **wants; /* sorted by unit */
	size_t n;
	struct offsets taken;  /* by wants, and reserved */
	struct offsets absent; /* held by units that are not among the wants */
};

static int by_unit(const void *a, const void *b)
{
	const struct lease_want *const *x = a, *const *y = b;

	return strcmp((*x)->unit, (*y)->unit);
}

static struct lease_want *find_want(const struct assignment *as, const char *unit)
{
	struct lease_want key = {.unit = unit}, *key_p = &key;
	struct lease_want **found = bsearch(&key_p, as->wants, as->n, sizeof(*as->wants), by_unit);

	return found ? *found : NULL;
}

static bool reserved(const struct lease_pool *pool, uint64_t offset)
{
	return offset == 0 || offset == ip_prefix_offset(&pool->subnet, &pool->gateway);
}

static void take(struct assignment *as, struct lease_want *w, uint64_t offset)
{
	w->got = ip_prefix_at(&as->pool->subnet, offset);
	offsets_add(&as->taken, offset);
}

/* An address from the unit file: anywhere in the subnet, also outside of the range. */
static void take_fixed(struct assignment *as, struct lease_want *w)
{
	const struct ip_prefix *subnet = &as->pool->subnet;
	uint64_t offset, size = ip_prefix_size(subnet);
	char a[IP_TEXT_MAX], s[IP_TEXT_MAX];

	ip_text(&w->fixed, a);
	if (!ip_in_prefix(&w->fixed, subnet)) {
		snprintf(w->problem, sizeof(w->problem), "%s lies outside of %s", a,
			 ip_prefix_text(subnet, s));
		return;
	}
	offset = ip_prefix_offset(subnet, &w->fixed);
	if (offset == UINT64_MAX) {
		snprintf(w->problem, sizeof(w->problem), "%s is too far from the start of %s", a,
			 ip_prefix_text(subnet, s));
	} else if (reserved(as->pool, offset) || (w->fixed.family == 4 && offset == size - 1)) {
		snprintf(w->problem, sizeof(w->problem),
			 "%s is the network's, its gateway's or its broadcast address", a);
	} else if (offsets_has(&as->taken, offset)) {
		const char *other = "another unit";

		for (size_t i = 0; i < as->n; i++)
			if (ip_equal(&as->wants[i]->got, &w->fixed))
				other = as->wants[i]->unit;
		snprintf(w->problem, sizeof(w->problem), "%s is the address of %.80s", a, other);
	} else {
		take(as, w, offset);
	}
}

/* An address held before, if it may still be given out: its offset, or UINT64_MAX. */
static uint64_t still_good(const struct assignment *as, const struct ip *ip)
{
	uint64_t offset;

	if (!ip_in_prefix(ip, &as->pool->subnet))
		return UINT64_MAX;
	offset = ip_prefix_offset(&as->pool->subnet, ip);
	if (offset < as->pool->first || offset > as->pool->last || reserved(as->pool, offset))
		return UINT64_MAX;
	return offsets_has(&as->taken, offset) ? UINT64_MAX : offset;
}

static void take_new(struct assignment *as, struct lease_want *w, const struct lease_held *held,
		     size_t n_held)
{
	uint64_t span = as->pool->last - as->pool->first + 1;
	uint64_t start = ip_hash(0, w->unit) % span;
	/* with every occupied address passed once, a free one is found or there is none */
	uint64_t steps = as->taken.mask + as->absent.mask + 3;
	uint64_t offset;

	for (uint64_t i = 0; i < span && i < steps; i++) {
		offset = as->pool->first + (start + i) % span;
		if (!reserved(as->pool, offset) && !offsets_has(&as->taken, offset) &&
		    !offsets_has(&as->absent, offset)) {
			take(as, w, offset);
			return;
		}
	}
	for (size_t i = n_held; i-- > 0;) {
		offset = still_good(as, &held[i].ip);
		if (offset != UINT64_MAX) {
			take(as, w, offset);
			return;
		}
	}
	snprintf(w->problem, sizeof(w->problem),
		 "no address is left: all %llu of the pool are in use", (unsigned long long)span);
}

int lease_assign(const struct lease_pool *pool, struct lease_want *wants, size_t n,
		 const struct lease_held *held, size_t n_held)
{
	struct assignment as = {.pool = pool, .n = n};
	int r = -ENOMEM;

	as.wants = calloc(n + 1, sizeof(struct lease_want *));
	if (!as.wants || offsets_init(&as.taken, n + 1) < 0 ||
	    offsets_init(&as.absent, n_held + 1) < 0)
		goto out;
	for (size_t i = 0; i < n; i++)
		as.wants[i] = &wants[i];
	qsort(as.wants, n, sizeof(struct lease_want *), by_unit);

	for (size_t i = 0; i < n; i++)
		if (as.wants[i]->fixed.family)
			take_fixed(&as, as.wants[i]);
	for (size_t i = 0; i < n_held; i++) {
		struct lease_want *w = find_want(&as, held[i].unit);
		uint64_t offset = still_good(&as, &held[i].ip);

		if (offset == UINT64_MAX)
			continue;
		if (!w)
			offsets_add(&as.absent, offset);
		else if (!w->fixed.family && !w->got.family)
			take(&as, w, offset);
	}
	for (size_t i = 0; i < n; i++)
		if (!as.wants[i]->fixed.family && !as.wants[i]->got.family)
			take_new(&as, as.wants[i], held, n_held);
	r = 0;
out:
	free(as.wants);
	free(as.taken.slots);
	free(as.absent.slots);
	return r;
}
