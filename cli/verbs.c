/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/suggest.h"

#define JSON_OPTION                                               \
	{                                                         \
		0, "json", NULL, "print the answer as JSON lines" \
	}

static const struct verb_option json_options[] = {JSON_OPTION, {0}};

static const struct verb_option ps_options[] = {
	{'a', "all", NULL, "units that are down too"},
	JSON_OPTION,
	{0},
};

static const struct verb_option kill_options[] = {
	{'s', "signal", "SIGNAL", "which one, by name or number (SIGKILL)"},
	JSON_OPTION,
	{0},
};

static const struct verb_option logs_options[] = {
	{'f', "follow", NULL, "go on printing what comes"},
	{'n', "lines", "N", "begin with the last N lines"},
	{0, "since", "TIME", "begin at a time: 10m, 2h, 3d, 2026-01-31T12:00:00Z, @SECONDS"},
	{'t', "timestamps", NULL, "print each line's time before it"},
	JSON_OPTION,
	{0},
};

static const struct verb_option events_options[] = {
	{'n', "lines", "N", "end after N events"},
	JSON_OPTION,
	{0},
};

static const struct verb_option exec_options[] = {
	{'i', "interactive", NULL, "pass standard input on"},
	{'t', "tty", NULL, "give the command a terminal"},
	{'u', "user", "USER", "run as that user, by the image's names, or USER:GROUP"},
	{'w', "workdir", "DIR", "in that directory"},
	{'e', "env", "NAME=VALUE", "one more variable; may be repeated"},
	{0},
};

/* Which key of a unit file each of them becomes: cli/run_text.c. */
static const struct verb_option run_options[] = {
	{0, "rm", NULL, "leave nothing of it behind when it has ended"},
	{'d', "detach", NULL, "do not wait for its end; its output goes to the log"},
	{'i', "interactive", NULL, "pass standard input on"},
	{'t', "tty", NULL, "give it a terminal"},
	{0, "name", "NAME", "its name (run- and a number)"},
	{'e', "env", "NAME[=VALUE]", "a variable; without VALUE it is taken from here"},
	{0, "env-file", "FILE", "variables from a file of the host"},
	{'v', "volume", "[SOURCE:]TARGET[:OPTIONS]", "a volume's name or a path of the host"},
	{0, "mount", "FIELDS", "the same in fields: type=bind,source=/srv,target=/srv"},
	{0, "tmpfs", "TARGET[:OPTIONS]", "an empty file system in memory"},
	{'p', "publish", "[IP:][HOST:]CONTAINER[/udp]", "a port of the host that leads to it"},
	{0, "network", "NETWORK", "host, none, x.network, a network's name, x.container, ns:PATH"},
	{0, "network-alias", "NAME", "one more name on its networks"},
	{0, "ip", "ADDRESS", "fixed address on its network"},
	{'h', "hostname", "NAME", "host name inside"},
	{0, "add-host", "NAME:IP", "a line for its /etc/hosts"},
	{0, "dns", "ADDRESS", "name server"},
	{'w', "workdir", "DIR", "working directory"},
	{'u', "user", "USER[:GROUP]", "run as that user, by the image's names"},
	{0, "group-add", "GROUP", "one more group"},
	{0, "userns", "MODE", "auto, nomap, host, keep-id"},
	{0, "entrypoint", "PROGRAM", "in place of the image's; \"\": none"},
	{0, "cap-add", "CAPABILITY", "beside the default ones"},
	{0, "cap-drop", "CAPABILITY", "a default one less; all"},
	{0, "security-opt", "OPTION", "no-new-privileges, seccomp=FILE, mask=PATH..."},
	{0, "device", "DEVICE", "[-]HOST[:CONTAINER][:rwm]"},
	{0, "read-only", NULL, "it cannot write to its root"},
	{0, "init", NULL, "a small init as its first process"},
	{'m', "memory", "SIZE", "most memory: 512m"},
	{0, "cpus", "NUMBER", "most CPU time, in CPUs: 1.5"},
	{0, "pids-limit", "N", "most processes and threads"},
	{0, "device-read-bps", "DISK:BYTES", "most bytes a second from a disk: /dev/vda:1mb"},
	{0, "device-write-bps", "DISK:BYTES", "most bytes a second to a disk"},
	{0, "device-read-iops", "DISK:NUMBER", "most reads a second from a disk"},
	{0, "device-write-iops", "DISK:NUMBER", "most writes a second to a disk"},
	{0, "shm-size", "SIZE", "size of /dev/shm"},
	{0, "ulimit", "NAME=SOFT[:HARD]", "resource limit"},
	{0, "sysctl", "NAME=VALUE", "kernel setting of its own"},
	{0, "secret", "NAME[,...]", "a secret of the host's store"},
	{'l', "label", "NAME=VALUE", "label"},
	{0, "stop-signal", "SIGNAL", "what asks it to stop"},
	{0, "stop-timeout", "SECONDS", "from there until it is killed"},
	{0, "health-cmd", "COMMAND", "says whether it is healthy"},
	{0, "health-interval", "TIME", "time between checks"},
	{0, "restart", "WHEN", "no, on-failure, always; needs -d"},
	{0},
};

