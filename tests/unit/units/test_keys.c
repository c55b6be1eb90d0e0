/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the key table: a good value is taken and shows, a bad one is an error at its column. */
#include <stdio.h>

#include "tests/unit/units/load_text.h"
#include "units/keys.h"
#include "units/names.h"

/* What is written for a type, and what must not be; NULL: everything may be written. */
static const struct {
	const char *good, *bad;
} samples[TYPE__N] = {
	[TYPE_TEXT] = {"some text", NULL},
	[TYPE_NAME] = {"some-name", "-no/name"},
	[TYPE_BOOL] = {"true", "maybe"},
	[TYPE_BOOL_SYSTEMD] = {"yes", "maybe"},
	[TYPE_INT] = {"1", "one"},
	[TYPE_SIZE] = {"64m", "64q"},
	[TYPE_SIZE_SYSTEMD] = {"64M", "64q"},
	[TYPE_TIMESPAN] = {"1min 30s", "soon"},
	[TYPE_DURATION] = {"1m30s", "30 s"},
	[TYPE_SIGNAL] = {"SIGUSR1", "SIGNOPE"},
	[TYPE_SLICE] = {"media-tv.slice", "media"},
	[TYPE_MODE] = {"0027", "rwx"},
	[TYPE_IPS] = {"192.0.2.1", "192.0.2"},
	[TYPE_SUBNETS] = {"192.0.2.0/24", "192.0.2.0"},
	[TYPE_IP_RANGES] = {"192.0.2.10-192.0.2.20", "192.0.2.10"},
	[TYPE_PATH] = {"/some/path", "some/path"},
	[TYPE_IMAGE] = {"localhost/y:1", "Not An Image"},
	[TYPE_LINES] = {"some-line", NULL},
	[TYPE_WORDS] = {"some words", NULL},
	[TYPE_ARGS] = {"some words", "bad\\q"},
	[TYPE_EXEC] = {"some words", "bad\\q"},
	[TYPE_ENTRYPOINT] = {"/bin/true", "[\"open"},
	[TYPE_HEALTH_CMD] = {"true", "[\"open"},
	[TYPE_LABELS] = {"a=b", NULL},
	[TYPE_ENV] = {"A=b", "=b"},
	[TYPE_OPTIONS] = {"a=b", "alone"},
	[TYPE_SYSCTLS] = {"net.core.somaxconn=1", "kernel.panic=1"},
	[TYPE_ENV_FILES] = {"/some/file", "bad\\q"},
	[TYPE_SERVICE_ENV_FILES] = {"-/some/file", NULL},
	[TYPE_VOLUMES] = {"data:/data:ro", "data:data"},
	[TYPE_MOUNTS] = {"type=bind,source=/a,target=/b", "type=nope,target=/b"},
	[TYPE_TMPFS] = {"/tmp:size=1m", "/tmp:size=huge"},
	[TYPE_PORTS] = {"8080:80", "http:80"},
	[TYPE_EXPOSE] = {"8000-8010/udp", "none"},
	[TYPE_NETWORKS] = {"host", "pasta"},
	[TYPE_ADD_HOST] = {"nas:192.0.2.1", "nas"},
	[TYPE_USER] = {"1000", "10 00"},
	[TYPE_USERNS] = {"keep-id:uid=1000,gid=1000", "ns:/run/x"},
	[TYPE_ID_MAPS] = {"0:100000:65536", "0:100000"},
	[TYPE_CAPS] = {"net_bind_service", "NOPE"},
	[TYPE_DEVICES] = {"-/dev/dri:/dev/dri:rw", "dri"},
	[TYPE_ULIMITS] = {"nofile=1024:4096", "nope=1"},
	[TYPE_SECRETS] = {"pw,type=env,target=PW", "pw,type=nope"},
	[TYPE_MASKS] = {"/proc/x:/proc/y", "proc"},
	[TYPE_PODMAN_ARGS] = {"--shm-size=1m", "--no-such-option"},
	[TYPE_DEPS] = {"network.target", "noname"},
	[TYPE_UNIT_NAMES] = {"default.target", "noname"},
	[TYPE_CONDITION] = {"|!/some/path", "some/path"},
	[TYPE_COMMANDS] = {"-/bin/true x", "true"},
	[TYPE_EXITS] = {"1 SIGKILL TEMPFAIL", "256"},
	[TYPE_RLIMIT] = {"1024:infinity", "many"},
	[TYPE_CPU_QUOTA] = {"150%", "150"},
	[TYPE_CPUS] = {"0-3,6", "all"},
	[TYPE_IO_LIMITS] = {"/dev/vda 10M", "/dev/vda lots"},
};

