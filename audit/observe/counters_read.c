#include "audit/observe/counters_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	COLUMNS_MAX = 1024,
	FILE_MAX = 1 << 20,
};

static const struct {
	const char *path;
	enum tct_counter_group groups[2];
} files[] = {
	{ "proc/net/snmp", { TCT_GROUP_TCP, TCT_GROUP_TCP } },
	{ "proc/net/netstat", { TCT_GROUP_TCPEXT, TCT_GROUP_IPEXT } },
	{ "proc/net/sockstat", { TCT_GROUP_SOCKSTAT, TCT_GROUP_SOCKSTAT } },
	{ "proc/net/sockstat6", { TCT_GROUP_SOCKSTAT6, TCT_GROUP_SOCKSTAT6 } },
	{ "proc/net/stat/nf_conntrack", { TCT_GROUP_CONNTRACK, TCT_GROUP_CONNTRACK } },
	{ "proc/net/softnet_stat", { TCT_GROUP_SOFTNET, TCT_GROUP_SOFTNET } },
};

/* The columns of softnet_stat, which has no names: net/core/net-procfs.c, softnet_seq_show(). */
static const struct {
	const char *column;
	size_t position;
} softnet_columns[] = {
	{ "processed", 0 },    { "dropped", 1 },     { "time_squeeze", 2 },
	{ "received_rps", 9 }, { "flow_limit", 10 },
};

/* The words of one line, terminated in place. */
struct words {
	char *at[COLUMNS_MAX];
	size_t count;
};

static void split(char *line, struct words *words)
{
	char *rest = NULL;

	words->count = 0;
	for (char *word = strtok_r(line, " \t\r", &rest);
	     word != NULL && words->count < COLUMNS_MAX; word = strtok_r(NULL, " \t\r", &rest))
		words->at[words->count++] = word;
}

/* Cut the first line off *text and its "prefix:" off the line. NULL at the end; prefix NULL if
 * there is none. */
static char *next_line(char **text, char **prefix)
{
	char *line = *text;
	char *end = strchr(line, '\n');
	char *colon;

	if (*line == '\0')
		return NULL;
	if (end != NULL)
		*end++ = '\0';
	else
		end = line + strlen(line);
	*text = end;
	colon = strchr(line, ':');
	*prefix = colon != NULL ? line : NULL;
	if (colon == NULL)
		return line;
	*colon = '\0';
	return colon + 1;
}

static void take_number(const char *word, struct tct_counter_value *value)
{
	char *end;
	const char *digits = word[0] == '-' ? word + 1 : word;

	value->presence = TCT_UNPARSED;
	value->value = 0;
	if (*digits < '0' || *digits > '9')
		return;
	errno = 0;

	intmax_t number = strtoimax(word, &end, 10);

	if (errno != 0 || *end != '\0')
		return;
	value->presence = TCT_PRESENT;
	value->value = number;
}

/* The counters of one line: neighbours in the table, and in order of their columns. */
struct line_counters {
	size_t first;
	size_t end;
};

/* Empty if nothing of the line is wanted. */
static struct line_counters counters_of(enum tct_counter_group group, const char *prefix)
{
	struct line_counters line = { 0, 0 };

	while (line.first < tct_counters_count &&
	       (tct_counters[line.first].group != group ||
		strcmp(tct_counters[line.first].line, prefix) != 0))
		line.first++;
	line.end = line.first;
	while (line.end < tct_counters_count && tct_counters[line.end].group == group &&
	       strcmp(tct_counters[line.end].line, prefix) == 0)
		line.end++;
	return line;
}

static bool find_counter(struct line_counters line, const char *column, size_t *index)
{
	while (line.first < line.end) {
		size_t middle = line.first + (line.end - line.first) / 2;
		int order = strcmp(column, tct_counters[middle].column);

		if (order == 0) {
			*index = middle;
			return true;
		}
		if (order < 0)
			line.end = middle;
		else
			line.first = middle + 1;
	}
	return false;
}

/* Take the line's counters whose names are among names; the values stand at the same positions. Of
 * two columns with one name the first counts. */
