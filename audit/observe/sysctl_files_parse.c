/*
 * Lines: the same bytes as each of the two appliers takes them apart. Where both make the same of a
 * line it becomes one entry that both read, else one entry each.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"
#include "core/text.h"

enum { SYSTEMD_LINE_MAX = 1 << 20 };

static const char systemd_white[] = " \t\n\r";
static const char procps_white[] = " \t\n\r\v\f";

struct slice {
	const char *at;
	size_t length;
};

enum kind {
	NOTHING, /* blank, a comment */
	NO_ASSIGNMENT,
	NO_KEY,
	TOO_LONG,
	ASSIGNMENT, /* or an exclusion */
};

/* What one applier makes of one line. */
struct meaning {
	enum kind kind;
	bool ignore_errors;
	struct slice key;
	bool has_value;
	struct slice value;
	char *path;  /* owned; canonical */
	char *spelt; /* owned; procps only */
};

static void meaning_done(struct meaning *meaning)
{
	free(meaning->path);
	free(meaning->spelt);
}

static bool is_white(char c, const char *white)
{
	return c != '\0' && strchr(white, c) != NULL;
}

static struct slice strip(struct slice text, const char *white)
{
	while (text.length > 0 && is_white(text.at[0], white)) {
		text.at++;
		text.length--;
	}
	while (text.length > 0 && is_white(text.at[text.length - 1], white))
		text.length--;
	return text;
}

static struct slice behind(struct slice text, size_t skip)
{
	return (struct slice){ text.at + skip, text.length - skip };
}

/* Take a stripped line apart at its first '='; false for a line without '=' that is no exclusion.
 */
static bool split(struct slice text, const char *white, struct meaning *meaning)
{
	const char *equals = memchr(text.at, '=', text.length);
	bool minus = text.at[0] == '-';

	meaning->key = text;
	if (equals != NULL) {
		meaning->key.length = (size_t)(equals - text.at);
		meaning->has_value = true;
		meaning->value = strip(behind(text, meaning->key.length + 1), white);
		meaning->ignore_errors = minus;
	} else if (!minus) {
		return false;
	}
	if (minus)
		meaning->key = behind(meaning->key, 1);
	return true;
}

/* Give the meaning its path. 0 or -ENOMEM. */
static int resolve(struct meaning *meaning, bool procps)
{
	meaning->kind = ASSIGNMENT;
	if (meaning->key.length == 0) {
		meaning->kind = NO_KEY;
		return 0;
	}
	if (meaning->key.length > TCT_SYSCTL_PATH_MAX) {
		meaning->kind = TOO_LONG;
		return 0;
	}
	meaning->path =
		procps ? tct_procps_path(meaning->key.at, meaning->key.length, &meaning->spelt)
		       : tct_systemd_path(meaning->key.at, meaning->key.length);
	if (meaning->path == NULL)
		return -ENOMEM;
	if (meaning->path[0] == '\0')
		meaning->kind = NO_KEY;
	return 0;
}

static int understand_systemd(struct slice line, struct meaning *meaning)
{
	*meaning = (struct meaning){ .kind = NOTHING };
	line = strip(line, systemd_white);
	if (line.length == 0 || line.at[0] == '#' || line.at[0] == ';')
		return 0;
	if (!split(line, systemd_white, meaning)) {
		meaning->kind = NO_ASSIGNMENT;
		return 0;
	}
	meaning->key = strip(meaning->key, systemd_white);
	return resolve(meaning, false);
}

/* line: with its newline, if it has one, and without what follows a NUL. */
static int understand_procps(struct slice line, struct meaning *meaning)
{
	*meaning = (struct meaning){ .kind = NOTHING };
	while (line.length > 0 && is_white(line.at[0], procps_white))
		line = behind(line, 1);
	if (line.length < 2 || line.at[0] == '#' || line.at[0] == ';')
		return 0;
	line = strip(line, procps_white);
	if (!split(line, procps_white, meaning)) {
		meaning->kind = NO_ASSIGNMENT;
		return 0;
	}
	/* White space between '-' and the key stays, and makes it an unknown key. */
	while (meaning->key.length > 0 &&
	       is_white(meaning->key.at[meaning->key.length - 1], procps_white))
		meaning->key.length--;
	/* A second '-' is dropped: "--key = value" is written. */
	if (meaning->key.length > 0 && meaning->key.at[0] == '-')
		meaning->key = behind(meaning->key, 1);
	return resolve(meaning, true);
}

static bool same_value(const struct meaning *a, const struct meaning *b)
{
	return a->has_value == b->has_value && a->value.length == b->value.length &&
	       (a->value.length == 0 || memcmp(a->value.at, b->value.at, a->value.length) == 0);
}

static bool same(const struct meaning *a, const struct meaning *b)
{
	return a->kind == ASSIGNMENT && b->kind == ASSIGNMENT &&
	       a->ignore_errors == b->ignore_errors && strcmp(a->path, b->path) == 0 &&
	       same_value(a, b);
}

struct parser {
	struct tct_sysctl_files *files;
	const struct tct_reading *reading;
	unsigned line;
	bool systemd_gave_up;
	struct tct_err *err;
};