/* Keys whose good value is another than their type's, or that need another key beside them. */
static const struct {
	enum key_section section;
	const char *name, *good, *beside;
} special[] = {
	{SECTION_CONTAINER, "EnvironmentHost", "false", NULL},
	{SECTION_CONTAINER, "Group", NULL, "User=1000"},
	{SECTION_CONTAINER, "HostName", "host.lan", NULL},
	{SECTION_POD, "HostName", "host.lan", NULL},
	{SECTION_CONTAINER, "Timezone", "Europe/Berlin", NULL},
	{SECTION_CONTAINER, "IP", "10.88.0.5", NULL},
	{SECTION_CONTAINER, "IP6", "fd00::5", NULL},
	{SECTION_CONTAINER, "SeccompProfile", "unconfined", NULL},
	{SECTION_CONTAINER, "AppArmor", "unconfined", NULL},
	{SECTION_CONTAINER, "HealthStartupCmd", NULL, "HealthCmd=true"},
	{SECTION_CONTAINER, "HealthStartupInterval", NULL, "HealthCmd=true\nHealthStartupCmd=true"},
	{SECTION_CONTAINER, "HealthStartupRetries", NULL, "HealthCmd=true\nHealthStartupCmd=true"},
	{SECTION_CONTAINER, "HealthStartupSuccess", "3", "HealthCmd=true\nHealthStartupCmd=true"},
	{SECTION_CONTAINER, "HealthStartupTimeout", NULL, "HealthCmd=true\nHealthStartupCmd=true"},
	{SECTION_CONTAINER, "HealthInterval", NULL, "HealthCmd=true"},
	{SECTION_CONTAINER, "HealthTimeout", NULL, "HealthCmd=true"},
	{SECTION_CONTAINER, "HealthRetries", NULL, "HealthCmd=true"},
	{SECTION_CONTAINER, "HealthStartPeriod", NULL, "HealthCmd=true"},
	{SECTION_CONTAINER, "HealthOnFailure", "kill", "HealthCmd=true"},
	{SECTION_CONTAINER, "Notify", "healthy", "HealthCmd=true"},
	{SECTION_CONTAINER, "Pod", "p.pod", NULL},
	{SECTION_CONTAINER, "ReadOnlyTmpfs", "false", NULL},
	{SECTION_CONTAINER, "StartWithPod", "false", NULL},
	{SECTION_VOLUME, "Type", "ext4", "Device=/dev/sdb1"},
	{SECTION_VOLUME, "Options", NULL, "Device=/dev/sdb1"},
	{SECTION_VOLUME, "Copy", "false", NULL},
	{SECTION_VOLUME, "UID", "1000", NULL},
	{SECTION_NETWORK, "Gateway", "192.0.2.9", "Subnet=192.0.2.0/24"},
	{SECTION_NETWORK, "IPRange", NULL, "Subnet=192.0.2.0/24"},
	{SECTION_NETWORK, "InterfaceName", "br7", NULL},
	{SECTION_IMAGE, "TLSVerify", "false", NULL},
	{SECTION_QUADLET, "DefaultDependencies", "false", NULL},
	{SECTION_UNIT, "StartLimitAction", "reboot", NULL},
	{SECTION_SERVICE, "Restart", "on-failure", NULL},
	{SECTION_SERVICE, "RestartMode", "direct", NULL},
	{SECTION_SERVICE, "RestartSteps", NULL, "RestartMaxDelaySec=5"},
	{SECTION_SERVICE, "RestartMaxDelaySec", NULL, "RestartSteps=5"},
	{SECTION_SERVICE, "RemainAfterExit", NULL, "Type=oneshot"},
	{SECTION_SERVICE, "Type", "oneshot", NULL},
	{SECTION_SERVICE, "TTYPath", NULL, "StandardInput=tty"},
	{SECTION_SERVICE, "OOMPolicy", "continue", NULL},
	{SECTION_SERVICE, "ExecStart", "/bin/false", "ExecStart="},
	{SECTION_INSTALL, "DefaultInstance", "one", NULL},
	{SECTION_SERVICE, "TimeoutSec", "7min", NULL},
	{SECTION_SERVICE, "TimeoutStartSec", "7min", NULL},
	{SECTION_SERVICE, "TimeoutStopSec", "7min", NULL},
};

static const char *good_of(const struct key *k)
{
	static char word[64];

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (special[i].section == k->section && strcmp(special[i].name, k->name) == 0 &&
		    special[i].good)
			return special[i].good;
	if (k->type == TYPE_CHOICE) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(k->arg, " "), k->arg);
		return word;
	}
	return samples[k->type].good;
}

static const char *beside_of(const struct key *k)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (special[i].section == k->section && strcmp(special[i].name, k->name) == 0 &&
		    special[i].beside)
			return special[i].beside;
	return "";
}

static enum unit_kind kind_of(const struct key *k)
{
	for (int kind = 0; kind < UNIT_KIND__N; kind++)
		if (unit_kind_sections[kind] &&
		    strcmp(unit_kind_sections[kind], section_names[k->section]) == 0 &&
		    (kind != UNIT_SERVICE || !(k->kinds & FOR_QUADLET)))
			return (enum unit_kind)kind;
	return UNIT_CONTAINER;
}

/* What every kind needs to be whole. */
static const char *const bases[UNIT_KIND__N] = {
	[UNIT_CONTAINER] = "[Container]\nImage=localhost/x\n",
	[UNIT_VOLUME] = "[Volume]\n",
	[UNIT_NETWORK] = "[Network]\n",
	[UNIT_POD] = "[Pod]\n",
	[UNIT_IMAGE] = "[Image]\nImage=localhost/x\n",
	[UNIT_SERVICE] = "[Service]\nExecStart=/bin/true\n",
};

