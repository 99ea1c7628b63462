#include "tests/fault/state_values.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/fault/stage.h"

enum { VALUE_MAX = 65536 };

static int open_key(const struct tct_kernel_key *key, int flags)
{
	static const char folder[] = "/proc/sys/";
	char path[PATH_MAX];

	memcpy(path, folder, sizeof(folder));
	if (tct_kernel_key_path(key->name, path + strlen(folder), sizeof(path) - strlen(folder)) <
	    0)
		abort();
	return open(path, flags | O_CLOEXEC);
}

static char *read_value(const struct tct_kernel_key *key)
{
	char text[VALUE_MAX];
	TCT_AUTOCLOSE int fd = -1;
	ssize_t length;

	if (key->scope != TCT_SCOPE_NETNS || key->handler == TCT_HANDLER_SECRET)
		return NULL;
	fd = open_key(key, O_RDONLY);
	length = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	return length >= 0 ? tct_text_copy(text, (size_t)length) : NULL;
}

char **state_values_take(void)
{
	char **values = calloc(tct_kernel_keys_count, sizeof(*values));

	if (values == NULL)
		abort();
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		values[i] = read_value(&tct_kernel_keys[i]);
	return values;
}

void state_values_free(char **values)
{
	for (size_t i = 0; values != NULL && i < tct_kernel_keys_count; i++)
		free(values[i]);
	free(values);
}

static bool is_so(const struct tct_kernel_key *key, const char *wanted)
{
	TCT_AUTOFREE char *now = read_value(key);

	return now != NULL && strcmp(now, wanted) == 0;
}

/* Refused while a key that it leans on isn't put back: then it comes again. */
static bool put_back(const struct tct_kernel_key *key, const char *wanted)
{
	TCT_AUTOCLOSE int fd = open_key(key, O_WRONLY);

	return fd >= 0 && write(fd, wanted, strlen(wanted)) > 0 && is_so(key, wanted);
}

void state_values_restore(char *const *values, char *const *now)
{
	bool settled = false;

	for (int tries = 0; !settled && tries < 6; tries++) {
		settled = true;
		for (size_t i = 0; i < tct_kernel_keys_count; i++) {
			if (values[i] == NULL || now[i] == NULL || strcmp(values[i], now[i]) == 0 ||
			    (tries > 0 && is_so(&tct_kernel_keys[i], values[i])))
				continue;
			settled = put_back(&tct_kernel_keys[i], values[i]) && settled;
		}
	}
	if (!settled)
		stage_fail("the values can't be put back");
}
