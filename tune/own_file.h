/*
 * The files of the system that are ours alone: the drop-in, and the list of modules to load at
 * boot. How they are read and replaced, so that a crash leaves the old or the new one.
 */
#ifndef TCT_TUNE_OWN_FILE_H
#define TCT_TUNE_OWN_FILE_H

#include "audit/observe/sysctl_files.h"
#include "core/root.h"

#define TCT_MODULES_LOAD_DIR "/etc/modules-load.d"
#define TCT_MODULES_LOAD_NAME "tcptune.conf"
#define TCT_MODULES_LOAD_PATH TCT_MODULES_LOAD_DIR "/" TCT_MODULES_LOAD_NAME

struct tct_own_file {
	const char *folder;
	const char *name;
	const char *path;
	const char *new_name; /* beside it, while it is replaced; nobody reads files of such names
			       */
	const char *old_name;
};

extern const struct tct_own_file tct_own_drop_in;
extern const struct tct_own_file tct_own_modules_load;

/*
 * Read it. *text NULL = there is none. Errors: REFUSED when it is a link, no regular file,
 * unreadable, has a NUL or is larger than 1 MiB.
 */
int tct_own_file_read(const struct tct_root *root, const struct tct_own_file *file, char **text,
		      struct tct_err *err);
/* Is this error of it one of what is there (a link, a folder ...), not of the system? */
bool tct_own_file_is_strange(int result);
void tct_own_file_sha256(const char *text, char out[65]); /* "" for NULL */

/*
 * A replacement of a file in steps, so that the last can be taken back without needing room on the
 * disk: the old file stays at hand until it is finished.
 */
struct tct_own_file_change {
	const struct tct_own_file *file;
	int folder; /* -1 = not begun */
	bool had_old;
	bool kept_old; /* the old file has its second name */
	bool made_new; /* the temporary file is there */
	bool replaced;
};

/*
 * Replace the file by text (NULL = remove it), durably: the folder is made if missing; owner, mode
 * and security attributes are kept. On failure everything is as before, as far as the return value
 * of _undo says. Errors: REFUSED.
 */
int tct_own_file_replace(const struct tct_root *root, const struct tct_own_file *file,
			 const char *text, struct tct_own_file_change *change, struct tct_err *err);
/* Could it be replaced by a text, or removed (makes false)? Looks, writes nothing. Errors: REFUSED,
 * as those of _replace. */
int tct_own_file_may_replace(const struct tct_root *root, const struct tct_own_file *file,
			     bool makes, struct tct_err *err);
/* Put the old file back. 0 or -errno: then the file is not as before. */
int tct_own_file_undo(struct tct_own_file_change *change);
/* Forget the old file. */
void tct_own_file_finish(struct tct_own_file_change *change);

/*
 * After a crash: make the file what it was before (its checksum is before_sha256; "" = no file),
 * from the kept old file if that is it, otherwise from text. Then remove temporary files. Errors:
 * REFUSED.
 */
int tct_own_file_restore(const struct tct_root *root, const struct tct_own_file *file,
			 const char *before_sha256, const char *text, struct tct_err *err);
/* Remove temporary files that a crash left. Nothing there: writes nothing. */
int tct_own_file_sweep(const struct tct_root *root, const struct tct_own_file *file,
		       struct tct_err *err);

#endif
