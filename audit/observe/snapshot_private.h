/*
 * What the parts of snapshots share. Nobody else includes this, but tests that make observations.
 *
 * Each struct of the observation has a table of its members, which drives both directions; so what
 * is saved is what is loaded. tests/structure/check_snapshot.sh refuses a member without a row.
 */
#ifndef TCT_AUDIT_OBSERVE_SNAPSHOT_PRIVATE_H
#define TCT_AUDIT_OBSERVE_SNAPSHOT_PRIVATE_H

#include "audit/observe/snapshot.h"

enum tct_member_kind {
	TCT_MEMBER_TEXT,    /* char[size] */
	TCT_MEMBER_BOOL,    /* bool */
	TCT_MEMBER_NUMBER,  /* signed, of 4 or 8 bytes, min..max */
	TCT_MEMBER_NATURAL, /* unsigned, of 2, 4 or 8 bytes */
	TCT_MEMBER_CHOICE,  /* an enum by name */
	TCT_MEMBER_PART,    /* another struct */
	TCT_MEMBER_PARTS,   /* an array of structs, each by name */
	TCT_MEMBER_COUNTS,  /* an array of numbers, each by name */
	TCT_MEMBER_IDLE,    /* the counts of a population by idle time */
};

struct tct_member {
	const char *name;
	enum tct_member_kind kind;
	size_t offset;
	size_t size;
	int64_t min; /* of NUMBER and COUNTS */
	int64_t max;
	const char *const *names; /* of CHOICE, PARTS and COUNTS; NULL = a number not in use */
	size_t names_count;
	size_t names_later; /* of PARTS: older snapshots may lack those from here on, which stay
			       as they are; 0 = each must be there */
	const struct tct_part *part; /* of PART and PARTS */
	bool later; /* older snapshots of this schema lack it: then it is empty, and a number... */
	int64_t absent; /* ... is this */
};

/* A struct and its members. */
struct tct_part {
	const struct tct_member *members;
	size_t count;
	size_t size; /* sizeof the struct */
};

extern const struct tct_part tct_part_host;
extern const struct tct_part tct_part_sysctl; /* but its value */
extern const struct tct_part tct_part_counter;
extern const struct tct_part tct_part_owner_group;
extern const struct tct_part tct_part_peer;
extern const struct tct_part tct_part_interface;
extern const struct tct_part tct_part_destination;
extern const struct tct_part tct_part_listener;
extern const struct tct_part tct_part_gap;
/* Those of the observation itself that are plain: no pointers. */
extern const struct tct_part tct_part_observation;

/* Where a value stands in the document, for messages: a chain on the stack. */
struct tct_where {
	const struct tct_where *above; /* NULL = the document */
	const char *name;              /* NULL: the item `index` of a list */
	size_t index;
};

struct tct_loading {
	const char *file;
	struct tct_err *err;
};

/* INPUT, "FILE: observations[0].host.cpus: ...". Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int tct_loading_fail(const struct tct_loading *loading,
							   const struct tct_where *where,
							   const char *format, ...);

/* An owned string of any bytes: text, or {"hex": "..."} where they aren't UTF-8; null for NULL. */
json_t *tct_bytes_json(const char *text);
/* The inverse. *text is owned by the caller, NULL for null. */
int tct_bytes_from_json(const struct tct_loading *loading, const struct tct_where *where,
			const json_t *json, char **text);

/* An object of the part's members. NULL on ENOMEM. */
json_t *tct_part_json(const struct tct_part *part, const void *data);
/* The inverse; data is as a new observation has it. 0 or -errno. */
int tct_part_from_json(const struct tct_loading *loading, const struct tct_where *where,
		       const json_t *json, const struct tct_part *part, void *data);

/* A member of an object that must be there and of this type. NULL: *error is set. */
const json_t *tct_loading_member(const struct tct_loading *loading, const struct tct_where *where,
				 const json_t *object, const char *name, json_type type,
				 int *error);

/* snapshot_files.c: the sysctl files; null for NULL. */
json_t *tct_snapshot_files_json(const struct tct_sysctl_files *files);
int tct_snapshot_files_from_json(const struct tct_loading *loading, const struct tct_where *where,
				 const json_t *json, struct tct_sysctl_files **out);

/* snapshot_load.c: one observation. */
int tct_observation_from_json(const struct tct_loading *loading, const struct tct_where *where,
			      const json_t *json, struct tct_observation *observation);

#endif
