/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of capabilities, devices and secrets. */
#include <stdio.h>
#include <string.h>

#include "base/store.h"
#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

/* --- capabilities ----------------------------------------------------------------------------- */

#define CAPABILITIES                                                                                    \
	"AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE " \
	"DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN "        \
	"MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID "   \
	"SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE " \
	"SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"

void parse_caps(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_ALL, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const char *value = items.items[i].text.value;
		char name[40];
		size_t n = 0;

		for (; value[n] && n < sizeof(name) - 1; n++)
			name[n] = (char)(value[n] >= 'a' && value[n] <= 'z' ? value[n] - 32
									    : value[n]);
		name[n] = '\0';
		if (strcmp(name, "ALL") == 0)
			conv_add_text(c, field, (struct text){"all", NULL});
		else if (value_choice(strncmp(name, "CAP_", 4) == 0 ? name + 4 : name,
				      CAPABILITIES) < 0)
			conv_error(c, &items.items[i], U_CAPABILITY,
				   "write for example NET_ADMIN, or all",
				   "there is no capability \"%s\"", value);
		else
			conv_add_text(
				c, field,
				(struct text){
					arena_fmt(c->arena, "CAP_%s",
						  strncmp(name, "CAP_", 4) == 0 ? name + 4 : name),
					NULL});
	}
}

/* --- devices ---------------------------------------------------------------------------------- */

static bool access_valid(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!strchr("rwm", *p))
			return false;
	return *s && strlen(s) <= 3;
}

static void add_device(struct conv *c, void *field, const struct item *item)
{
	const char *s = item->text.value + (item->text.value[0] == '-');
	size_t len = strcspn(s, ":");
	const char *second = s[len] ? s + len + 1 : NULL, *third = NULL;
	struct unit_device device = {.access = "rwm", .optional = s != item->text.value};
	struct unit_device *slot;

	device.host = device.container = arena_strndup(c->arena, s, len);
	if (second && second[0] == '/') {
		size_t n = strcspn(second, ":");

		device.container = arena_strndup(c->arena, second, n);
		third = second[n] ? second + n + 1 : NULL;
	} else {
		third = second;
	}
	if (s[0] != '/' && strchr(s, '=')) {
		conv_error(c, item, U_DEVICE, "name the device's nodes, for example /dev/dri",
			   "\"%s\": CDI devices are not supported", s);
		return;
	}
	if (s[0] != '/' || (third && !access_valid(third))) {
		conv_error(c, item, U_DEVICE, "write [-]/dev/NAME[:/dev/NAME][:rwm]",
			   "\"%s\" is wrong for AddDevice=", s);
		return;
	}
	if (third)
		device.access = third;
	slot = CONV_PUSH(c, struct unit_device, field);
	if (slot)
		*slot = device;
}

void parse_devices(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_ALL, &items))
		return;
	for (size_t i = 0; i < items.n; i++)
		add_device(c, field, &items.items[i]);
}

/* --- secrets ---------------------------------------------------------------------------------- */

/* One option of a secret; false: reported. */
static bool secret_option(struct conv *c, const struct item *item, const char *s, size_t len,
			  struct unit_secret *secret)
{
	const char *why = "there are type=, target=, uid=, gid=, mode=";
	char option[300], *value;

	snprintf(option, sizeof(option), "%.*s", (int)len, s);
	value = strchr(option, '=');
	if (value && len < sizeof(option)) {
		*value++ = '\0';
		if (strcmp(option, "type") == 0 && value_choice(value, "mount env") >= 0) {
			secret->env = strcmp(value, "env") == 0;
			return true;
		}
		if (strcmp(option, "target") == 0 && *value) {
			secret->target = arena_strdup(c->arena, value);
			return true;
		}
		if (strcmp(option, "source") == 0 && store_name_valid(value)) {
			secret->name = arena_strdup(c->arena, value);
			return true;
		}
		if (strcmp(option, "uid") == 0 &&
		    !(why = value_int(value, 0, 4294967294, &secret->uid)))
			return true;
		if (strcmp(option, "gid") == 0 &&
		    !(why = value_int(value, 0, 4294967294, &secret->gid)))
			return true;
		if (strcmp(option, "mode") == 0 && !(why = value_mode(value, &secret->mode)))
			return true;
	}
	conv_report(c, DIAG_ERROR, item, s, len, U_SECRET, why,
		    "\"%.*s\" is wrong for Secret=", (int)len, s);
	return false;
}

static void add_secret(struct conv *c, void *field, const struct item *item)
{
	struct unit_secret secret = {.mode = 0444}, *slot;
	const char *s = item->text.value;
	size_t len = strcspn(s, ",");

	if (!memchr(s, '=', len)) {
		secret.name = arena_strndup(c->arena, s, len);
		s += len + (s[len] == ',');
	}
	for (; *s; s += len + (s[len] == ',')) {
		len = strcspn(s, ",");
		if (!secret_option(c, item, s, len, &secret))
			return;
	}
	if (!secret.name || !store_name_valid(secret.name)) {
		conv_error(c, item, U_SECRET, "write NAME[,type=env,target=VARIABLE]",
			   "\"%s\" does not name a secret", item->text.value);
		return;
	}
	if (!secret.target)
		secret.target = secret.env ? secret.name
					   : arena_fmt(c->arena, "/run/secrets/%s", secret.name);
	else if (!secret.env && secret.target[0] != '/')
		secret.target = arena_fmt(c->arena, "/run/secrets/%s", secret.target);
	slot = CONV_PUSH(c, struct unit_secret, field);
	if (slot)
		*slot = secret;
}

void parse_secrets(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_ALL | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++)
		add_secret(c, field, &items.items[i]);
}
