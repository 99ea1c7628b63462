/*
 * The journal: an append-only, checksummed record of every transaction, fsynced before each step
 * that it describes. It lives in /var/lib/tcptune/journal below the root. One line per record:
 * checksum, blank, JSON.
 */
#ifndef TCT_TUNE_JOURNAL_H
#define TCT_TUNE_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/observe/netns.h"
#include "core/err.h"
#include "core/root.h"
#include "core/value.h"

enum tct_transaction_kind {
	TCT_TRANSACTION_APPLY,
	TCT_TRANSACTION_ROLLBACK,
	TCT_TRANSACTION_CONFIRM, /* keeps an apply that waits for it, and writes its drop-in */
};

enum tct_transaction_state {
	TCT_TRANSACTION_OPEN, /* begun, no end record: interrupted, unless it runs right now */
	TCT_TRANSACTION_COMMITTED,
	TCT_TRANSACTION_UNDONE,  /* failed or recovered: everything was put back */
	TCT_TRANSACTION_STUCK,   /* failed, and something could not be put back */
	TCT_TRANSACTION_WAITING, /* the live values are written; unless it is confirmed in time,
				    they go back */
};

/* What puts a transaction back that isn't confirmed in time. */
enum tct_guard {
	TCT_GUARD_NONE,
	TCT_GUARD_SYSTEMD, /* a timer of it */
	TCT_GUARD_PROCESS, /* in a session of its own */
};

struct tct_journal_key {
	const struct tct_kernel_key *key;
	struct tct_value before;      /* live value found; NONE = live not touched */
	struct tct_value after;       /* live value wanted; NONE = live not touched */
	struct tct_value boot_before; /* our drop-in's line before; NONE = none */
	struct tct_value boot_after;  /* our drop-in's line after; NONE = none */
	bool live_owned;              /* after this transaction the live value is ours */
	struct tct_value baseline; /* live value without tcptune, as known then; NONE = not known */
	char *because;             /* comment of the drop-in's line; NULL = none */
	bool left;  /* ROLLBACK: a conflict, left alone; `rollback --force` may come back to it */
	bool stuck; /* STUCK: this live value could not be put back */
	unsigned gaps; /* fields, a bit each (of a whole value the first), whose value before was
			  written by one that is dropped from the journal, though older ones are
			  kept: as if it had found theirs */
};

struct tct_transaction {
	uint64_t id;
	enum tct_transaction_kind kind;
	enum tct_transaction_state state;
	uint64_t undoes;       /* ROLLBACK: the transaction it undid; 0 */
	uint64_t undone_by;    /* the rollback that undid it; 0 */
	uint64_t confirms;     /* CONFIRM: the apply that it keeps; 0 */
	uint64_t confirmed_by; /* the CONFIRM that kept it; 0 */
	int64_t time_ns;       /* CLOCK_REALTIME at its beginning */
	char *profiles;        /* "highconn", "base,proxy"; NULL = none */
	json_t *profile_names; /* the same as a list of texts, whatever is in them; NULL = an older
				  tcptune wrote it */
	char *profile_sha256;
	json_t *variables; /* overrides it was applied with, those of variables.yaml
			      too: {name: text} */
	json_t *sets;      /* keys asked for one by one, {key: text}: its own and those that it
			      carries on from the one before; NULL = none */
	bool additive;     /* --set alone: it says nothing of keys that it doesn't name */
	json_t *asked;     /* additive: of sets those of its own; NULL = none */
	uint64_t carries; /* additive: the one before, whose profiles, variables and sets it carries
			     on; 0 = none */
	char *version;    /* of the tcptune that wrote it; NULL = not known */
	char *reason;     /* NULL = none */
	char *user;       /* "root", with SUDO_USER "alice (root)" */
	char boot_id[40];
	struct tct_netns netns;
	bool live;
	bool persisted; /* the drop-in is part of it */
	/*
	 * --confirm-within: how long (0 = not asked for), and until when by CLOCK_BOOTTIME of
	 * boot_id, which decides, and by CLOCK_REALTIME as it was then, for people.
	 */
	int64_t confirm_within_ns;
	int64_t deadline_boottime_ns;
	int64_t deadline_ns;
	/* The drop-in isn't written before the CONFIRM; boot_after is what is planned. */
	bool deferred;
	enum tct_guard guard; /* not in the journal: what was armed for it just now */
	/* Names in our modules-load.d file, joined by blanks; NULL = no file. */
	char *modules_before;
	char *modules_after;
	char drop_in_before_sha256[65]; /* "" = no file */
	char drop_in_after_sha256[65];
	char *error;       /* UNDONE, STUCK: why */
	bool drop_in_left; /* ROLLBACK: somebody had edited the drop-in, or our modules-load.d file;
			      it was left alone */
	bool drop_in_stuck; /* STUCK: the drop-in could not be put back */
	bool modules_stuck; /* STUCK: nor could our modules-load.d file */
	struct tct_journal_key *keys;
	size_t keys_count;
	size_t keys_capacity;
};

void tct_transaction_done(struct tct_transaction *transaction);

struct tct_journal {
	struct tct_transaction *transactions; /* ascending ids */
	size_t transactions_count;
	size_t transactions_capacity;
	uint64_t next_id;
	bool torn;           /* the last record was cut off and is left out */
	int64_t good_length; /* bytes of whole records; what is behind is torn */
	int64_t file_length; /* bytes of the file, a torn end included */
	bool writable;
	int write_error; /* -errno: it was to be written, but can only be read; 0 = not so */
	int fd;          /* -1 = read only, or not made yet */
	char path[300];
};

