#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/observe/sos_text.h"
#include "core/mem.h"

/* A file while it is read: lines are cut out of the buffer where they lie. */
struct reader {
	int (*take)(void *context, char *line);
	void *context;
	struct tct_sos_lines *lines;
	bool skipping; /* the rest of a line whose beginning was told */
	size_t used;
	char buffer[TCT_SOS_LINE_MAX + 1];
};

static int tell(struct reader *reader, char *line, size_t length)
{
	for (char *nul = line; (nul = memchr(nul, '\0', length - (size_t)(nul - line))) != NULL;)
		*nul = '\1';
	line[length] = '\0';
	reader->lines->lines++;
	return reader->take(reader->context, line);
}

/* Tell the whole lines of the buffer; keep the rest at its start. */
static int take_buffer(struct reader *reader)
{
	char *at = reader->buffer;
	char *end = reader->buffer + reader->used;
	char *newline;
	int result = 0;

	while (result == 0 && at < end &&
	       (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (!reader->skipping)
			result = tell(reader, at, (size_t)(newline - at));
		reader->skipping = false;
		at = newline + 1;
	}
	reader->used = (size_t)(end - at);
	memmove(reader->buffer, at, reader->used);
	if (result == 0 && reader->used == TCT_SOS_LINE_MAX) {
		if (!reader->skipping) {
			reader->lines->shortened++;
			result = tell(reader, reader->buffer, reader->used);
		}
		reader->skipping = true;
		reader->used = 0;
	}
	return result;
}

static int open_file(const struct tct_root *root, const char *path)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? TCT_STEAL_FD(fd) : -EINVAL;
}

int tct_sos_lines_read(const struct tct_root *root, const char *path,
		       int (*take)(void *context, char *line), void *context,
		       struct tct_sos_lines *lines)
{
	TCT_AUTOCLOSE int fd = open_file(root, path);
	TCT_AUTOFREE struct reader *reader = NULL;
	int result = 0;

	*lines = (struct tct_sos_lines){ 0 };
	if (fd < 0)
		return fd;
	reader = malloc(sizeof(*reader));
	if (reader == NULL)
		return -ENOMEM;
	reader->take = take;
	reader->context = context;
	reader->lines = lines;
	reader->skipping = false;
	reader->used = 0;
	while (result == 0) {
		ssize_t got =
			read(fd, reader->buffer + reader->used, TCT_SOS_LINE_MAX - reader->used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		reader->used += (size_t)got;
		result = take_buffer(reader);
	}
	lines->cut = reader->used > 0 || reader->skipping;
	if (result == 0 && reader->used > 0 && !reader->skipping)
		result = tell(reader, reader->buffer, reader->used);
	return result;
}

size_t tct_sos_word(const char **at, const char **word)
{
	const char *end = *at;

	/* no strspn(): this runs for every word of hundreds of megabytes */
	while (*end == ' ' || *end == '\t')
		end++;
	*word = end;
	while (*end != ' ' && *end != '\t' && *end != '\0')
		end++;
	*at = end;
	return (size_t)(end - *word);
}

bool tct_sos_number(const char **at, uint64_t max, uint64_t *number)
{
	const char *digit = *at;
	uint64_t value = 0;

	if (*digit < '0' || *digit > '9')
		return false;
	for (; *digit >= '0' && *digit <= '9'; digit++) {
		uint64_t next = (uint64_t)(*digit - '0');

		if (next > max || value > (max - next) / 10)
			return false;
		value = value * 10 + next;
	}
	*at = digit;
	*number = value;
	return true;
}

bool tct_sos_whole_number(const char *word, size_t length, uint64_t max, uint64_t *number)
{
	const char *at = word;

	return tct_sos_number(&at, max, number) && at == word + length;
}

bool tct_sos_split_endpoint(const char *word, size_t length, char address[TCT_SOS_ENDPOINT_MAX],
			    uint16_t *port)
{
	char *colon;
	uint64_t number = 0;

	if (length >= TCT_SOS_ENDPOINT_MAX)
		return false;
	memcpy(address, word, length);
	address[length] = '\0';
	colon = strrchr(address, ':');
	if (colon == NULL)
		return false;
	*colon = '\0';
	if (strcmp(colon + 1, "*") != 0 &&
	    !tct_sos_whole_number(colon + 1, strlen(colon + 1), UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}
