/*
 * Snapshots: observations as one JSON document (schema tcptune.snapshot.v1), saved here, judged
 * anywhere. What is in the observation is in the snapshot, exactly; nothing of the host that loads
 * it gets in. A snapshot is hostile input: it is checked field by field, and its memory is bounded.
 *
 * A member that this tcptune doesn't know is ignored: a newer one of the same schema may have
 * written it. A kernel key or counter that it doesn't know is kept out and noted as a gap. A newer
 * schema is refused.
 */
#ifndef TCT_AUDIT_OBSERVE_SNAPSHOT_H
#define TCT_AUDIT_OBSERVE_SNAPSHOT_H

#include <jansson.h>

#include "audit/observe/observation.h"

#define TCT_SNAPSHOT_SCHEMA "tcptune.snapshot.v1"

enum {
	TCT_SNAPSHOT_BYTES_MAX = 64 << 20,
	TCT_SNAPSHOT_OBSERVATIONS_MAX = 65536,
	TCT_SNAPSHOT_NAMESPACES_MAX = 512, /* that are saved: they fit into TCT_SNAPSHOT_BYTES_MAX
					    */
};

struct tct_snapshot {
	char tcptune[64];                      /* version that made it */
	char *variables;                       /* owned; that host's variables.yaml, NULL = none */
	struct tct_observation **observations; /* owned; one for each namespace looked at */
	size_t observations_count;
	size_t observations_capacity;
};

/* Add an observation, which is the snapshot's in either case. 0 or -ENOMEM. */
int tct_snapshot_add(struct tct_snapshot *snapshot, struct tct_observation *observation);

/* The document of a snapshot; tcptune and variables as above. NULL on ENOMEM. Owned by the caller.
 */
json_t *tct_snapshot_json(const struct tct_snapshot *snapshot);

/*
 * The document as the text of a file: ASCII, ends with a line break. Owned by the caller; NULL on
 * ENOMEM.
 */
char *tct_snapshot_text(const json_t *document, size_t *length);

/*
 * Read a JSON document of at most TCT_SNAPSHOT_BYTES_MAX from a file, a FIFO, or "-" (standard
 * input). *document is owned by the caller. Errors: INPUT with the file, and line and column where
 * the text is no JSON; REFUSED/ENOMEM.
 */
int tct_document_read(const char *file, json_t **document, struct tct_err *err);

/* The same of text[0..length); file is for messages. */
int tct_document_parse(const char *file, const char *text, size_t length, json_t **document,
		       struct tct_err *err);

/* The document's "schema", "" if it has none. */
const char *tct_document_schema(const json_t *document);

/*
 * Take a snapshot out of a document; host.source of its observations is SNAPSHOT. *snapshot is
 * empty before; release it with tct_snapshot_done in either case. Errors: INPUT with the file (for
 * messages) and the member that is wrong; REFUSED/ENOMEM.
 */
int tct_snapshot_from_json(const char *file, const json_t *document, struct tct_snapshot *snapshot,
			   struct tct_err *err);

/* Both steps. */
int tct_snapshot_load(const char *file, struct tct_snapshot *snapshot, struct tct_err *err);

void tct_snapshot_done(struct tct_snapshot *snapshot);

#endif
