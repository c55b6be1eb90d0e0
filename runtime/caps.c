/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/caps.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

struct cap {
	const char *name;
	bool given;     /* by default */
	bool host_only; /* capable(), not ns_capable(), is what the kernel asks */
};

static const struct cap caps[CAPS_LAST + 1] = {
	[CAP_CHOWN] = {"CAP_CHOWN", true, false},
	[CAP_DAC_OVERRIDE] = {"CAP_DAC_OVERRIDE", true, false},
	[CAP_DAC_READ_SEARCH] = {"CAP_DAC_READ_SEARCH", false, false},
	[CAP_FOWNER] = {"CAP_FOWNER", true, false},
	[CAP_FSETID] = {"CAP_FSETID", true, false},
	[CAP_KILL] = {"CAP_KILL", true, false},
	[CAP_SETGID] = {"CAP_SETGID", true, false},
	[CAP_SETUID] = {"CAP_SETUID", true, false},
	[CAP_SETPCAP] = {"CAP_SETPCAP", true, false},
	[CAP_LINUX_IMMUTABLE] = {"CAP_LINUX_IMMUTABLE", false, true},
	[CAP_NET_BIND_SERVICE] = {"CAP_NET_BIND_SERVICE", true, false},
	[CAP_NET_BROADCAST] = {"CAP_NET_BROADCAST", false, false},
	[CAP_NET_ADMIN] = {"CAP_NET_ADMIN", false, false},
	[CAP_NET_RAW] = {"CAP_NET_RAW", false, false},
	[CAP_IPC_LOCK] = {"CAP_IPC_LOCK", false, false},
	[CAP_IPC_OWNER] = {"CAP_IPC_OWNER", false, false},
	[CAP_SYS_MODULE] = {"CAP_SYS_MODULE", false, true},
	[CAP_SYS_RAWIO] = {"CAP_SYS_RAWIO", false, true},
	[CAP_SYS_CHROOT] = {"CAP_SYS_CHROOT", true, false},
	[CAP_SYS_PTRACE] = {"CAP_SYS_PTRACE", false, false},
	[CAP_SYS_PACCT] = {"CAP_SYS_PACCT", false, true},
	[CAP_SYS_ADMIN] = {"CAP_SYS_ADMIN", false, false},
	[CAP_SYS_BOOT] = {"CAP_SYS_BOOT", false, false},
	[CAP_SYS_NICE] = {"CAP_SYS_NICE", false, false},
	[CAP_SYS_RESOURCE] = {"CAP_SYS_RESOURCE", false, false},
	[CAP_SYS_TIME] = {"CAP_SYS_TIME", false, true},
	[CAP_SYS_TTY_CONFIG] = {"CAP_SYS_TTY_CONFIG", false, true},
	[CAP_MKNOD] = {"CAP_MKNOD", false, true},
	[CAP_LEASE] = {"CAP_LEASE", false, false},
	[CAP_AUDIT_WRITE] = {"CAP_AUDIT_WRITE", false, false},
	[CAP_AUDIT_CONTROL] = {"CAP_AUDIT_CONTROL", false, true},
	[CAP_SETFCAP] = {"CAP_SETFCAP", true, false},
	[CAP_MAC_OVERRIDE] = {"CAP_MAC_OVERRIDE", false, true},
	[CAP_MAC_ADMIN] = {"CAP_MAC_ADMIN", false, true},
	[CAP_SYSLOG] = {"CAP_SYSLOG", false, true},
	[CAP_WAKE_ALARM] = {"CAP_WAKE_ALARM", false, true},
	[CAP_BLOCK_SUSPEND] = {"CAP_BLOCK_SUSPEND", false, true},
	[CAP_AUDIT_READ] = {"CAP_AUDIT_READ", false, true},
	[CAP_PERFMON] = {"CAP_PERFMON", false, true},
	[CAP_BPF] = {"CAP_BPF", false, true},
	[CAP_CHECKPOINT_RESTORE] = {"CAP_CHECKPOINT_RESTORE", false, false},
};

#define CAPS_ALL (CAPS_BIT(CAPS_LAST + 1) - 1)

int caps_number(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (int n = 0; n <= CAPS_LAST; n++)
		if (!strcasecmp(name, caps[n].name + 4))
			return n;
	return -1;
}

const char *caps_name(int n)
{
	return caps[n].name;
}

bool caps_host_only(int n)
{
	return caps[n].host_only;
}

/* The named ones of a list; *ret_all tells whether "all" is among them. */
static int named(const struct strlist *list, uint64_t *ret_mask, bool *ret_all, struct fail *f)
{
	*ret_mask = 0;
	*ret_all = false;
	for (size_t i = 0; i < list->n; i++) {
		int n = caps_number(list->items[i]);

		if (!strcasecmp(list->items[i], "all"))
			*ret_all = true;
		else if (n < 0)
			return fail_set(f, EINVAL, "\"%s\" is no capability", list->items[i]);
		else
			*ret_mask |= CAPS_BIT(n);
	}
	return 0;
}

int caps_make(const struct strlist *add, const struct strlist *drop, bool mapped,
	      uint64_t *ret_mask, struct fail *f)
{
	uint64_t adds, drops, mask = 0;
	bool add_all, drop_all;
	int r;

	r = named(add, &adds, &add_all, f);
	if (r < 0)
		return r;
	r = named(drop, &drops, &drop_all, f);
	if (r < 0)
		return r;
	for (int n = 0; n <= CAPS_LAST; n++) {
		if (mapped && caps[n].host_only && (adds & CAPS_BIT(n)))
			return fail_set(f, EINVAL,
					"AddCapability=%s has no effect in a user namespace of its"
					" own: it needs UserNS=host",
					caps[n].name);
		if (caps[n].given)
			mask |= CAPS_BIT(n);
	}
	if (add_all)
		mask = CAPS_ALL;
	if (drop_all)
		mask = add_all ? CAPS_ALL : 0;
	mask &= ~drops;
	*ret_mask = mask | (adds & ~drops);
	return 0;
}

void caps_print(uint64_t mask, struct buf *out)
{
	const char *comma = "";

	for (int n = 0; n <= CAPS_LAST; n++) {
		if (!(mask & CAPS_BIT(n)))
			continue;
		buf_str(out, comma);
		for (const char *c = caps[n].name + 4; *c; c++)
			buf_chr(out, (char)tolower((unsigned char)*c));
		comma = ",";
	}
}

int caps_parse(const char *list, uint64_t *ret_mask)
{
	char name[32];

	*ret_mask = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		int n;

		if (len >= sizeof(name))
			return -EINVAL;
		memcpy(name, list, len);
		name[len] = '\0';
		n = caps_number(name);
		if (n < 0)
			return -EINVAL;
		*ret_mask |= CAPS_BIT(n);
		list += len + (list[len] == ',');
	}
	return 0;
}