static void take_columns(struct line_counters line, const struct words *names,
			 const struct words *values, struct tct_counter_value *out)
{
	size_t count = names->count < values->count ? names->count : values->count;
	size_t index;

	while (count-- > 0) {
		if (find_counter(line, names->at[count], &index))
			take_number(values->at[count], &out[index]);
	}
}

static void parse_pairs(enum tct_counter_group group, char *text, struct words *names,
			struct words *values, struct tct_counter_value *out)
{
	char *names_prefix = NULL;
	char *values_prefix = NULL;
	char *names_line = next_line(&text, &names_prefix);
	struct line_counters line;

	while (names_line != NULL) {
		char *values_line = next_line(&text, &values_prefix);

		if (values_line == NULL)
			return;
		if (names_prefix == NULL || values_prefix == NULL ||
		    strcmp(names_prefix, values_prefix) != 0) {
			/* A line without its partner: the pair may begin here. */
			names_line = values_line;
			names_prefix = values_prefix;
			continue;
		}
		line = counters_of(group, names_prefix);
		if (line.first < line.end) {
			split(names_line, names);
			split(values_line, values);
			take_columns(line, names, values, out);
		}
		names_line = next_line(&text, &names_prefix);
	}
}

static void parse_turns(enum tct_counter_group group, char *text, struct words *names,
			struct words *values, struct tct_counter_value *out)
{
	char *prefix = NULL;

	for (char *words; (words = next_line(&text, &prefix)) != NULL;) {
		struct line_counters line = { 0, 0 };

		if (prefix != NULL)
			line = counters_of(group, prefix);
		if (line.first == line.end)
			continue;
		split(words, names);
		values->count = 0;
		for (size_t i = 0; i + 1 < names->count; i += 2) {
			values->at[i / 2] = names->at[i + 1];
			names->at[i / 2] = names->at[i];
			values->count++;
		}
		names->count = values->count;
		take_columns(line, names, values, out);
	}
}

/* Add one CPU's number, in hexadecimal digits without a prefix. */
static void add_hex(const char *word, struct tct_counter_value *value)
{
	if (value->presence == TCT_UNPARSED)
		return;
	errno = 0;

	uintmax_t number = strtoumax(word, NULL, 16);

	/* digits only: no sign, no 0x */
	if (errno != 0 || word[0] == '\0' || word[strspn(word, "0123456789abcdefABCDEF")] != '\0' ||
	    number > UINT32_MAX || value->value > INT64_MAX - UINT32_MAX) {
		*value = (struct tct_counter_value){ .presence = TCT_UNPARSED };
		return;
	}
	value->presence = TCT_PRESENT;
	value->value += (int64_t)number;
}

/* The column of a counter among the names; names NULL = the file has none. False if there is none.
 */
static bool find_column(const struct tct_counter *counter, const struct words *names,
			size_t *position)
{
	for (size_t i = 0; names == NULL && i < TCT_COUNT(softnet_columns); i++) {
		if (strcmp(softnet_columns[i].column, counter->column) == 0) {
			*position = softnet_columns[i].position;
			return true;
		}
	}
	for (size_t i = 0; names != NULL && i < names->count; i++) {
		if (strcmp(names->at[i], counter->column) == 0) {
			*position = i;
			return true;
		}
	}
	return false;
}

/* A line for each CPU, after a line of names if the file has one: add the CPUs up. */
static void parse_cpus(enum tct_counter_group group, char *text, struct words *names,
		       struct words *values, struct tct_counter_value *out)
{
	char *prefix = NULL;
	char *line;

	if (names != NULL) {
		line = next_line(&text, &prefix);
		if (line == NULL)
			return;
		split(line, names);
	}
	while ((line = next_line(&text, &prefix)) != NULL) {
		split(line, values);
		for (size_t i = 0; i < tct_counters_count; i++) {
			size_t position;

			if (tct_counters[i].group != group || values->count == 0 ||
			    !find_column(&tct_counters[i], names, &position))
				continue;
			if (position < values->count)
				add_hex(values->at[position], &out[i]);
			else if (names != NULL || out[i].presence == TCT_PRESENT)
				out[i] = (struct tct_counter_value){ .presence = TCT_UNPARSED };
		}
	}
}

