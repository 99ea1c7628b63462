/*
 * The boot winner against the real programs.
 *
 *   boot_values make SEED ROOT   make a random tree below ROOT
 *   boot_values try ROOT         run the real appliers, each in a fresh network namespace, and
 * compare every key with what ROOT's files foretell. ROOT must also be what "/" shows at /etc, /run
 * and so on: see test_boot_winner.sh. SYSTEMD_SYSCTL and SYSCTL name the programs.
 *
 * Exit: 0 as foretold, 1 not so, 2 the test itself failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/observe/sysctl_files.h"
#include "core/mem.h"
#include "tests/netns/boot_tree.h"

enum { READ_MAX = 1 << 17 };

__attribute__((noreturn)) static void give_up(const char *what, const char *why)
{
	(void)fprintf(stderr, "boot_values: %s: %s\n", what, why);
	exit(2);
}

/* The key in this namespace; false if it isn't here, can't be written or has no readable value. */
static bool read_key(const struct tct_root *root, const struct tct_kernel_key *key,
		     struct tct_value *value)
{
	char path[256] = "proc/sys/";
	TCT_AUTOFREE char *text = NULL;
	struct tct_err err;

	*value = (struct tct_value){ .kind = TCT_VALUE_NONE };
	if (key->scope != TCT_SCOPE_NETNS || key->read_only || key->handler == TCT_HANDLER_SECRET ||
	    tct_kernel_key_path(key->name, path + strlen(path), sizeof(path) - strlen(path)) < 0)
		return false;
	if (tct_root_read(root, path, READ_MAX, &text, NULL) < 0)
		return false;
	if (tct_value_parse(key, text, value, &err) < 0)
		give_up(key->name, err.message);
	return true;
}

static void read_all(const struct tct_root *root, struct tct_value values[])
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		(void)read_key(root, &tct_kernel_keys[i], &values[i]);
}

static int run_applier(enum tct_boot_model model)
{
	const char *program = getenv(model == TCT_BOOT_SYSTEMD ? "SYSTEMD_SYSCTL" : "SYSCTL");
	pid_t child;
	int status;

	if (program == NULL)
		give_up(tct_boot_model_name(model), "SYSTEMD_SYSCTL or SYSCTL is not set");
	child = fork();
	if (child < 0)
		give_up("fork", strerror(errno));
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(127);
		if (model == TCT_BOOT_SYSTEMD) {
			/* As the service manager does it for LoadCredential=. */
			(void)setenv("CREDENTIALS_DIRECTORY", "/run/credentials/@system", 1);
			execl(program, program, (char *)NULL);
		} else {
			execl(program, program, "--system", (char *)NULL);
		}
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child)
		give_up("waitpid", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		give_up(program, "did not run");
	return WEXITSTATUS(status);
}

static void complain(const struct tct_sysctl_files *files, const struct tct_kernel_key *key,
		     enum tct_boot_model model, const struct tct_value *foretold,
		     const struct tct_value *real)
{
	const struct tct_file_line *line = tct_sysctl_files_winner(files, key->name, model, false);
	TCT_AUTOFREE char *expected = tct_value_text(foretold);
	TCT_AUTOFREE char *got = tct_value_text(real);

	printf("%s: %s: foretold '%s', is '%s'; winner %s:%u '%s'\n", tct_boot_model_name(model),
	       key->name, expected == NULL ? "?" : expected, got == NULL ? "?" : got,
	       line == NULL ? "none" : line->file, line == NULL ? 0 : line->line,
	       line == NULL ? "" : line->value);
}

