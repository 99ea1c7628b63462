#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

static const char *const formats[] = { "text", "json", NULL };
static const char *const colors[] = { "auto", "always", "never", NULL };
static const char *const boots[] = { "systemd", "procps", "both", NULL };
static const char *const severities[] = { "critical", "warning", "advice", "info", NULL };
static const char *const groupings[] = { "state", "port", "process", "unit", "peer", NULL };

#define AT(member) .offset = offsetof(struct tct_options, member)

const struct tct_option tct_option_table[TCT_OPTION_LIMIT] = {
	[TCT_OPTION_PROFILE] = { "profile", 'p', TCT_OPTION_LIST, "NAME", AT(profiles),
				 .help = "judge by this profile; a name with a / is a file; may be "
					 "given again" },
	[TCT_OPTION_VAR] = { "var", 0, TCT_OPTION_LIST, "NAME=VALUE", AT(vars),
			     .help = "override a variable of the profile, or a fact of the host "
				     "(mem_total, cpus, kernel, page_size); may be given again" },
	[TCT_OPTION_SET] = { "set", 's', TCT_OPTION_LIST, "KEY=VALUE", AT(sets),
			     .help = "set this key, too, whatever the profiles say of it; may be "
				     "given again" },
	[TCT_OPTION_DRY_RUN] = { "dry-run", 'n', TCT_OPTION_FLAG, AT(dry_run),
				 .help = "print what would change, write nothing; exit 1 if "
					 "something would" },
	[TCT_OPTION_NO_PERSIST] = { "no-persist", 0, TCT_OPTION_FLAG, AT(no_persist),
				    .help = "change live values only; the next boot is as before" },
	[TCT_OPTION_PERSIST] = { "persist", 0, TCT_OPTION_FLAG, AT(persist),
				 .help = "write the drop-in even outside the initial network "
					 "namespace" },
	[TCT_OPTION_NO_LIVE] = { "no-live", 0, TCT_OPTION_FLAG, AT(no_live),
				 .help = "write the drop-in only; live values stay as they are" },
	[TCT_OPTION_ALLOW_SHADOWED] = { "allow-shadowed", 0, TCT_OPTION_FLAG, AT(allow_shadowed),
					.help = "go on although a later file overrides the drop-in at "
						"the next boot" },
	[TCT_OPTION_MODULES_LOAD] = { "modules-load", 0, TCT_OPTION_FLAG, AT(modules_load),
				      .help = "have the kernel modules that bring these keys loaded at "
					      "boot, before sysctl is applied "
					      "(/etc/modules-load.d/tcptune.conf)" },
	[TCT_OPTION_BOOT] = { "boot", 0, TCT_OPTION_CHOICE, "systemd|procps|both", boots, AT(boot),
			      .help = "which program applies sysctl files at boot, instead of "
				      "finding out" },
	[TCT_OPTION_REASON] = { "reason", 0, TCT_OPTION_TEXT, "TEXT", AT(reason),
				.help = "why, for the history and the drop-in's comment" },
	[TCT_OPTION_FORCE] = { "force", 0, TCT_OPTION_FLAG, AT(force),
			       .help = "put back values too that were changed since" },
	[TCT_OPTION_WAIT] = { "wait", 0, TCT_OPTION_SECONDS, "SECONDS", AT(wait_ns),
			      .help = "if another tcptune is at work, wait so long for it to end "
				      "(default: 0, which is exit code 5 at once)" },
	[TCT_OPTION_CONFIRM_WITHIN] = { "confirm-within", 0, TCT_OPTION_SECONDS, "SECONDS",
					.least = 1, .most = 86400, AT(confirm_within_ns),
					.help = "change live values only, and put them back after "
						"so long unless 'tcptune confirm' keeps them" },
	[TCT_OPTION_EXPIRE] = { "expire", 0, TCT_OPTION_FLAG, AT(expire),
				.help = "wait until the time of ID is over and then put it back; "
					"what --confirm-within starts by itself" },
	[TCT_OPTION_SOURCE] = { "source", 0, TCT_OPTION_FLAG, AT(source),
				.help = "print the YAML as it is stored" },
	[TCT_OPTION_INTERVAL] = { "interval", 0, TCT_OPTION_SECONDS, "SECONDS", AT(interval_ns),
				  .help = "watch the counters for so long, so that rates are rates; "
					  "decimals are allowed, 0 = one look without rates (default: "
					  "1, with --root 0)" },
	[TCT_OPTION_COUNT] = { "count", 0, TCT_OPTION_NUMBER, "N", .least = 1, .most = 1000000000,
			       AT(count), .help = "end after N intervals" },
	[TCT_OPTION_EXACT] = { "exact", 0, TCT_OPTION_FLAG, AT(exact),
			       .help = "walk every socket to count the states, instead of taking "
				       "the kernel's own counts where they agree" },
	[TCT_OPTION_FAIL_ON] = { "fail-on", 0, TCT_OPTION_CHOICE, "SEVERITY", severities,
				 AT(fail_on),
				 .help = "exit 1 if there is a finding at least this bad: critical, "
					 "warning, advice or info" },
	[TCT_OPTION_SUPPRESSIONS] = { "suppressions", 0, TCT_OPTION_TEXT, "FILE", AT(suppressions),
				      .help = "take the suppressions of FILE instead of the "
					      "host's /etc/tcptune/suppressions.yaml" },
	[TCT_OPTION_NO_SUPPRESSIONS] = { "no-suppressions", 0, TCT_OPTION_FLAG, AT(no_suppressions),
					 .help = "suppress nothing: all findings" },
	[TCT_OPTION_BY] = { "by", 0, TCT_OPTION_CHOICE, "state|port|process|unit|peer", groupings,
			    AT(by), .help = "count by this (default: state; with --port process)" },
	[TCT_OPTION_PORT] = { "port", 0, TCT_OPTION_NUMBER, "N", .least = 1, .most = 65535,
			      AT(port), .help = "only sockets with this port at either end" },
	[TCT_OPTION_STATE] = { "state", 0, TCT_OPTION_LIST, "STATE", AT(states),
			       .help = "only sockets in this state, as ss or netstat write it; "
				       "several with commas, or given again" },
	[TCT_OPTION_TOP] = { "top", 0, TCT_OPTION_NUMBER, "N", .least = 0, .most = 1000000, AT(top),
			     .help = "print the N largest rows, 0 = all (default: 20)" },
	[TCT_OPTION_NETNS] = { "netns", 0, TCT_OPTION_TEXT, "NAME|PID|PATH", AT(netns),
			       .help = "work in this network namespace" },
	[TCT_OPTION_ALL_NETNS] = { "all-netns", 0, TCT_OPTION_FLAG, AT(all_netns),
				   .help = "look at every network namespace of the host: the "
					   "named ones, and those of processes" },
	[TCT_OPTION_ROOT] = { "root", 0, TCT_OPTION_TEXT, "DIR", AT(root),
			      .help = "take the host's files from DIR: an image, or a captured "
				      "machine" },
	[TCT_OPTION_SNAPSHOT] = { "snapshot", 0, TCT_OPTION_TEXT, "FILE", AT(snapshot),
				  .help = "judge what `tcptune snapshot` saved in FILE, here or on "
					  "another host; - is standard input" },
	[TCT_OPTION_OUTPUT] = { "output", 'o', TCT_OPTION_TEXT, "FILE", AT(output),
				.help = "write to FILE; - is standard output" },
	[TCT_OPTION_FORMAT] = { "format", 0, TCT_OPTION_CHOICE, "text|json", formats, AT(format),
				.help = "how to print (default: text)" },
	[TCT_OPTION_JSON] = { "json", 0, TCT_OPTION_PRESET, .preset = TCT_FORMAT_JSON, AT(format),
			      .help = "the same as --format json" },
	[TCT_OPTION_COLOR] = { "color", 0, TCT_OPTION_CHOICE, "auto|always|never", colors,
			       AT(color),
			       .help = "colour (default: auto, which is on a terminal unless "
				       "NO_COLOR is set)" },
	[TCT_OPTION_QUIET] = { "quiet", 'q', TCT_OPTION_FLAG, AT(quiet), .help = "say less" },
	[TCT_OPTION_VERBOSE] = { "verbose", 'v', TCT_OPTION_FLAG, AT(verbose), .help = "say more" },
	[TCT_OPTION_HELP] = { "help", 'h', TCT_OPTION_FLAG, AT(help), .help = "print this help" },
	[TCT_OPTION_VERSION] = { "version", 'V', TCT_OPTION_FLAG, AT(version),
				 .help = "print the version" },
};

