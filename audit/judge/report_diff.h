/*
 * What changed between two audit documents (tcptune.audit.v1): findings matched by id and subject,
 * values, states, listeners. A saved document is hostile input: it is checked before it is
 * compared.
 */
#ifndef TCT_AUDIT_JUDGE_REPORT_DIFF_H
#define TCT_AUDIT_JUDGE_REPORT_DIFF_H

#include <jansson.h>

#include "audit/observe/observation.h"
#include "audit/rules/profile.h"

#define TCT_AUDIT_SCHEMA "tcptune.audit.v1"

/* In the order of what matters. */
enum tct_change {
	TCT_CHANGE_NEW,
	TCT_CHANGE_WORSE,   /* its severity rose */
	TCT_CHANGE_UNCLEAR, /* it is gone, but its rule was not judged any more: see note */
	TCT_CHANGE_BETTER,  /* its severity fell */
	TCT_CHANGE_FIXED,
	TCT_CHANGE_SAME,
	TCT_CHANGE_LIMIT,
};

/* "new", "worse" ... */
const char *tct_change_name(enum tct_change change);

/* One of the two documents; everything is borrowed from it. */
struct tct_side {
	const char *file;     /* as it was given */
	const char *kind;     /* "snapshot", "audit" */
	const char *hostname; /* NULL = not known, here and below */
	const char *kernel;
	const char *boot_id;
	const char *taken_at;
	const json_t *profiles;
	const json_t *document;
};

struct tct_finding_change {
	enum tct_change change;
	const char *netns; /* the namespace's name, NULL = the own one, here and below */
	const char *id;
	const char *subject; /* NULL = the host */
	const char *cause;
	const char *title;             /* of the later one that has it */
	enum tct_severity severity[2]; /* before and after; LIMIT = it isn't there */
	char note[240]; /* why it may have been there before, or still be there; "" = none */
};

enum tct_value_place {
	TCT_VALUE_LIVE,
	TCT_VALUE_SYSTEMD, /* at the next boot */
	TCT_VALUE_PROCPS,
	TCT_VALUE_PLACES,
};

/* A kernel key of which at least one value changed. */
struct tct_key_change {
	const char *key;
	const json_t *value[TCT_VALUE_PLACES][2]; /* NULL = none */
	bool changed[TCT_VALUE_PLACES];
};

/* Those who listen at one address and port. */
struct tct_endpoint {
	const char *family;
	const char *address;
	int64_t port;
	size_t sockets;    /* 0 = nobody listens */
	int64_t backlog;   /* of the first; -1 = not known */
	const char *owner; /* unit, else process; NULL = not known */
};

struct tct_listener_change {
	const char *netns;
	struct tct_endpoint side[2];
};

/* A network namespace that only one of the sides has. */
struct tct_namespace_change {
	const char *name;
	bool came; /* else it went */
};

struct tct_diff {
	struct tct_side side[2];
	struct tct_finding_change *findings; /* by change, then worst first */
	size_t findings_count;
	size_t findings_capacity;
	size_t by_change[TCT_CHANGE_LIMIT];
	struct tct_key_change *keys;
	size_t keys_count;
	size_t keys_capacity;
	struct tct_listener_change *listeners;
	size_t listeners_count;
	size_t listeners_capacity;
	int64_t states[2][TCT_STATE_LIMIT];      /* -1 = not known */
	bool everywhere[2];                      /* the side tells of all network namespaces */
	struct tct_namespace_change *namespaces; /* only if both do */
	size_t namespaces_count;
	size_t namespaces_capacity;
};

/*
 * Fill a side from a document. Errors: INPUT with side->file and the member that is wrong. The
 * document must outlive the side.
 */
int tct_side_init(struct tct_side *side, const char *file, const char *kind, const json_t *document,
		  struct tct_err *err);

/* Compare. *diff is empty before; both documents must outlive it. REFUSED/ENOMEM, INPUT as before.
 */
int tct_diff_make(const struct tct_side *before, const struct tct_side *after,
		  struct tct_diff *diff, struct tct_err *err);
void tct_diff_done(struct tct_diff *diff);

/* The document tcptune.diff.v1. NULL on ENOMEM. Owned by the caller. */
json_t *tct_diff_json(const struct tct_diff *diff);

#endif
