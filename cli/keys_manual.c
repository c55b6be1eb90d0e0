/* SPDX-License-Identifier: Apache-2.0 */
/* orlop.unit(5), written from the key table; what the table does not know stands here as text. */
#include <string.h>

#include "cli/keys.h"
#include "units/conv.h"

static const char head[] =
	".\\\" Made by `orlop help manual` from the key table in units/keys*.c; do not edit.\n"
	".Dd $Mdocdate$\n"
	".Dt ORLOP.UNIT 5\n"
	".Os\n"
	".Sh NAME\n"
	".Nm orlop.unit\n"
	".Nd unit files of the container host orlop\n"
	".Sh DESCRIPTION\n"
	"A unit file says what is to run on the host.\n"
	"The name of the file ends in its kind:\n"
	".Bl -tag -width .container -compact\n"
	".It Pa .container\n"
	"a container\n"
	".It Pa .volume\n"
	"a named volume\n"
	".It Pa .network\n"
	"a network of containers\n"
	".It Pa .pod\n"
	"containers that share a network\n"
	".It Pa .image\n"
	"an image to pull\n"
	".It Pa .service\n"
	"a program of the host itself\n"
	".It Pa .target\n"
	"a name for a group of units\n"
	".El\n"
	".Pp\n"
	"The files are those of Podman Quadlet.\n"
	"Where Quadlet passes a mistake by in silence, orlop names it and does not\n"
	"start the unit;\n"
	".Ic orlop check\n"
	"says so beforehand.\n"
	"A unit that is wrong stops no other one.\n"
	".Ss Folders\n"
	"Units are read from these folders and the folders in them;\n"
	"of two files with one name the one that comes first counts:\n"
	".Bd -literal -offset indent\n"
	"/run/orlop/units\n"
	"/var/lib/orlop/units\n"
	"/etc/containers/systemd\n"
	"/usr/share/containers/systemd\n"
	"/usr/lib/orlop/units\n"
	".Ed\n"
	".Pp\n"
	"An empty file, or a link to\n"
	".Pa /dev/null ,\n"
	"hides the files of its name in the later folders.\n"
	".Pp\n"
	"Files\n"
	".Pa *.conf\n"
	"in a folder\n"
	".Pa NAME.container.d\n"
	"beside a unit are read after it, in the order of their names.\n"
	"The folders\n"
	".Pa container.d\n"
	"and\n"
	".Pa PREFIX-.container.d\n"
	"hold such files for all units, or for those with a common beginning.\n"
	".Pp\n"
	"Of two with one file name the one in the most specific folder counts.\n"
	"A unit with a mistake in such a file is not started.\n"
	".Pp\n"
	"A file\n"
	".Pa NAME@.container\n"
	"is a template and never runs itself:\n"
	".Pa NAME@INSTANCE.container\n"
	"is made from it when another unit names it, by a link to the template of that\n"
	"name, or by\n"
	".Ic DefaultInstance= .\n"
	"The first sort is started only with the unit that names it.\n"
	".Ss Syntax\n"
	"A file consists of sections\n"
	".Ql \\&[Name]\n"
	"with lines\n"
	".Ql Key=value .\n"
	"Lines that are empty or begin with\n"
	".Ql #\n"
	"or\n"
	".Ql \\&;\n"
	"are comments; there are no comments behind a value.\n"
	"A line that ends in a backslash goes on with the next one.\n"
	".Pp\n"
	"Where a value is a list of words, quotes keep blanks together, and\n"
	".Ql \\en ,\n"
	".Ql \\et ,\n"
	".Ql \\ex41\n"
	"and their kin stand for characters.\n"
	"A key that is a list may be repeated; an empty value clears what stands\n"
	"above it, also in another file.\n"
	"Of other keys the last one counts.\n"
	"True is also written yes, on and 1, false no, off and 0.\n"
	".Ss Names\n"
	".Pa web.container\n"
	"is the service\n"
	".Ql web.service ;\n"
	".Pa data.volume\n"
	"is\n"
	".Ql data-volume.service ,\n"
	"and so on.\n"
	"Other units may name it by its file or by its service.\n"
	".Ss Dependencies\n"
	"A container requires, and starts after, the volumes, networks, image and pod\n"
	"that it names by their files, and the container whose network it joins.\n"
	"Containers, pods and images start after\n"
	".Pa network-online.target\n"
	"and want it, unless\n"
	".Ic DefaultDependencies=false\n"
	"stands in\n"
	".Ql \\&[Quadlet] .\n"
	"At boot\n"
	".Pa default.target\n"
	"is started, and with it\n"
	".Pa multi-user.target\n"
	"and all that\n"
	".Ic WantedBy=\n"
	"puts there.\n"
	"Units that wait for one another in a circle are not started;\n"
	"the message names each line that makes it.\n"
	".Pp\n"
	"A unit with\n"
	".Ic Restart=\n"
	"comes back after 100 ms, then after twice that and so on up to a minute, and is\n"
	"never given up; a run of ten seconds starts over.\n"
	".Ic RestartSec=\n"
	"makes the time constant, and\n"
	".Ic StartLimitBurst=\n"
	"makes it give up.\n"
	".Ss Specifiers and variables\n"
	"In values\n"
	".Ql %n\n"
	"is the service's name,\n"
	".Ql \\&%N\n"
	"the same without\n"
	".Ql .service ,\n"
	".Ql %p\n"
	"and\n"
	".Ql %i\n"
	"what stands before and behind the\n"
	".Ql @ ,\n"
	".Ql %H\n"
	"the host's name,\n"
	".Ql %t\n"
	".Pa /run ,\n"
	".Ql %S\n"
	".Pa /var/lib ,\n"
	".Ql %E\n"
	".Pa /etc ,\n"
	".Ql %h\n"
	".Pa /root ,\n"
	"and\n"
	".Ql %%\n"
	"a percent sign.\n"
	"The others that systemd has are understood too.\n"
	".Pp\n"
	".Ql ${NAME}\n"
	"is the variable of that name from\n"
	".Ic Environment=\n"
	"or\n"
	".Ic EnvironmentFile=\n"
	"of\n"
	".Ql \\&[Service] ,\n"
	".Ql $$\n"
	"a dollar sign.\n"
	"Variables are not filled in in\n"
	".Ic Environment=\n"
	"of\n"
	".Ql \\&[Container] .\n"
	".Ss Times and sizes\n"
	"Times in\n"
	".Ql \\&[Service]\n"
	"and\n"
	".Ql \\&[Unit]\n"
	"are sums such as\n"
	".Ql 5min 20s ;\n"
	"a number alone is seconds.\n"
	"Those in\n"
	".Ql \\&[Container]\n"
	"are written\n"
	".Ql 1m30s ,\n"
	"without blanks and always with a unit.\n"
	"Sizes in\n"
	".Ql \\&[Container]\n"
	"end in b, k, m or g, those in\n"
	".Ql \\&[Service]\n"
	"in K, M, G or T; all count in steps of 1024.\n";