enum { LONG_BASE = 256 }; /* getopt's values of long options begin here */

/* The rows that a command takes, for tct_text_nearest. */
struct taken {
	const char *name;
	const struct tct_option_use *uses;
	size_t count;
};

static const char *taken_name(const void *context, size_t i)
{
	const struct taken *taken = context;

	return i < taken->count ? tct_option_table[taken->uses[i].id].name : NULL;
}

static int append(struct tct_strings *strings, const char *text, struct tct_err *err)
{
	const char **slot = TCT_APPEND(strings, items);

	if (slot == NULL)
		return tct_err_nomem(err);
	*slot = text;
	return 0;
}

/* "1", "0.25": whole and decimal digits only, at most an hour unless the option says more. */
static int parse_seconds(const struct tct_option *option, const char *text, int64_t *ns,
			 struct tct_err *err)
{
	const int64_t second = INT64_C(1000000000);
	const int64_t most = option->most != 0 ? option->most : 3600;
	const char *at = text;
	int64_t total = 0;
	int64_t weight = second / 10;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (total <= most * second)
			total = total * 10 + (*at - '0') * second;
	}
	if (*at == '.' && at != text) {
		at++;
		while (*at >= '0' && *at <= '9') {
			total += (*at++ - '0') * weight;
			weight /= 10;
		}
	}
	if (at == text || *at != '\0' || at[-1] == '.')
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--%s wants a number of seconds, not '%s'", option->name, text);
	if (total > most * second)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s takes at most %lld seconds",
				   option->name, (long long)most);
	if (total < option->least * second)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--%s takes at least %lld second%s", option->name,
				   (long long)option->least, option->least == 1 ? "" : "s");
	*ns = total;
	return 0;
}