/* Append the line that `models` read so. Takes the paths out of meaning. */
static int append(struct parser *parser, struct meaning *meaning, char **spelt, unsigned models)
{
	struct tct_line_given given = {
		.file = parser->reading->file,
		.line = parser->line,
		.ignore_errors = meaning->ignore_errors,
		.with_ours = parser->reading->with_ours & models,
		.without_ours = parser->reading->without_ours & models,
	};

	if ((given.with_ours | given.without_ours) == 0)
		return 0;
	if (meaning->has_value) {
		given.value = tct_text_copy(meaning->value.at, meaning->value.length);
		if (given.value == NULL)
			return tct_err_nomem(parser->err);
	}
	given.path = TCT_STEAL(meaning->path);
	if (spelt != NULL && strcmp(*spelt, given.path) != 0)
		given.procps_path = TCT_STEAL(*spelt);
	return tct_sysctl_line_add(parser->files, &given, parser->err);
}

static int fault(struct parser *parser, unsigned models, const char *what)
{
	return tct_sysctl_fault(parser->files, parser->reading->file, parser->line,
				parser->reading->with_ours & models, parser->err, "%s", what);
}

static const char *kind_text(enum kind kind)
{
	switch (kind) {
	case NO_ASSIGNMENT:
		return "no '=': not a setting";
	case NO_KEY:
		return "no key before the '='";
	case TOO_LONG:
		return "the key is longer than any path in /proc/sys";
	case NOTHING:
	case ASSIGNMENT:
		break;
	}
	return NULL;
}

/* Does the path step upwards? systemd refuses that. */
static bool steps_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")) != NULL; at++) {
		if ((at == path || at[-1] == '/') && (at[2] == '\0' || at[2] == '/'))
			return true;
	}
	return false;
}

static int note_oddities(struct parser *parser, const struct meaning *meaning, unsigned models)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (parser->line == 1 && meaning->key.length >= 3 && memcmp(meaning->key.at, mark, 3) == 0)
		return fault(parser, models,
			     "starts with a byte order mark, which makes its key an unknown one");
	if (steps_up(meaning->path) && tct_is_pattern(meaning->path))
		return fault(parser, models, "'..' in a pattern: taken for one that finds nothing");
	if ((models & TCT_MASK_SYSTEMD) != 0 && steps_up(meaning->path))
		return fault(parser, TCT_MASK_SYSTEMD, "'..' in the key: refused");
	return 0;
}

/* Add what one or both models make of (a part of) a line. */
static int add(struct parser *parser, struct meaning *meaning, char **spelt, unsigned models)
{
	int result = 0;

	if (meaning->kind == ASSIGNMENT) {
		result = note_oddities(parser, meaning, models);
		if (result == 0)
			result = append(parser, meaning, spelt, models);
	} else if (meaning->kind != NOTHING) {
		result = fault(parser, models, kind_text(meaning->kind));
	}
	return result;
}

/* For systemd a lone CR and a NUL end a line too (strchr finds the NUL). Returns the part's length.
 */
static size_t systemd_part(struct slice line)
{
	size_t length = 0;

	while (length < line.length && strchr("\n\r", line.at[length]) == NULL)
		length++;
	return length;
}

/* The parts of a physical line that systemd sees; `first` is the one that procps may share. */
static int parse_systemd_rest(struct parser *parser, struct slice line)
{
	while (line.length > 0 && !parser->systemd_gave_up) {
		size_t part = systemd_part(line);
		TCT_AUTO(meaning_done) struct meaning meaning = { .kind = NOTHING };
		int result;

		if (part >= SYSTEMD_LINE_MAX) {
			parser->systemd_gave_up = true;
			return fault(parser, TCT_MASK_SYSTEMD,
				     "longer than 1 MiB: the rest of the file is not read");
		}
		if (understand_systemd((struct slice){ line.at, part }, &meaning) < 0)
			return tct_err_nomem(parser->err);
		result = add(parser, &meaning, NULL, TCT_MASK_SYSTEMD);
		if (result < 0)
			return result;
		line = behind(line, part < line.length ? part + 1 : part);
	}
	return 0;
}

/* One physical line, its newline included. */
static int parse_line(struct parser *parser, struct slice line)
{
	TCT_AUTO(meaning_done) struct meaning procps = { .kind = NOTHING };
	TCT_AUTO(meaning_done) struct meaning systemd = { .kind = NOTHING };
	struct slice first = { line.at, systemd_part(line) };
	struct slice rest = behind(line, first.length);
	unsigned also_systemd = 0;
	int result;

	/* procps works on the line as a C string. */
	if (understand_procps((struct slice){ line.at, strnlen(line.at, line.length) }, &procps) <
	    0)
		return tct_err_nomem(parser->err);
	if (!parser->systemd_gave_up && first.length < SYSTEMD_LINE_MAX) {
		if (understand_systemd(first, &systemd) < 0)
			return tct_err_nomem(parser->err);
		if (same(&procps, &systemd) ||
		    (procps.kind == systemd.kind && procps.kind != ASSIGNMENT))
			also_systemd = TCT_MASK_SYSTEMD;
	} else {
		rest = line;
	}
	result = add(parser, &procps, &procps.spelt, TCT_MASK_PROCPS | also_systemd);
	if (result == 0 && also_systemd == 0)
		result = add(parser, &systemd, NULL, TCT_MASK_SYSTEMD);
	if (result == 0)
		result = parse_systemd_rest(parser, rest);
	return result;
}

int tct_sysctl_parse(struct tct_sysctl_files *files, const struct tct_reading *reading,
		     const char *data, size_t length, struct tct_err *err)
{
	struct parser parser = { .files = files, .reading = reading, .err = err };
	const char *end = data + length;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *next = newline == NULL ? end : newline + 1;
		int result;

		parser.line++;
		result = parse_line(&parser, (struct slice){ data, (size_t)(next - data) });
		if (result < 0)
			return result;
		data = next;
	}
	return 0;
}