static const char tail[] =
	".Sh EXAMPLES\n"
	"A web server with a volume, reached on port 8080 of the host:\n"
	".Bd -literal -offset indent\n"
	"[Unit]\n"
	"Description=Web server\n"
	"\n"
	"[Container]\n"
	"Image=localhost/web:1\n"
	"PublishPort=8080:80\n"
	"Volume=site.volume:/srv\n"
	"HealthCmd=curl -f http://localhost/\n"
	"Notify=healthy\n"
	"\n"
	"[Service]\n"
	"Restart=always\n"
	"\n"
	"[Install]\n"
	"WantedBy=default.target\n"
	".Ed\n"
	".Pp\n"
	"A database that it waits for, in\n"
	".Pa db.container ,\n"
	"with a volume of its own and a password out of the host's store;\n"
	"the web server then says\n"
	".Ql Requires=db.container\n"
	"and\n"
	".Ql After=db.container :\n"
	".Bd -literal -offset indent\n"
	"[Container]\n"
	"Image=localhost/db:1\n"
	"Volume=db.volume:/var/lib/db\n"
	"Secret=db-password,type=env,target=DB_PASSWORD\n"
	"HealthCmd=db-ready\n"
	"Notify=healthy\n"
	"StopTimeout=60\n"
	"\n"
	"[Service]\n"
	"Restart=always\n"
	".Ed\n"
	".Sh DIAGNOSTICS\n"
	".Ic orlop check\n"
	"prints every mistake with its place, the line, and what to write instead:\n"
	".Bd -literal -offset indent\n"
	"web.container:7:1: error[U012]: unknown key \"Volumes\" in [Container]\n"
	"    7 | Volumes=data:/data\n"
	"      | ^~~~~~~\n"
	"      = did you mean \"Volume\"?\n"
	".Ed\n"
	".Pp\n"
	"An error keeps the unit from being started, a warning does not.\n"
	"The code in brackets keeps its meaning from version to version.\n"
	".Sh SEE ALSO\n"
	"The manual page orlop(1).\n"
	".Pp\n"
	"The manual pages systemd.unit(5), systemd.service(5) and podman-systemd.unit(5)\n"
	"of other systems say what the same keys mean there.\n";

