/*
 * The table of kernel keys: what each sysctl is, as facts. No code elsewhere may ask "which key is
 * it?"; it asks the table.
 */
#ifndef TCT_CORE_KERNEL_KEYS_H
#define TCT_CORE_KERNEL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/version.h"

/* The kernel's handler decides what a write may contain, the error and the rounding. */
enum tct_handler {
	TCT_HANDLER_INT,         /* proc_dointvec: any int32 */
	TCT_HANDLER_INT_RANGE,   /* proc_dointvec_minmax */
	TCT_HANDLER_U8,          /* proc_dou8vec_minmax */
	TCT_HANDLER_UINT,        /* proc_douintvec(_minmax) */
	TCT_HANDLER_SECONDS,     /* proc_dointvec_jiffies: seconds */
	TCT_HANDLER_MS,          /* proc_dointvec_ms_jiffies: rounded up to jiffies */
	TCT_HANDLER_ULONG,       /* proc_doulongvec_minmax */
	TCT_HANDLER_PORT_BITMAP, /* proc_do_large_bitmap */
	TCT_HANDLER_PORT_RANGE,  /* ip_local_port_range: a pair, all or nothing */
	TCT_HANDLER_WORD,        /* one name: congestion control, qdisc */
	TCT_HANDLER_WORDS,       /* a list of names */
	TCT_HANDLER_SECRET,      /* never read: tcp_fastopen_key */
};

/* The unit of the file in /proc/sys. */
enum tct_unit {
	TCT_UNIT_COUNT, /* a number of things, a flag, a bit mask, a mode */
	TCT_UNIT_BYTES,
	TCT_UNIT_PAGES,
	TCT_UNIT_S,
	TCT_UNIT_MS,
	TCT_UNIT_US,
	TCT_UNIT_NS,
	TCT_UNIT_PORT,
	TCT_UNIT_NAME, /* words */
};

enum tct_scope {
	TCT_SCOPE_NETNS, /* one value per network namespace */
	TCT_SCOPE_HOST,  /* one value, only (or only writable) in the initial namespace */
};

/* When a changed value begins to count. */
enum tct_effect {
	TCT_EFFECT_LIVE,      /* existing sockets included */
	TCT_EFFECT_TIMER,     /* when a timer is set: one that runs keeps its expiry */
	TCT_EFFECT_HANDSHAKE, /* connections made from now on; listeners need no restart */
	TCT_EFFECT_OPTION,    /* bounds a setsockopt(): what was set stays */
	TCT_EFFECT_SOCKET,    /* copied at socket(): listening sockets must be made again */
	TCT_EFFECT_LISTEN,    /* taken at listen() */
	TCT_EFFECT_NETNS,     /* read when a child namespace is made */
	TCT_EFFECT_QDISC,     /* queueing disciplines made from now on */
	TCT_EFFECT_INTERFACE, /* interfaces made from now on, or whose own value nobody set */
	TCT_EFFECT_NONE,      /* no effect on any kernel that still has the file */
};

/* Which value means "no limit", for at_least and at_most. */
enum tct_unlimited {
	TCT_UNLIMITED_NONE,
	TCT_UNLIMITED_NEGATIVE,
	TCT_UNLIMITED_ZERO,
};

enum { TCT_KEY_FIELDS_MAX = 3 };

struct tct_kernel_key {
	const char *name; /* "net.ipv4.tcp_rmem" */
	enum tct_handler handler;
	unsigned fields; /* 1..3 numbers; 1 for words and bitmaps */
	enum tct_unit unit;
	int64_t min; /* what the kernel accepts, per field; SECONDS: with HZ = 100, see value.h */
	int64_t max;
	int64_t sane_min; /* what tcptune writes: inside min..max, without the traps */
	int64_t sane_max;
	enum tct_scope scope;
	enum tct_effect effect;
	unsigned live_fields; /* bits of the fields that count at once, whatever `effect` says */
	int64_t late_bits;    /* of a bit mask: only these have `effect`, the others count at once;
				 0 = all have it */
	bool caps_accept_queue; /* listen() cuts its backlog to this */
	enum tct_unlimited unlimited;
	bool beyond_max;   /* ULONG: the kernel takes up to 2^64 - 1; we count to max */
	int64_t rounding;  /* the kernel may round a write up by less than this; 0 = exact or MS */
	bool read_only;    /* 0444 everywhere */
	bool ordered;      /* the fields must ascend: tcp_mem, tcp_rmem, tcp_wmem, port range */
	tct_version since; /* first version with the key; 0 = old, or not recorded */
	tct_version until; /* first version WITHOUT the key; 0 = still there */
	tct_version no_op_since; /* 0 = it works */
	bool default_known;      /* default_value is the built-in default on every kernel >=
				    default_since */
	int64_t default_value[TCT_KEY_FIELDS_MAX];
	tct_version default_since; /* 0 = always */
	/* Where that depends on the host: this part of another key's number, but no less than that.
	 */
	const char *default_part_of; /* NULL = not known */
	int64_t default_divisor;
	int64_t default_least;
	const char *default_text; /* for people: "4096 (128 before 5.4)" */
	const char *write_after;  /* key to write first when both rise, last when both fall; NULL =
				     none */
	bool write_first;         /* before all others: a write resets others */
	/*
	 * The kernel refuses a first number above the other key's first number, or below it, as
	 * that is at the moment of the write. NULL = it doesn't look at other keys.
	 */
	const char *refused_above;
	const char *refused_below;
	const char *also;   /* another file of the same variable; NULL = none */
	const char *module; /* without it, where it isn't built in, the key isn't there; NULL = none
			     */
	const char *summary; /* one line: what it is */
	const char *source;  /* kernel function or document */
};

/* All keys, sorted by name (byte order). */
extern const struct tct_kernel_key tct_kernel_keys[];
extern const size_t tct_kernel_keys_count;

/* Find a key by its dotted name; "net/ipv4/x" spelling too. NULL if not in the table. */
const struct tct_kernel_key *tct_kernel_key_find(const char *name);

/* Position in tct_kernel_keys. */
size_t tct_kernel_key_index(const struct tct_kernel_key *key);

/*
 * Does the kernel keep the fields of this vector apart, so that each may have any value of its own
 * history? Not where it takes them all at once because one limits the other, nor for bitmaps and
 * words.
 */
bool tct_kernel_key_fields_apart(const struct tct_kernel_key *key);

/*
 * Nearest full name in the table for a misspelling, or NULL. A name without its folder ("tcp_rmem")
 * or with a wrong one counts as misspelt.
 */
const char *tct_kernel_key_nearest(const char *name);

/*
 * Dotted or slashed name -> path below /proc/sys ("net/ipv4/conf/eth0.100/rp_filter"), as sysctl(8)
 * does: the first separator decides; if it is a dot, all dots and slashes are swapped. Returns 0,
 * -EINVAL (empty, a "." or ".." component, leading separator) or -ENAMETOOLONG; path is "" then.
 */
int tct_kernel_key_path(const char *name, char *path, size_t path_size);

/* The words of --help and JSON: "seconds", "bytes", "pages", "" for counts ... */
const char *tct_unit_name(enum tct_unit unit);

/* When does a change count, in words for people: "at the next listen()" ... */
const char *tct_effect_text(enum tct_effect effect);
/* The word of JSON: "live", "listen" ... */
const char *tct_effect_name(enum tct_effect effect);
/* What keeps the old value: "open connections" ...; NULL where nothing does. */
const char *tct_effect_keeps(enum tct_effect effect);

#endif