void tct_counters_parse(enum tct_counter_group group, char *text, struct tct_counter_value *values)
{
	struct words names;
	struct words numbers;

	switch (group) {
	case TCT_GROUP_SOCKSTAT:
	case TCT_GROUP_SOCKSTAT6:
		parse_turns(group, text, &names, &numbers, values);
		break;
	case TCT_GROUP_CONNTRACK:
		parse_cpus(group, text, &names, &numbers, values);
		break;
	case TCT_GROUP_SOFTNET:
		parse_cpus(group, text, NULL, &numbers, values);
		break;
	case TCT_GROUP_TCP:
	case TCT_GROUP_TCPEXT:
	case TCT_GROUP_IPEXT:
		parse_pairs(group, text, &names, &numbers, values);
		break;
	}
}

static void set_group(enum tct_counter_group group, enum tct_presence presence,
		      struct tct_counter_value *values)
{
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (tct_counters[i].group == group)
			values[i] = (struct tct_counter_value){ .presence = presence };
	}
}

static int parse_file(size_t file, char *data, size_t length, struct tct_counter_value *values)
{
	TCT_AUTOFREE char *copy = NULL;

	for (size_t i = 0; i < TCT_COUNT(files[file].groups); i++) {
		enum tct_counter_group group = files[file].groups[i];

		if (i > 0 && group == files[file].groups[0])
			break;
		free(copy);
		copy = malloc(length + 1);
		if (copy == NULL)
			return -ENOMEM;
		memcpy(copy, data, length + 1);
		set_group(group, TCT_ABSENT, values);
		tct_counters_parse(group, copy, values);
	}
	return 0;
}

/* Is one of the file's groups asked for? */
static bool is_wanted(size_t file, unsigned groups)
{
	for (size_t i = 0; i < TCT_COUNT(files[file].groups); i++) {
		if (groups == 0 || (groups & (1U << files[file].groups[i])) != 0)
			return true;
	}
	return false;
}

int tct_counters_read(const struct tct_root *root, unsigned groups,
		      struct tct_counter_value *values, struct tct_observation *gaps)
{
	memset(values, 0, tct_counters_count * sizeof(*values));
	if (!tct_root_exists(root, "proc/net")) {
		if (gaps == NULL)
			return 0;
		return tct_observation_gap(
			gaps, "kernel counters",
			root->live ? "there is no /proc/net"
				   : "a directory tree has none (no proc/net in it)");
	}
	for (size_t i = 0; i < TCT_COUNT(files); i++) {
		TCT_AUTOFREE char *data = NULL;
		size_t length = 0;
		enum tct_presence presence;
		int result;

		if (!is_wanted(i, groups))
			continue;
		result = tct_root_read(root, files[i].path, FILE_MAX, &data, &length);
		presence = result == -ENOENT ? TCT_ABSENT : TCT_UNREADABLE;
		if (result == 0)
			result = parse_file(i, data, length, values);
		else if (result != -ENOMEM) {
			for (size_t j = 0; j < TCT_COUNT(files[i].groups); j++)
				set_group(files[i].groups[j], presence, values);
			if (presence == TCT_UNREADABLE && gaps != NULL)
				result = tct_observation_gap(gaps, "kernel counters", "/%s: %s",
							     files[i].path, strerror(-result));
			else
				result = 0;
		}
		if (result < 0)
			return result;
	}
	return 0;
}

void tct_counters_combine(const struct tct_counter_value *first,
			  const struct tct_counter_value *last,
			  struct tct_counter_reading *readings)
{
	for (size_t i = 0; i < tct_counters_count; i++) {
		bool both = first[i].presence == TCT_PRESENT && last[i].presence == TCT_PRESENT;

		readings[i].presence =
			last[i].presence != TCT_PRESENT ? last[i].presence : first[i].presence;
		readings[i].first = both ? first[i].value : 0;
		readings[i].last = both ? last[i].value : 0;
	}
}
