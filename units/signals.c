/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Signals and exit statuses by name. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "units/value.h"

#define RT_FIRST 34 /* glibc's SIGRTMIN, as everywhere in the documentation of others */
#define RT_LAST  64

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"SIGHUP", SIGHUP},       {"SIGINT", SIGINT},       {"SIGQUIT", SIGQUIT},
	{"SIGILL", SIGILL},       {"SIGTRAP", SIGTRAP},     {"SIGABRT", SIGABRT},
	{"SIGBUS", SIGBUS},       {"SIGFPE", SIGFPE},       {"SIGKILL", SIGKILL},
	{"SIGUSR1", SIGUSR1},     {"SIGSEGV", SIGSEGV},     {"SIGUSR2", SIGUSR2},
	{"SIGPIPE", SIGPIPE},     {"SIGALRM", SIGALRM},     {"SIGTERM", SIGTERM},
	{"SIGSTKFLT", SIGSTKFLT}, {"SIGCHLD", SIGCHLD},     {"SIGCONT", SIGCONT},
	{"SIGSTOP", SIGSTOP},     {"SIGTSTP", SIGTSTP},     {"SIGTTIN", SIGTTIN},
	{"SIGTTOU", SIGTTOU},     {"SIGURG", SIGURG},       {"SIGXCPU", SIGXCPU},
	{"SIGXFSZ", SIGXFSZ},     {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF},
	{"SIGWINCH", SIGWINCH},   {"SIGIO", SIGIO},         {"SIGPWR", SIGPWR},
	{"SIGSYS", SIGSYS},       {"SIGPOLL", SIGIO},       {"SIGIOT", SIGABRT},
};

static const struct {
	const char *name;
	int code;
} statuses[] = {
	{"SUCCESS", 0},      {"FAILURE", 1},      {"INVALIDARGUMENT", 2}, {"NOTIMPLEMENTED", 3},
	{"NOPERMISSION", 4}, {"NOTINSTALLED", 5}, {"NOTCONFIGURED", 6},   {"NOTRUNNING", 7},
	{"USAGE", 64},       {"DATAERR", 65},     {"NOINPUT", 66},        {"NOUSER", 67},
	{"NOHOST", 68},      {"UNAVAILABLE", 69}, {"SOFTWARE", 70},       {"OSERR", 71},
	{"OSFILE", 72},      {"CANTCREAT", 73},   {"IOERR", 74},          {"TEMPFAIL", 75},
	{"PROTOCOL", 76},    {"NOPERM", 77},      {"CONFIG", 78},         {"CHDIR", 200},
	{"NICE", 201},       {"FDS", 202},        {"EXEC", 203},
};

/* The digits behind "RTMIN+" or "RTMAX-", or "RTMIN" alone. */
static bool real_time(const char *s, int *ret)
{
	int64_t n = 0;
	bool from_max = strncmp(s, "RTMAX", 5) == 0;

	if (!from_max && strncmp(s, "RTMIN", 5) != 0)
		return false;
	s += 5;
	if (*s && (*s != (from_max ? '-' : '+') || value_int(s + 1, 0, RT_LAST - RT_FIRST, &n)))
		return false;
	*ret = from_max ? RT_LAST - (int)n : RT_FIRST + (int)n;
	return true;
}

const char *value_signal(const char *s, int *ret)
{
	const char *name = strncmp(s, "SIG", 3) == 0 ? s + 3 : s;
	int64_t number;

	if (*s >= '0' && *s <= '9') {
		if (value_int(s, 1, RT_LAST, &number))
			return "signals are numbered 1 to 64";
		*ret = (int)number;
		return NULL;
	}
	if (real_time(name, ret))
		return NULL;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (strcmp(signals[i].name + 3, name) == 0) {
			*ret = signals[i].number;
			return NULL;
		}
	return "there is no such signal; write for example SIGTERM";
}

const char *value_signal_name(int signal)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (signals[i].number == signal)
			return signals[i].name;
	return NULL;
}

const char *value_exit_status(const char *s, struct policy_exits *set)
{
	int64_t code;
	int signal;

	if (*s >= '0' && *s <= '9') {
		if (value_int(s, 0, 255, &code))
			return "exit statuses are 0 to 255";
		set->codes[code / 64] |= UINT64_C(1) << (code % 64);
		/* 128+n is how podman reports a death by signal n: the same end for whoever wrote it. */
		if (code > 128 && code < 128 + 64)
			set->signals |= UINT64_C(1) << (code - 128);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (strcmp(statuses[i].name, s) == 0) {
			set->codes[statuses[i].code / 64] |= UINT64_C(1) << (statuses[i].code % 64);
			return NULL;
		}
	if (value_signal(s, &signal) == NULL && signal < 64) {
		set->signals |= UINT64_C(1) << signal;
		set->codes[(128 + signal) / 64] |= UINT64_C(1) << ((128 + signal) % 64);
		return NULL;
	}
	return "write 0 to 255, a signal, or a name such as TEMPFAIL";
}
