/*
 * The sysctl.d reader: every assignment in sysctl.d directories and /etc/sysctl.conf with its
 * place, and the boot winner of each key under the two appliers that exist: systemd-sysctl and
 * procps `sysctl --system`.
 */
#ifndef TCT_AUDIT_OBSERVE_SYSCTL_FILES_H
#define TCT_AUDIT_OBSERVE_SYSCTL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/kernel_keys.h"
#include "core/root.h"
#include "core/value.h"

enum tct_boot_model {
	TCT_BOOT_SYSTEMD,
	TCT_BOOT_PROCPS,
	TCT_BOOT_MODELS, /* number of models; also "can't be told" */
};

/* "systemd", "procps". */
const char *tct_boot_model_name(enum tct_boot_model model);

/* One assignment (or exclusion) as it stands in a file. */
struct tct_file_line {
	const char *file; /* as on the host: "/etc/sysctl.d/10-x.conf"; borrowed from the files */
	unsigned line;    /* 1-based */
	char *key;        /* canonical dotted name (or pattern): the first separator decides */
	char *value;      /* trimmed, otherwise as written, but a secret's digits; NULL for "-key"
			     without '=' */
	const struct tct_kernel_key *known; /* the table's entry, NULL = not in the table */
	bool is_pattern;
	bool ignore_errors; /* "-key = value" */
	bool ours;          /* in our own drop-in */
	bool vendor;        /* below /usr or /lib: a package's, not the administrator's */
	unsigned read_by;   /* bit mask 1 << tct_boot_model: which applier reads this line at all */
	unsigned wins;      /* bit mask: under which model this line is its key's boot winner */
	size_t twin; /* 1 + index of the same line under its file's own name, if this one was read
			through a link (Debian's 99-sysctl.conf); 0 = none. The twin's `wins` has
			this one's too */
	/* for known keys: what the kernel makes of it */
	enum tct_write_outcome outcome;
	struct tct_value stored;
	char reason[160];
};

/* A line or file that an applier can't use: "no '='", "longer than 1 MiB". */
struct tct_file_fault {
	const char *file;
	unsigned line;    /* 0 = the whole file */
	unsigned affects; /* mask of models */
	bool unread;      /* we may not read it: what it sets is not known */
	char what[160];
};

struct tct_sysctl_files {
	char **paths; /* owned; every file looked at */
	size_t paths_count;
	size_t paths_capacity;
	/*
	 * In file order, files in merge order, then /etc/sysctl.conf, then systemd's credential
	 * sysctl.extra. A file that is read under two paths has its lines twice; a line that the
	 * two appliers take apart differently stands once for each. read_by 0: hidden by our
	 * drop-in, counts only without it.
	 */
	struct tct_file_line *lines;
	size_t lines_count;
	size_t lines_capacity;
	struct tct_file_fault *faults;
	size_t faults_count;
	size_t faults_capacity;
	void *index; /* private */
};

/* Path of our own drop-in. */
#define TCT_DROP_IN_DIR "/etc/sysctl.d"
#define TCT_DROP_IN_NAME "99-tcptune.conf"
#define TCT_DROP_IN_PATH TCT_DROP_IN_DIR "/" TCT_DROP_IN_NAME

/*
 * Read all files below root. Unreadable files become faults. *out is owned by the caller.
 * Errors: REFUSED/ENOMEM; INPUT/EFBIG beyond 16 MiB in sum, 8192 files, 65536 settings or 1024
 * patterns.
 */
int tct_sysctl_files_read(const struct tct_root *root, struct tct_sysctl_files **out,
			  struct tct_err *err);
void tct_sysctl_files_free(struct tct_sysctl_files *files);

/*
 * For snapshots: what the files said, line by line; the rest follows from it. A line is taken out
 * with tct_sysctl_files_said and put into files that were begun anew; texts are borrowed.
 */
struct tct_line_said {
	size_t file; /* index in paths */
	unsigned line;
	const char *path;        /* below /proc/sys: "net/ipv4/tcp_rmem"; or a pattern */
	const char *procps_path; /* as procps spells it, NULL = the same */
	const char *value;       /* NULL for "-key" without '=' */
	bool ignore_errors;
	unsigned read_by;      /* masks of models: who reads it, */
	unsigned without_ours; /* and who does if our drop-in is not there */
	size_t twin;           /* as in struct tct_file_line */
};

void tct_sysctl_files_said(const struct tct_sysctl_files *files, size_t line,
			   struct tct_line_said *said);
/* Index in paths of a `file` that a line or fault borrows. */
size_t tct_sysctl_files_path_index(const struct tct_sysctl_files *files, const char *path);

/*
 * Files again from what they said: begin, every path, every line and fault in order, end. Errors:
 * INPUT for what no reader can have found (a file's index or a mask out of range, a path that is
 * empty or longer than any key's), and as tct_sysctl_files_read; REFUSED/ENOMEM.
 */
int tct_sysctl_files_begin(struct tct_sysctl_files **out, struct tct_err *err);
int tct_sysctl_files_add_path(struct tct_sysctl_files *files, const char *path,
			      struct tct_err *err);
int tct_sysctl_files_add_line(struct tct_sysctl_files *files, const struct tct_line_said *said,
			      struct tct_err *err);
int tct_sysctl_files_add_fault(struct tct_sysctl_files *files, size_t file,
			       const struct tct_file_fault *fault, struct tct_err *err);
int tct_sysctl_files_end(struct tct_sysctl_files *files, struct tct_err *err);

/*
 * The line that decides the value of `key` (any concrete dotted name) at the next boot under
 * `model`, globs and exclusions considered; NULL = no file sets it. without_ours: as if our drop-in
 * were not there (the baseline).
 */
const struct tct_file_line *tct_sysctl_files_winner(const struct tct_sysctl_files *files,
						    const char *key, enum tct_boot_model model,
						    bool without_ours);

/*
 * The typed value that `key` has after boot under `model`: the winner's, and where the kernel
 * refuses the winner (or takes only some fields), what the lines before it leave (procps writes
 * every line, systemd only the winner); what it refuses because of another key's value is told,
 * too, by the order in which both are written. Fields that no file sets are taken from `otherwise`
 * (may be NULL: then the result counts as not known). Returns 1 and fills *value (empty before) if
 * known, 0 if no file decides it, or -errno.
 */
int tct_sysctl_files_value(const struct tct_sysctl_files *files, const struct tct_kernel_key *key,
			   enum tct_boot_model model, bool without_ours,
			   const struct tct_value *otherwise, struct tct_value *value);

/*
 * The same, and *last is the line whose write was the last to take effect; NULL = none was. It is
 * not the winner where the kernel refuses that one, and set where a field stays unknown, too.
 */
int tct_sysctl_files_outcome(const struct tct_sysctl_files *files, const struct tct_kernel_key *key,
			     enum tct_boot_model model, bool without_ours,
			     const struct tct_value *otherwise, struct tct_value *value,
			     const struct tct_file_line **last);

/*
 * The same files with text as our drop-in (NULL = without it), whatever it is now. *out is owned by
 * the caller, its lines' files are its own; faults are left out. Errors: as tct_sysctl_files_read.
 */
int tct_sysctl_files_with_ours(const struct tct_sysctl_files *files, const char *text,
			       struct tct_sysctl_files **out, struct tct_err *err);

/*
 * Which applier this root boots with: live: /run/systemd/system exists -> systemd, else procps. In
 * a DIR: by which program is installed; both or none: TCT_BOOT_MODELS (can't be told).
 */
enum tct_boot_model tct_boot_model_of(const struct tct_root *root);

#endif