#define TCT_JOURNAL_DIR "/var/lib/tcptune"
#define TCT_JOURNAL_PATH TCT_JOURNAL_DIR "/journal"

/*
 * Read the journal (absent: empty). A torn last record is left out; damage before the end is an
 * error that names the line (INPUT). writable: open it for appending (folder and file are made when
 * the first record is written, not before) and cut a torn tail off at the first append. What can't
 * be written here (a read-only file system, an immutable file) is read all the same: the first
 * record is refused then, and who has nothing to write never meets it.
 */
int tct_journal_open(const struct tct_root *root, bool writable, struct tct_journal **out,
		     struct tct_err *err);
void tct_journal_free(struct tct_journal *journal);

/* Could a record be appended? Looks, writes nothing. Errors: REFUSED, as those of _begin. */
int tct_journal_may_write(const struct tct_journal *journal, const struct tct_root *root,
			  struct tct_err *err);

/* Append a begin record and fsync; sets transaction->id. The journal keeps a copy. */
int tct_journal_begin(struct tct_journal *journal, const struct tct_root *root,
		      struct tct_transaction *transaction, struct tct_err *err);
/*
 * Append the end record (committed, undone, stuck) and fsync; "waiting" is an end that another end
 * follows. A CONFIRM that is committed ends what it confirms, too. error may be NULL. STUCK: what
 * is marked stuck in the journal's own copy of the transaction goes along. On failure the record is
 * cut off again, so that the transaction stays open.
 */
int tct_journal_end(struct tct_journal *journal, uint64_t id, enum tct_transaction_state state,
		    const char *error, struct tct_err *err);

struct tct_transaction *tct_journal_find(const struct tct_journal *journal, uint64_t id);

/* Same namespace? Initial ones by being initial, others by cookie (or inode) and boot id. */
bool tct_transaction_in(const struct tct_transaction *transaction, const struct tct_netns *netns,
			const char *boot_id);

/* Does it stand: an apply that is committed, waiting (or stuck, in part) and not undone? */
bool tct_transaction_stands(const struct tct_transaction *transaction);
/* Does it wait to be confirmed? Its deadline may have passed. */
bool tct_transaction_waits(const struct tct_transaction *transaction);
/*
 * Does it stand and tell the whole state: what it doesn't name is not ours after it? It tells that
 * of the live values where `live`, and of the drop-in where it has lines.
 */
bool tct_transaction_rules(const struct tct_transaction *transaction);
/* Are its keys' lines those of the drop-in after it? */
bool tct_transaction_has_lines(const struct tct_transaction *transaction);
/* Its part about this key; NULL = none. */
const struct tct_journal_key *tct_transaction_key(const struct tct_transaction *transaction,
						  const struct tct_kernel_key *key);
/* Did it change the drop-in? */
bool tct_transaction_changed_drop_in(const struct tct_transaction *transaction);

/* Did it change our modules-load.d file? */
bool tct_transaction_changed_modules(const struct tct_transaction *transaction);

/* Did the rollback that undid it leave conflicts alone? Returns that rollback, or NULL. */
const struct tct_transaction *tct_journal_left_over(const struct tct_journal *journal,
						    const struct tct_transaction *transaction);

/* The newest apply in this namespace that stands; NULL = none. */
struct tct_transaction *tct_journal_newest(const struct tct_journal *journal,
					   const struct tct_netns *netns, const char *boot_id);
/* The newest interrupted transaction, any namespace; NULL = none. */
struct tct_transaction *tct_journal_interrupted(const struct tct_journal *journal);

/* The one that waits to be confirmed in this namespace; NULL = none. */
struct tct_transaction *tct_journal_waiting(const struct tct_journal *journal,
					    const struct tct_netns *netns, const char *boot_id);

/*
 * What is ours now, key by key, after all transactions that stand: live values in this namespace,
 * lines of the drop-in (there is only one) from wherever they were written.
 */
struct tct_owned {
	const struct tct_kernel_key *key;
	uint64_t transaction; /* the newest that has the key */
	bool live;
	struct tct_value written;  /* live value we wrote */
	struct tct_value baseline; /* live value before our first change */
	bool boot;
	struct tct_value boot_value; /* line of our drop-in */
	const char *profiles;        /* borrowed from the journal */
	const char *because;         /* the same; NULL = none */
};
struct tct_owned_set {
	struct tct_owned *items;
	size_t items_count;
	size_t items_capacity;
	const struct tct_transaction *drop_in; /* the newest that has lines in the drop-in; NULL =
						  none. Borrowed */
	const struct tct_transaction *written; /* the newest of those that gave it another text, or
						  their first. Borrowed */
	char *modules; /* names in our modules-load.d file, joined by blanks, sorted; owned, NULL =
			  there is none */
};
/* without: as if this transaction had never been (0 = all count). Items are sorted by key name. 0
 * or -ENOMEM. */
int tct_journal_owned(const struct tct_journal *journal, const struct tct_netns *netns,
		      const char *boot_id, uint64_t without, struct tct_owned_set *owned);
/* The part of tct_journal_owned that is about the modules-load.d file; after its lines. 0 or
 * -ENOMEM. */
int tct_journal_owned_modules(const struct tct_journal *journal, uint64_t without,
			      struct tct_owned_set *owned);
const struct tct_owned *tct_owned_find(const struct tct_owned_set *owned,
				       const struct tct_kernel_key *key);
/* The key's line of our drop-in by this set; of kind NONE = it has none. */
const struct tct_value *tct_owned_line(const struct tct_owned_set *owned,
				       const struct tct_kernel_key *key);
void tct_owned_set_done(struct tct_owned_set *owned);

#endif