static const struct verb_option rm_options[] = {
	{'f', "force", NULL, "stop it first if it runs"},
	{'v', "volumes", NULL, "and named volumes that no other unit uses"},
	JSON_OPTION,
	{0},
};

static const struct verb_option cp_options[] = {
	{'a', "archive", NULL, "keep the owners of what is in a folder, and all bits of modes"},
	{0},
};

static const struct verb_option stats_options[] = {
	{'n', "interval", "SECONDS", "CPU time is that of so many seconds (1); 0: none"},
	{0, "no-stream", NULL, "once, which it does anyway"},
	JSON_OPTION,
	{0},
};

static const struct verb_option image_options[] = {
	{'a', "all", NULL, "all images that no unit names"},
	JSON_OPTION,
	{0},
};

static const struct verb_option check_options[] = {
	{0, "strict", NULL, "warnings count as errors"},
	{0, "json", NULL, "print every unit as it is understood, one JSON object a line"},
	{0},
};

static const struct verb_option reload_options[] = {
	{'n', "dry-run", NULL, "say what would change, and change nothing"},
	JSON_OPTION,
	{0},
};

static const struct verb_option power_options[] = {
	{'f', "force", NULL, "wait for no unit: kill what runs, then unmount"},
	{0},
};

static const struct verb_option no_options[] = {{0}};

