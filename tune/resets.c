/* A key whose write resets others, which no transaction could put back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/transact.h"

#define CONF "/proc/sys/net/ipv4/conf"

/* Is the switch what the kernel would make of it? What isn't there or can't be read is not lost. */
static bool is_kept(const struct tct_root *root, const char *path, int64_t expected)
{
	TCT_AUTOFREE char *text = NULL;

	return tct_root_read(root, path, 4096, &text, NULL) < 0 ||
	       strtoll(text, NULL, 10) == expected;
}

static int refuse(struct tct_plan *plan, const struct tct_kernel_key *key, const char *path)
{
	struct tct_plan_refusal *refusal = TCT_APPEND(plan, refused);

	if (refusal == NULL)
		return -ENOMEM;
	*refusal = (struct tct_plan_refusal){ .key = key, .kind = "invariant" };
	if (snprintf(refusal->reason, sizeof(refusal->reason),
		     "a change resets %s, and rollback could not give it the value that it has now",
		     path) < 0)
		refusal->reason[0] = '\0';
	return 0;
}

/*
 * There and back, the kernel sets `forwarding` of every interface to what ip_forward was, and
 * all/accept_redirects to the contrary: is that how it is? Source: net/ipv4/devinet.c,
 * inet_forward_change(); tried by tests/netns/test_forward.sh.
 */
static int check(const struct tct_root *root, struct tct_plan *plan,
		 const struct tct_plan_key *planned)
{
	int64_t forwards = planned->before.numbers[0];
	int fd = tct_root_openat(root, CONF, O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int result = 0;

	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	if (!is_kept(root, CONF "/all/accept_redirects", forwards == 0 ? 1 : 0))
		result = refuse(plan, planned->key, CONF "/all/accept_redirects");
	while (result == 0 && plan->refused_count == 0 && (entry = readdir(folder)) != NULL) {
		char path[sizeof(CONF) + sizeof(entry->d_name) + sizeof("//forwarding")];

		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), CONF "/%s/forwarding", entry->d_name) < 0)
			continue;
		if (!is_kept(root, path, forwards))
			result = refuse(plan, planned->key, path);
	}
	/* nothing was written to it */
	(void)closedir(folder);
	return result;
}

int tct_plan_check_resets(const struct tct_root *root, struct tct_plan *plan)
{
	int result = 0;

	for (size_t i = 0; result == 0 && plan->live && i < plan->keys_count; i++) {
		const struct tct_plan_key *planned = &plan->keys[i];

		if (planned->write_live && planned->key->write_first &&
		    planned->before.kind == TCT_VALUE_NUMBERS)
			result = check(root, plan, planned);
	}
	return result;
}