/* One word as mdoc takes it: no macro, no escape. Returns its width. */
static size_t put_word(FILE *out, const char *s, size_t len, bool first)
{
	if (first && (*s == '.' || *s == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\')
			fputs("\\e", out);
		else if (s[i] == '"')
			fputs("\\(dq", out);
		else
			fputc(s[i], out);
	}
	return len;
}

/* Text, in lines of at most 78 columns. */
static void put_text(FILE *out, const char *s)
{
	size_t column = 0;

	while (*s) {
		size_t len = strcspn(s, " ");

		if (column && column + 1 + len > 76) {
			fputc('\n', out);
			column = 0;
		} else if (column) {
			fputc(' ', out);
			column++;
		}
		column += put_word(out, s, len, column == 0);
		s += len;
		s += strspn(s, " ");
	}
	fputc('\n', out);
}

/* A help text as a sentence. What begins with a form to be written keeps its case. */
static void put_sentence(FILE *out, const char *s)
{
	char text[400];
	size_t word = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	snprintf(text, sizeof(text), "%s.", s);
	if (word && strchr(" ',;", s[word]))
		text[0] = (char)(text[0] - 32);
	put_text(out, text);
}

static void put_key(FILE *out, const struct key *k)
{
	bool self_evident = k->type == TYPE_TEXT || k->type == TYPE_LINES || k->type == TYPE_WORDS;
	char values[400], text[420];

	fprintf(out, ".It Ic %s=\n", k->name);
	if (k->kinds == FOR_SERVICE)
		fputs("In\n.Pa .service\nfiles.\n", out);
	put_sentence(out, k->help);
	keys_values(k, values, sizeof(values));
	if (strncmp(values, "for ", 4) == 0) {
		put_sentence(out, values);
	} else if (!self_evident) {
		snprintf(text, sizeof(text), "Value: %s.",
			 k->type == TYPE_BOOL || k->type == TYPE_BOOL_SYSTEMD ? "true or false"
									      : values);
		put_text(out, text);
	}
	if (key_types[k->type].rule == RULE_ALL)
		put_text(out, "May be repeated.");
	if (*k->preset) {
		snprintf(text, sizeof(text), "Default: %s.", k->preset);
		put_text(out, text);
	}
}

static void put_section(FILE *out, enum key_section section)
{
	fputs(".Sh ", out);
	for (const char *s = section_names[section]; *s; s++)
		fputc(*s >= 'a' && *s <= 'z' ? *s - 32 : *s, out);
	fprintf(out, " SECTION\nKeys of\n.Ql \\&[%s] :\n.Bl -tag -width Ds\n",
		section_names[section]);
	for_each_key(k) if (k->section == section && k->verdict <= KEY_SHOULD) put_key(out, k);
	fputs(".El\n", out);
}

static bool same_answer(const struct key *a, const struct key *b)
{
	return a->section == b->section && (a->kinds == FOR_SERVICE) == (b->kinds == FOR_SERVICE) &&
	       strcmp(a->help, b->help) == 0;
}

/* The keys of one verdict; those with one answer together, at the place of the first. */
static void put_others(FILE *out, enum key_verdict verdict, const char *title, const char *text)
{
	fprintf(out, ".Ss %s\n%s\n.Bl -tag -width Ds -compact\n", title, text);
	for_each_key(k)
	{
		const struct key *first = NULL;
		char names[2048];
		size_t len = 0;

		if (k->verdict != verdict)
			continue;
		for_each_key(other)
		{
			if (other->verdict != verdict || !same_answer(k, other))
				continue;
			if (!first)
				first = other;
			if (len < sizeof(names))
				len += (size_t)snprintf(names + len, sizeof(names) - len,
							"%s%s=", len ? " , " : "", other->name);
		}
		if (first != k)
			continue;
		fprintf(out, ".It Ic %s No of [%s]%s\n", names, section_names[k->section],
			k->kinds == FOR_SERVICE ? " in .service files" : "");
		put_sentence(out, k->help);
	}
	fputs(".El\n", out);
}

void keys_manual(FILE *out)
{
	fputs(head, out);
	for (int s = 0; s < SECTION__N; s++)
		put_section(out, (enum key_section)s);
	fputs(".Sh OTHER KEYS\n"
	      "A key that is none of these is an error, unless it begins with\n.Ql X- .\n",
	      out);
	put_others(out, KEY_NO_EFFECT, "Accepted, without effect", "A warning says so.");
	put_others(out, KEY_LATER, "Not supported yet", "The unit is not started.");
	put_others(out, KEY_REFUSED, "Refused", "The unit is not started; do this instead:");
	fputs(tail, out);
}
