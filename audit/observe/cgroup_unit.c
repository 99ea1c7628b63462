#include <stdio.h>
#include <string.h>

#include "audit/observe/cgroups.h"
#include "core/mem.h"
#include "core/text.h"

enum {
	ID_SHORT = 12,
	ID_FULL = 64,
};

/* A part of a path: text[0..length). */
struct part {
	const char *text;
	size_t length;
};

enum id_form {
	ID_HEX,     /* at least 12 hex digits, cut to 12 */
	ID_HEX_64,  /* nothing but an id, so it must be a whole one */
	ID_NAME,    /* anything */
	ID_ESCAPED, /* a name with systemd's \xNN */
};

/* How a part names a container: prefix ID suffix, below a parent if there is one. */
struct rule {
	const char *parent; /* NULL = any */
	const char *prefix;
	const char *suffix;
	enum id_form form;
	const char *runtime;
};

static const struct rule rules[] = {
	/* systemd's cgroup driver: RUNTIME-ID.scope in a slice */
	{ NULL, "docker-", ".scope", ID_HEX, "docker" },
	{ NULL, "cri-containerd-", ".scope", ID_HEX, "containerd" },
	{ NULL, "nerdctl-", ".scope", ID_HEX, "containerd" },
	{ NULL, "crio-", ".scope", ID_HEX, "crio" },
	{ NULL, "libpod-", ".scope", ID_HEX, "podman" },
	/* The cgroupfs driver: a folder of the runtime's, or the pod's */
	{ "docker", "", "", ID_HEX_64, "docker" },
	{ NULL, "crio-", "", ID_HEX, "crio" },
	{ NULL, "libpod-", "", ID_HEX, "podman" },
	{ NULL, "", "", ID_HEX_64, "container" },
	/* Systems in a container, and virtual machines */
	{ NULL, "lxc.payload.", "", ID_NAME, "lxc" },
	{ "lxc", "", "", ID_NAME, "lxc" },
	{ "machine.slice", "machine-", ".scope", ID_ESCAPED, "machine" },
	{ "machine.slice", "systemd-nspawn@", ".service", ID_ESCAPED, "machine" },
};

static bool part_is(struct part part, const char *text)
{
	return part.length == strlen(text) && memcmp(part.text, text, part.length) == 0;
}

static bool part_starts(struct part part, const char *start)
{
	return part.length >= strlen(start) && memcmp(part.text, start, strlen(start)) == 0;
}

static bool part_ends(struct part part, const char *end)
{
	const size_t length = strlen(end);

	return part.length >= length && memcmp(part.text + part.length - length, end, length) == 0;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool is_id(struct part part, enum id_form form)
{
	if (form == ID_NAME || form == ID_ESCAPED)
		return part.length > 0;
	if (form == ID_HEX_64 ? part.length != ID_FULL : part.length < ID_SHORT)
		return false;
	for (size_t i = 0; i < part.length; i++) {
		if (hex_digit(part.text[i]) < 0)
			return false;
	}
	return true;
}

/* "qemu\x2d1\x2dweb" is "qemu-1-web" to machinectl. In place; returns the new length. */
static size_t unescape(char *name, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (length - i >= 4 && name[i] == '\\' && name[i + 1] == 'x' &&
		    hex_digit(name[i + 2]) >= 0 && hex_digit(name[i + 3]) >= 0) {
			name[used++] = (char)(hex_digit(name[i + 2]) << 4 | hex_digit(name[i + 3]));
			i += 3;
		} else {
			name[used++] = name[i];
		}
	}
	return used;
}

static void write_container(const char *runtime, struct part id, enum id_form form, char unit[128])
{
	char name[256];
	size_t length = id.length;
	size_t start;

	if (form == ID_HEX || form == ID_HEX_64)
		length = ID_SHORT;
	if (length > sizeof(name))
		length = sizeof(name);
	memcpy(name, id.text, length);
	if (form == ID_ESCAPED)
		length = unescape(name, length);
	start = (size_t)snprintf(unit, 128, "%s:", runtime);
	tct_text_printable(unit + start, 128 - start, name, length);
}