static int parse_number(const struct tct_option *option, const char *text, int64_t *number,
			struct tct_err *err)
{
	const char *at = text;
	int64_t value = 0;

	for (; *at >= '0' && *at <= '9' && value <= option->most; at++)
		value = value * 10 + (*at - '0');
	if (at == text || *at != '\0' || value < option->least || value > option->most)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--%s wants a number from %lld to %lld, not '%s'", option->name,
				   (long long)option->least, (long long)option->most, text);
	*number = value;
	return 0;
}

static const char *choice_name(const void *context, size_t i)
{
	const char *const *choices = context;

	return choices[i];
}

static int parse_choice(const struct tct_option *option, const char *text, int *chosen,
			struct tct_err *err)
{
	TCT_AUTO(tct_text_done) struct tct_text all = { 0 };

	for (int i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*chosen = i;
			return 0;
		}
		tct_text_addf(&all, "%s%s", i > 0 ? ", " : "", option->choices[i]);
	}
	if (all.failed)
		return tct_err_nomem(err);

	const char *nearest = tct_text_nearest(text, choice_name, option->choices);

	if (nearest != NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "--%s doesn't know '%s'; did you mean '%s'?", option->name, text,
				   nearest);
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s doesn't know '%s'; it takes %s",
			   option->name, text, all.data);
}

static int store(const struct tct_option *option, const char *text, struct tct_options *options,
		 struct tct_err *err)
{
	void *target = (char *)options + option->offset;

	switch (option->kind) {
	case TCT_OPTION_FLAG:
		*(bool *)target = true;
		return 0;
	case TCT_OPTION_PRESET:
		*(int *)target = option->preset;
		return 0;
	case TCT_OPTION_TEXT:
		if (text[0] == '\0')
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s must not be empty",
					   option->name);
		*(const char **)target = text;
		return 0;
	case TCT_OPTION_LIST:
		if (text[0] == '\0')
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s must not be empty",
					   option->name);
		return append(target, text, err);
	case TCT_OPTION_CHOICE:
		return parse_choice(option, text, target, err);
	case TCT_OPTION_SECONDS:
		return parse_seconds(option, text, target, err);
	case TCT_OPTION_NUMBER:
		return parse_number(option, text, target, err);
	}
	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s can't be read", option->name);
}

static int no_option(const struct taken *taken, const char *dashes, const char *name,
		     struct tct_err *err)
{
	bool command = strcmp(taken->name, "tcptune") != 0;

	return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
			   "%s has no option '%s%s'; see 'tcptune %s%s--help'", taken->name, dashes,
			   name, command ? taken->name : "", command ? " " : "");
}

