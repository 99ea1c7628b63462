/* `sysctl -a` of a sosreport. Errors of sysctl stand among its lines; a value of several lines has
 * its key before each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/sos_text.h"
#include "audit/observe/sosreport.h"
#include "core/mem.h"
#include "core/text.h"

static const char output_path[] = "sos_commands/kernel/sysctl_-a";

/* sysctl goes through these folders in the order of their names: an end that was cut off lacks vm,
 * a beginning kernel. */
static const char *const folders[] = { "fs.", "kernel.", "net.", "vm." };

struct reading {
	struct tct_observation *observation;
	bool seen[TCT_COUNT(folders)];
};

static void note_folder(struct reading *reading, const char *name)
{
	for (size_t i = 0; i < TCT_COUNT(folders); i++) {
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			reading->seen[i] = true;
	}
}

/* `sysctl: permission denied on key 'net.x'`, `sysctl: reading key "net.x"` */
static void take_complaint(struct reading *reading, char *line)
{
	char *name = line + strcspn(line, "'\"");
	const struct tct_kernel_key *key;
	struct tct_sysctl *sysctl;

	if (*name == '\0')
		return;
	name++;
	name[strcspn(name, "'\"")] = '\0';
	key = tct_kernel_key_find(name);
	if (key == NULL || key->handler == TCT_HANDLER_SECRET)
		return;
	sysctl = &reading->observation->sysctls[tct_kernel_key_index(key)];
	if (sysctl->presence != TCT_NOT_LOOKED)
		return;
	sysctl->presence = TCT_UNREADABLE;
	sysctl->error = strstr(line, "denied") != NULL ? EACCES : EIO;
}

/* "net.ipv4.tcp_rmem = 4096	131072	6291456" */
static int take_line(void *context, char *line)
{
	struct reading *reading = context;
	struct tct_value value = { 0 };
	struct tct_err err;
	struct tct_sysctl *sysctl;
	const struct tct_kernel_key *key;
	char *equals = strchr(line, '=');
	int result;

	if (strncmp(line, "sysctl: ", 8) == 0) {
		take_complaint(reading, line);
		return 0;
	}
	if (equals == NULL || equals == line || equals[-1] != ' ')
		return 0;
	equals[-1] = '\0';
	note_folder(reading, line);
	key = tct_kernel_key_find(line);
	if (key == NULL)
		return 0;
	sysctl = &reading->observation->sysctls[tct_kernel_key_index(key)];
	if (key->handler == TCT_HANDLER_SECRET) {
		sysctl->presence = TCT_NOT_LOOKED;
		return 0;
	}
	sysctl->writable = !key->read_only;
	result = tct_value_parse(key, tct_text_trim(equals + 1), &value, &err);
	if (result == -ENOMEM)
		return result;
	/* Told twice and differently: neither is to be believed. */
	if (result < 0 || sysctl->presence == TCT_UNPARSED ||
	    (sysctl->presence == TCT_PRESENT && !tct_value_equal(&value, &sysctl->value))) {
		tct_value_done(&value);
		tct_value_done(&sysctl->value);
		sysctl->presence = TCT_UNPARSED;
		return 0;
	}
	tct_value_done(&sysctl->value);
	sysctl->value = value;
	sysctl->presence = TCT_PRESENT;
	return 0;
}

/* One gap for all keys of a kind. 0 or -ENOMEM. */
static int note_gap(struct tct_observation *observation, enum tct_presence presence,
		    const char *what)
{
	const char *first = NULL;
	unsigned count = 0;
	char keys[64];

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		if (observation->sysctls[i].presence != presence)
			continue;
		if (count++ == 0)
			first = tct_kernel_keys[i].name;
	}
	if (count == 0)
		return 0;
	(void)snprintf(keys, sizeof(keys), "live value of %u kernel key%s", count,
		       count == 1 ? "" : "s");
	return tct_observation_gap(observation, keys, "%s%s: %s in %s", count == 1 ? "" : "first ",
				   first, what, output_path);
}

int tct_sos_sysctls_look(const struct tct_root *root, struct tct_observation *observation)
{
	struct reading reading = { .observation = observation };
	struct tct_sos_lines lines;
	bool whole = true;
	int result = tct_sos_lines_read(root, output_path, take_line, &reading, &lines);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return tct_observation_gap(observation, "live kernel keys", "%s: %s", output_path,
					   strerror(-result));
	for (size_t i = 0; i < TCT_COUNT(folders); i++)
		whole &= reading.seen[i];
	if (!whole)
		result = tct_observation_gap(observation, "some live kernel keys",
					     "%s is not whole", output_path);
	for (size_t i = 0; i < tct_kernel_keys_count && whole; i++) {
		struct tct_sysctl *sysctl = &observation->sysctls[i];

		if (sysctl->presence == TCT_NOT_LOOKED &&
		    tct_kernel_keys[i].handler != TCT_HANDLER_SECRET)
			sysctl->presence = TCT_ABSENT;
	}
	if (result == 0)
		result = note_gap(observation, TCT_UNREADABLE, "an error");
	if (result == 0)
		result = note_gap(observation, TCT_UNPARSED, "not of the expected shape");
	return result;
}