/*
 * "kubepods-burstable-pod1.slice:cri-containerd:ID": a runtime that was given a systemd cgroup but
 * makes its folders itself.
 */
static bool match_colons(struct part part, char unit[128])
{
	static const struct {
		const char *marker;
		const char *runtime;
	} drivers[] = {
		{ ":cri-containerd:", "containerd" },
		{ ":containerd:", "containerd" },
		{ ":docker:", "docker" },
		{ ":crio:", "crio" },
		{ ":libpod:", "podman" },
	};

	for (size_t i = 0; i < TCT_COUNT(drivers); i++) {
		const char *at = memmem(part.text, part.length, drivers[i].marker,
					strlen(drivers[i].marker));
		struct part id;

		if (at == NULL)
			continue;
		id.text = at + strlen(drivers[i].marker);
		id.length = (size_t)(part.text + part.length - id.text);
		if (!is_id(id, ID_HEX))
			continue;
		write_container(drivers[i].runtime, id, ID_HEX, unit);
		return true;
	}
	return false;
}

static bool match_container(struct part part, struct part parent, char unit[128])
{
	for (size_t i = 0; i < TCT_COUNT(rules); i++) {
		const struct rule *rule = &rules[i];
		const size_t prefix = strlen(rule->prefix);
		const size_t suffix = strlen(rule->suffix);
		struct part id;

		if (rule->parent != NULL && !part_is(parent, rule->parent))
			continue;
		if (part.length < prefix + suffix || !part_starts(part, rule->prefix) ||
		    !part_ends(part, rule->suffix))
			continue;
		id = (struct part){ part.text + prefix, part.length - prefix - suffix };
		if (!is_id(id, rule->form))
			continue;
		write_container(rule->runtime, id, rule->form, unit);
		return true;
	}
	return match_colons(part, unit);
}

static bool is_unit(struct part part)
{
	/* ".service" alone is no name. */
	return (part_ends(part, ".service") && part.length > strlen(".service")) ||
	       (part_ends(part, ".scope") && part.length > strlen(".scope"));
}

/* The units met on the way in. */
struct units {
	struct part manager; /* user@1000.service */
	struct part inner;
};

static void note_unit(struct units *units, struct part part)
{
	if (part_starts(part, "user@") && part_ends(part, ".service"))
		*units = (struct units){ .manager = part };
	else if (units->manager.text == NULL || !part_is(part, "init.scope"))
		units->inner = part; /* a user's init.scope is the manager itself */
}

static enum tct_cgroup_kind write_unit(const struct units *units, char unit[128])
{
	size_t used = 0;

	if (units->manager.text == NULL && units->inner.text == NULL)
		return TCT_CGROUP_OTHER;
	if (units->manager.text != NULL) {
		tct_text_printable(unit, 128, units->manager.text, units->manager.length);
		used = strlen(unit);
	}
	if (units->manager.text != NULL && units->inner.text != NULL && used < 126)
		unit[used++] = '/';
	if (units->inner.text != NULL)
		tct_text_printable(unit + used, 128 - used, units->inner.text, units->inner.length);
	return TCT_CGROUP_UNIT;
}

enum tct_cgroup_kind tct_cgroup_unit(const char *path, char unit[128])
{
	struct units units = { 0 };
	struct part parent = { "", 0 };
	bool container = false;

	unit[0] = '\0';
	for (const char *at = path; *at != '\0';) {
		struct part part;

		at += strspn(at, "/");
		part = (struct part){ at, strcspn(at, "/") };
		at += part.length;
		if (part.length == 0)
			continue;
		if (match_container(part, parent, unit))
			container = true; /* the innermost stays */
		else if (is_unit(part))
			note_unit(&units, part);
		parent = part;
	}
	return container ? TCT_CGROUP_CONTAINER : write_unit(&units, unit);
}