static int unknown_long(const struct taken *taken, const char *given, struct tct_err *err)
{
	char name[64];
	size_t length = strcspn(given + 2, "=");
	unsigned like = 0;

	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	memcpy(name, given + 2, length);
	name[length] = '\0';
	for (size_t i = 0; i < taken->count; i++) {
		if (strncmp(tct_option_table[taken->uses[i].id].name, name, length) == 0)
			like++;
	}
	if (like > 1)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "'--%s' may be several options: write it out", name);

	const char *nearest = tct_text_nearest(name, taken_name, taken);

	if (nearest != NULL)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL,
				   "%s has no option '--%s'; did you mean '--%s'?", taken->name,
				   name, nearest);
	return no_option(taken, "--", name, err);
}

/* What getopt_long complained of: found is '?' or ':', optopt says about what. */
static int complain(const struct taken *taken, int found, const char *last, struct tct_err *err)
{
	if (found == ':') {
		if (optopt < LONG_BASE)
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "-%c needs a value",
					   optopt);
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s needs a value",
				   tct_option_table[optopt - LONG_BASE].name);
	}
	if (optopt >= LONG_BASE)
		return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "--%s takes no value",
				   tct_option_table[optopt - LONG_BASE].name);
	if (optopt != 0)
		return no_option(taken, "-", (char[]){ (char)optopt, '\0' }, err);
	return unknown_long(taken, last, err);
}

static int option_of_letter(const struct taken *taken, int letter)
{
	for (size_t i = 0; i < taken->count; i++) {
		if (tct_option_table[taken->uses[i].id].letter == letter)
			return (int)taken->uses[i].id;
	}
	return -1;
}

/* getopt_long's own tables, from ours. */
static void make_tables(const struct taken *taken, struct option longs[TCT_OPTION_LIMIT + 1],
			char letters[2 * TCT_OPTION_LIMIT + 2])
{
	char *letter = letters;

	*letter++ = ':';
	for (size_t i = 0; i < taken->count; i++) {
		const struct tct_option *option = &tct_option_table[taken->uses[i].id];

		longs[i] = (struct option){
			.name = option->name,
			.has_arg = option->argument != NULL ? required_argument : no_argument,
			.val = LONG_BASE + (int)taken->uses[i].id,
		};
		if (option->letter != 0) {
			*letter++ = option->letter;
			if (option->argument != NULL)
				*letter++ = ':';
		}
	}
	longs[taken->count] = (struct option){ 0 };
	*letter = '\0';
}

int tct_options_parse(const char *name, const struct tct_option_use *uses, size_t count, int argc,
		      char *argv[], struct tct_options *options, struct tct_err *err)
{
	const struct taken taken = { name, uses, count };
	struct option longs[TCT_OPTION_LIMIT + 1];
	char letters[2 * TCT_OPTION_LIMIT + 2];

	*options = (struct tct_options){
		.boot = -1,
		.interval_ns = -1,
		.fail_on = -1,
		.by = -1,
		.top = -1,
	};
	make_tables(&taken, longs, letters);
	opterr = 0;
	optind = 0; /* begin anew */
	for (;;) {
		int found = getopt_long(argc, argv, letters, longs, NULL);

		if (found == -1)
			break;
		if (found == '?' || found == ':')
			return complain(&taken, found, argv[optind - 1], err);

		int id = found >= LONG_BASE ? found - LONG_BASE : option_of_letter(&taken, found);

		if (id < 0)
			return tct_err_set(err, TCT_FAULT_INPUT, EINVAL, "%s has no option '-%c'",
					   name, found);

		int code = store(&tct_option_table[id], optarg, options, err);

		if (code < 0)
			return code;
	}
	for (int i = optind; i < argc; i++) {
		int code = append(&options->arguments, argv[i], err);

		if (code < 0)
			return code;
	}
	return 0;
}

void tct_options_done(struct tct_options *options)
{
	free(options->profiles.items);
	free(options->vars.items);
	free(options->sets.items);
	free(options->states.items);
	free(options->arguments.items);
	*options = (struct tct_options){ 0 };
}

bool tct_wants_json(const struct tct_options *options)
{
	return options->format == TCT_FORMAT_JSON;
}

bool tct_parse_id(const char *text, uint64_t *id)
{
	char *end;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	errno = 0;
	*id = strtoull(text, &end, 10);
	return errno == 0 && *id != 0;
}
