/* Keys and patterns: how the two appliers turn what stands before '=' to a path below /proc/sys. */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sysctl_files_private.h"
#include "core/mem.h"
#include "core/text.h"

static void swap_separators(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '.')
			*text = '/';
		else if (*text == '/')
			*text = '.';
	}
}

/* The first separator decides: a dot means that all dots and slashes are swapped. */
static void name_to_path(char *name)
{
	const char *first = strpbrk(name, "/.");

	if (first != NULL && *first == '.')
		swap_separators(name);
}

void tct_path_to_name(char *path)
{
	swap_separators(path);
}

bool tct_is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

static bool is_dot(const char *component, size_t length)
{
	return length == 1 && component[0] == '.';
}

static bool is_dot_dot(const char *component, size_t length)
{
	return length == 2 && component[0] == '.' && component[1] == '.';
}

char *tct_systemd_path(const char *key, size_t length)
{
	char *path = tct_text_copy(key, length);
	char *to = path;

	if (path == NULL)
		return NULL;
	name_to_path(path);
	/* Drop empty and "." components, in place. */
	for (const char *from = path; *from != '\0';) {
		size_t part = strcspn(from, "/");

		if (part > 0 && !is_dot(from, part)) {
			if (to != path)
				*to++ = '/';
			memmove(to, from, part);
			to += part;
		}
		from += part;
		from += *from == '/';
	}
	*to = '\0';
	return path;
}

#define BASE "proc/sys"

/* Is "proc/sys/net/ipv4" a directory? Those above a key of the table are. */
static bool is_directory(const char *path)
{
	size_t length = strlen(path);
	char below[sizeof(BASE) + 256];

	if (strcmp(path, "proc") == 0 || strcmp(path, BASE) == 0)
		return true;
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		char *at = stpcpy(below, BASE "/");

		if (tct_kernel_key_path(tct_kernel_keys[i].name, at, 256) == 0 &&
		    strncmp(below, path, length) == 0 && below[length] == '/')
			return true;
	}
	return false;
}

/*
 * Where "/proc/sys/" + spelt leads: empty and "." components dropped, ".." followed. A trailing
 * slash on what would have to be a directory, a step upwards from what is none, or a way out of
 * /proc/sys leads nowhere: then the spelling itself is returned.
 */
static char *follow(const char *spelt)
{
	size_t length = strlen(spelt);
	TCT_AUTOFREE char *path = malloc(length + sizeof(BASE "/"));
	char *end;

	if (path == NULL)
		return NULL;
	end = stpcpy(path, BASE);
	for (const char *from = spelt; *from != '\0';) {
		size_t part = strcspn(from, "/");
		bool last = from[part] == '\0' || from[part + 1] == '\0';

		if (last && (from[part] == '/' || is_dot(from, part) || is_dot_dot(from, part)))
			return tct_text_copy(spelt, length);
		if (is_dot_dot(from, part)) {
			*end = '\0';
			end = strrchr(path, '/');
			if (end == NULL || !is_directory(path))
				return tct_text_copy(spelt, length);
		} else if (part > 0 && !is_dot(from, part)) {
			*end++ = '/';
			memcpy(end, from, part);
			end += part;
		}
		from += part;
		from += *from == '/';
	}
	*end = '\0';
	if (strncmp(path, BASE "/", sizeof(BASE)) != 0)
		return tct_text_copy(spelt, length);
	return tct_text_copy(path + sizeof(BASE), strlen(path) - sizeof(BASE));
}

char *tct_procps_path(const char *key, size_t length, char **spelt)
{
	TCT_AUTOFREE char *raw = tct_text_copy(key, length);
	char *path;

	if (raw == NULL)
		return NULL;
	name_to_path(raw);
	/* A pattern stays as it is: glob(3) sees it so, and its spelling shows in what it finds. */
	path = tct_is_pattern(raw) ? tct_text_copy(raw, length) : follow(raw);
	if (path != NULL)
		*spelt = TCT_STEAL(raw);
	return path;
}

/* Copy one component so that fnmatch(3) can have it. */
static bool take_component(const char *from, size_t length, char *to, size_t size)
{
	if (length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

bool tct_glob_finds(const char *glob, const char *path, char *named)
{
	char pattern[TCT_SYSCTL_PATH_MAX + 1];
	char name[NAME_MAX + 1];

	while (*glob != '\0') {
		size_t part = strcspn(glob, "/");
		size_t here = strcspn(path, "/");

		if (part == 0 || is_dot(glob, part)) {
			memcpy(named, glob, part);
			named += part;
			/* The pattern ends in a slash or dot: that names directories. */
			if (glob[part] == '\0' || glob[part + 1] == '\0')
				return false;
		} else {
			if (is_dot_dot(glob, part) || here == 0 ||
			    !take_component(glob, part, pattern, sizeof(pattern)) ||
			    !take_component(path, here, name, sizeof(name)) ||
			    fnmatch(pattern, name, FNM_PERIOD) != 0)
				return false;
			memcpy(named, name, here);
			named += here;
			path += here;
			path += *path == '/';
			/* A slash at the pattern's end too. */
			if (glob[part] == '/' && glob[part + 1] == '\0')
				return false;
		}
		glob += part;
		if (*glob == '/') {
			*named++ = '/';
			glob++;
		}
	}
	*named = '\0';
	return *path == '\0';
}

/* From behind '{' or ',': the ',' or '}' that ends this alternative, or NULL if there is none. */
static const char *alternative_end(const char *at)
{
	unsigned depth = 0;

	for (; *at != '\0'; at++) {
		if (*at == '\\') {
			if (*++at == '\0')
				break;
		} else if (*at == '{') {
			depth++;
		} else if (*at == '}') {
			if (depth-- == 0)
				return at;
		} else if (*at == ',' && depth == 0) {
			return at;
		}
	}
	return NULL;
}

static const char *first_brace(const char *at)
{
	for (; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '{')
			return at;
	}
	return NULL;
}

int tct_expand_braces(const char *glob, int (*use)(void *context, const char *glob), void *context)
{
	const char *open = first_brace(glob);
	const char *close;

	if (open == NULL)
		return use(context, glob);
	close = open + 1;
	do {
		close = alternative_end(close);
	} while (close != NULL && *close++ == ',');
	if (close == NULL)
		return use(context, glob);

	size_t head = (size_t)(open - glob);
	size_t tail = strlen(close);
	TCT_AUTOFREE char *one = malloc(strlen(glob) + 1);

	if (one == NULL)
		return -ENOMEM;
	memcpy(one, glob, head);
	for (const char *from = open + 1; from < close;) {
		const char *end = alternative_end(from);
		size_t length;

		if (end == NULL)
			break;
		length = (size_t)(end - from);
		memcpy(one + head, from, length);
		memcpy(one + head + length, close, tail + 1);

		int result = tct_expand_braces(one, use, context);

		if (result < 0)
			return result;
		from = end + 1;
	}
	return 0;
}