const struct verb verbs[] = {
	{"ps", "", "list units that run", cmd_ps, 0, 0, 10, ps_options},
	{"status", "[UNIT]", "say how a unit, or the host, is and why", cmd_status, 0, 1, 10,
	 json_options},
	{"start", "UNIT...", "start units", cmd_start, 1, VERB_WORDS_ANY, 0, json_options},
	{"stop", "UNIT...", "stop units; they stay down", cmd_stop, 1, VERB_WORDS_ANY, 0,
	 json_options},
	{"restart", "UNIT...", "stop units and start them, or start them", cmd_restart, 1,
	 VERB_WORDS_ANY, 0, json_options},
	{"kill", "UNIT...", "send a signal to the main process of units", cmd_kill, 1,
	 VERB_WORDS_ANY, 10, kill_options},
	{"pause", "UNIT...", "let units stand still where they are", cmd_pause, 1, VERB_WORDS_ANY,
	 10, json_options},
	{"unpause", "UNIT...", "let paused units go on", cmd_unpause, 1, VERB_WORDS_ANY, 10,
	 json_options},
	{"logs", "UNIT", "print what a unit wrote", cmd_logs, 1, 1, 0, logs_options},
	{"exec", "UNIT COMMAND...", "run a command in a container; its exit code is ours", cmd_exec,
	 2, VERB_WORDS_COMMAND, 0, exec_options},
	{"run", "IMAGE [COMMAND...]", "run an image without a unit file; its exit code is ours",
	 cmd_run, 1, VERB_WORDS_COMMAND, 0, run_options},
	{"rm", "UNIT...", "remove units that `orlop run` made", cmd_rm, 1, VERB_WORDS_ANY, 0,
	 rm_options},
	{"cp", "UNIT:PATH FILE | FILE UNIT:PATH",
	 "copy a file or a folder out of a container or into it; - is a file's bytes", cmd_cp, 2, 2,
	 0, cp_options},
	{"stats", "[UNIT...]", "what containers use: CPU, memory, network, disk", cmd_stats, 0,
	 VERB_WORDS_ANY, 10, stats_options},
	{"top", "UNIT", "list the processes of a container", cmd_top, 1, 1, 20, json_options},
	{"inspect", "UNIT|IMAGE", "print all that is known of a unit or an image, as JSON",
	 cmd_inspect, 1, 1, 30, json_options},
	{"events", "", "print every change of state as it happens", cmd_events, 0, 0, 0,
	 events_options},
	{"ports", "", "list published ports", cmd_ports, 0, 0, 10, json_options},
	{"network", "ls|inspect|reload [NETWORK]",
	 "list networks, show one with its members, or set all of them up again", cmd_network, 1, 2,
	 60, json_options},
	{"images", "", "list container images in the store", cmd_images, 0, 0, 30, json_options},
	{"image", "prune", "remove images that have no name, and what no image uses", cmd_image, 1,
	 1, 0, image_options},
	{"boot", "", "say how long each phase of the boot took", cmd_boot, 0, 0, 10, json_options},
	{"check", "[DIR|FILE...]", "say what is wrong with unit files, without a running host",
	 cmd_check, 0, VERB_WORDS_ANY, 0, check_options},
	{"show", "[DIR|FILE|UNIT...]", "print units as they are understood, as JSON", cmd_show, 0,
	 VERB_WORDS_ANY, 0, check_options},
	{"reload", "[UNIT...]",
	 "read the unit files again and apply what changed; or make units reload their own",
	 cmd_reload, 0, VERB_WORDS_ANY, 0, reload_options},
	{"enable", "UNIT...", "start units at boot again, as their files say", cmd_enable, 1,
	 VERB_WORDS_ANY, 30, json_options},
	{"disable", "UNIT...", "do not start units at boot, whatever their files say", cmd_disable,
	 1, VERB_WORDS_ANY, 30, json_options},
	{"reset-failed", "UNIT...", "forget that units failed, and how often", cmd_reset_failed, 1,
	 VERB_WORDS_ANY, 10, json_options},
	{"poweroff", "", "stop everything and switch the machine off", cmd_poweroff, 0, 0, 10,
	 power_options},
	{"reboot", "", "stop everything and boot again", cmd_reboot, 0, 0, 10, power_options},
	{"halt", "", "stop everything and halt", cmd_halt, 0, 0, 10, power_options},
	{"upgrade-init", "FILE", "make a file of the host PID 1's program, without a reboot",
	 cmd_upgrade, 1, 1, 120, json_options},
	{"version", "", "print the version", cmd_version, 0, 0, 10, no_options},
	{"help", "[VERB|KEY|keys]", "list the verbs, or explain a verb or a key of unit files",
	 cmd_help, 0, 2, 0, no_options},
	{0},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

const struct verb *verb_guess(const char *name)
{
	const struct verb *best = NULL;
	size_t least = suggest_limit(name) + 1;

	for (const struct verb *v = verbs; v->name; v++) {
		size_t d = suggest_distance(name, v->name);

		if (d < least) {
			least = d;
			best = v;
		}
	}
	return best;
}