/* A unit with Key=value as its last line, whose number comes back. */
static struct unit_set *load_key(const struct key *k, const char *value, unsigned *ret_line)
{
	enum unit_kind kind = kind_of(k);
	char text[2048], name[40];

	snprintf(name, sizeof(name), "/etc/containers/systemd/x.%s", unit_kind_names[kind]);
	snprintf(text, sizeof(text), "%s[%s]\n%s\n%s%s%s\n", bases[kind], section_names[k->section],
		 beside_of(k), value ? k->name : "", value ? "=" : "", value ? value : "");
	*ret_line = 0;
	for (const char *p = text; *p; p++)
		*ret_line += *p == '\n';
	return load_files(name, text, "/etc/containers/systemd/p.pod", "[Pod]\n", NULL);
}

static struct unit *the_unit(const struct unit_set *set, const struct key *k)
{
	char name[40];

	snprintf(name, sizeof(name), "x.%s", unit_kind_names[kind_of(k)]);
	return get(set, name);
}

static void check_supported(const struct key *k)
{
	unsigned line, value_column = (unsigned)strlen(k->name) + 2;
	struct unit_set *with = load_key(k, good_of(k), &line), *without = load_key(k, NULL, &line);
	char *a = json_of(the_unit(with, k)), *b = json_of(the_unit(without, k));
	const char *bad = k->type == TYPE_CHOICE ? "nonsense" : samples[k->type].bad;
	bool preset = good_of(k) && strcmp(good_of(k), k->preset) == 0;

	if (the_unit(with, k)->state != UNIT_OK)
		fail_msg("[%s] %s=%s is refused: %s", section_names[k->section], k->name,
			 good_of(k), with->diags[0]->message);
	/* A field that stays at its preset cannot show. */
	if (strcmp(a, b) == 0 && !preset && k->section != SECTION_QUADLET &&
	    k->type != TYPE_CHOICE && k->type != TYPE_DEPS && k->type != TYPE_UNIT_NAMES)
		fail_msg("[%s] %s=%s leaves no trace", section_names[k->section], k->name,
			 good_of(k));
	free(a);
	free(b);
	unit_set_free(with);
	unit_set_free(without);
	if (!bad)
		return;
	with = load_key(k, bad, &line);
	if (the_unit(with, k)->state != UNIT_REJECTED)
		fail_msg("[%s] %s=%s is accepted", section_names[k->section], k->name, bad);
	for (size_t i = 0; i < with->n_diags; i++)
		if (with->diags[i]->at.line == line && with->diags[i]->at.column >= value_column &&
		    with->diags[i]->severity == DIAG_ERROR && with->diags[i]->hint) {
			unit_set_free(with);
			return;
		}
	fail_msg("[%s] %s=%s: no error with a hint at line %u", section_names[k->section], k->name,
		 bad, line);
}

static void every_supported_key_takes_a_good_value_and_refuses_a_bad_one(void **state)
{
	size_t n = 0;

	(void)state;
	for_each_key(k)
	{
		if (k->verdict >= KEY_LATER)
			continue;
		check_supported(k);
		n++;
	}
	print_message("%zu keys\n", n);
}

static void every_other_key_is_answered_with_its_verdict(void **state)
{
	static const char *const codes[KEY_VERDICT__N] = {
		[KEY_LATER] = U_LATER, [KEY_REFUSED] = U_REFUSED, [KEY_NO_EFFECT] = U_NO_EFFECT};

	(void)state;
	for_each_key(k)
	{
		struct unit_set *set;
		unsigned line;

		if (k->verdict < KEY_LATER)
			continue;
		set = load_key(k, "x", &line);
		if (k->verdict == KEY_NO_EFFECT)
			assert_warning(set, codes[k->verdict], line, 1);
		else
			assert_error(set, codes[k->verdict], line, 1);
		assert_int_equal(the_unit(set, k)->state,
				 k->verdict == KEY_NO_EFFECT ? UNIT_OK : UNIT_REJECTED);
		unit_set_free(set);
		/* Cleared, it is nobody's business. */
		set = load_key(k, "", &line);
		assert_int_equal(the_unit(set, k)->state, UNIT_OK);
		unit_set_free(set);
	}
}

static void every_key_has_a_help_text_and_a_place(void **state)
{
	(void)state;
	for_each_key(k)
	{
		assert_true(strlen(k->help) > 3);
		assert_true(k->help[strlen(k->help) - 1] != '.');
		assert_non_null(k->preset);
		for_each_key(other) if (k != other && k->section == other->section &&
					strcmp(k->name, other->name) == 0)
			assert_false(k->kinds & other->kinds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_supported_key_takes_a_good_value_and_refuses_a_bad_one),
		cmocka_unit_test(every_other_key_is_answered_with_its_verdict),
		cmocka_unit_test(every_key_has_a_help_text_and_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