/* Compare all keys. Counts what a file has changed and what came out differently. */
static void compare(const struct tct_sysctl_files *files, enum tct_boot_model model,
		    const struct tct_value before[], const struct tct_value after[],
		    unsigned *changed, unsigned *wrong)
{
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		const struct tct_kernel_key *key = &tct_kernel_keys[i];
		TCT_AUTO(tct_value_done) struct tct_value value = { .kind = TCT_VALUE_NONE };
		const struct tct_value *foretold = &before[i];
		int known;

		if (before[i].kind == TCT_VALUE_NONE)
			continue;
		known = tct_sysctl_files_value(files, key, model, false, &before[i], &value);
		if (known < 0)
			give_up(key->name, strerror(-known));
		if (known == 1)
			foretold = &value;
		*changed += !tct_value_equal(&before[i], &after[i]);
		if (tct_value_stored_as(key, foretold, &after[i]))
			continue;
		++*wrong;
		complain(files, key, model, foretold, &after[i]);
	}
}

/* In a child, for the namespace is left for good. Returns its exit code. */
static int try_model(const struct tct_sysctl_files *files, const struct tct_root *live,
		     enum tct_boot_model model)
{
	TCT_AUTOFREE struct tct_value *before = calloc(tct_kernel_keys_count, sizeof(*before));
	TCT_AUTOFREE struct tct_value *after = calloc(tct_kernel_keys_count, sizeof(*after));
	unsigned changed = 0;
	unsigned wrong = 0;
	int code;

	if (before == NULL || after == NULL)
		give_up("memory", strerror(ENOMEM));
	if (unshare(CLONE_NEWNET) < 0)
		give_up("unshare", strerror(errno));
	read_all(live, before);
	code = run_applier(model);
	read_all(live, after);
	compare(files, model, before, after, &changed, &wrong);
	printf("%s: exit %d, %u keys changed, %u not as foretold\n", tct_boot_model_name(model),
	       code, changed, wrong);
	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		tct_value_done(&before[i]);
		tct_value_done(&after[i]);
	}
	return wrong > 0;
}

/* The live host and the same tree as a DIR must read alike. */
static bool alike(const struct tct_sysctl_files *a, const struct tct_sysctl_files *b)
{
	if (a->lines_count != b->lines_count) {
		printf("live: %zu lines, DIR: %zu\n", a->lines_count, b->lines_count);
		return false;
	}
	for (size_t i = 0; i < a->lines_count; i++) {
		if (strcmp(a->lines[i].file, b->lines[i].file) != 0 ||
		    a->lines[i].line != b->lines[i].line ||
		    a->lines[i].read_by != b->lines[i].read_by ||
		    a->lines[i].wins != b->lines[i].wins) {
			printf("live: %s:%u, DIR: %s:%u\n", a->lines[i].file, a->lines[i].line,
			       b->lines[i].file, b->lines[i].line);
			return false;
		}
	}
	return true;
}

static int try_tree(const char *dir)
{
	struct tct_root tree;
	struct tct_root live;
	struct tct_sysctl_files *files = NULL;
	struct tct_sysctl_files *live_files = NULL;
	struct tct_err err;
	int failed;

	if (tct_root_open(&tree, dir, &err) < 0 || tct_root_open(&live, NULL, &err) < 0 ||
	    tct_sysctl_files_read(&tree, &files, &err) < 0 ||
	    tct_sysctl_files_read(&live, &live_files, &err) < 0)
		give_up(dir, err.message);
	failed = !alike(live_files, files);
	for (unsigned model = 0; model < TCT_BOOT_MODELS; model++) {
		int status;
		pid_t child;

		if (fflush(stdout) != 0)
			give_up("stdout", strerror(errno));
		child = fork();
		if (child < 0)
			give_up("fork", strerror(errno));
		if (child == 0)
			exit(try_model(files, &live, (enum tct_boot_model)model));
		if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
			give_up("try", "the child died");
		if (WEXITSTATUS(status) > failed)
			failed = WEXITSTATUS(status);
	}
	tct_sysctl_files_free(files);
	tct_sysctl_files_free(live_files);
	tct_root_done(&tree);
	tct_root_done(&live);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		int result = tct_boot_tree_make(argv[3], strtoull(argv[2], NULL, 10));

		if (result < 0)
			give_up(argv[3], strerror(-result));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "try") == 0)
		return try_tree(argv[2]);
	(void)fprintf(stderr, "usage: boot_values make SEED ROOT | try ROOT\n");
	return 2;
}
