/* The nat table of ip_tables, on a real kernel and in a namespace of its own: there, empty, with a
 * rule. */
#include <arpa/inet.h> /* before the kernel's headers, which know then */
#include <check.h>
#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/observe/nat.h"
#include "core/mem.h"

enum { SKIPPED = 77 };

static struct tct_environment look(void)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	struct tct_environment seen = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, NULL), 0);
	tct_nat_look(&root, &seen);
	return seen;
}

/* Asking for the table makes it, in this namespace. False: this kernel doesn't have it. */
static bool make_table(int fd, struct ipt_getinfo *info)
{
	socklen_t length = sizeof(*info);

	*info = (struct ipt_getinfo){ .name = "nat" };
	return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, info, &length) == 0;
}

/* Put a rule, which lets everything pass, before the policy of the last hook. */
static void add_rule(int fd, const struct ipt_getinfo *info)
{
	socklen_t length = (socklen_t)(sizeof(struct ipt_get_entries) + info->size);
	struct ipt_get_entries *old = calloc(1, length);
	unsigned policy = info->hook_entry[NF_INET_POST_ROUTING];
	struct xt_counters *counters = calloc(info->num_entries, sizeof(*counters));
	struct ipt_replace *new;

	ck_assert(old != NULL && counters != NULL);
	ck_assert_uint_ne(info->valid_hooks & 1U << NF_INET_POST_ROUTING, 0);
	strcpy(old->name, "nat");
	old->size = info->size;
	ck_assert_int_eq(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, old, &length), 0);

	char *entries = (char *)old->entrytable;
	const struct ipt_entry *entry = (const struct ipt_entry *)(entries + policy);
	unsigned size = entry->next_offset;

	length = (socklen_t)(sizeof(*new) + info->size + size);
	new = calloc(1, length);
	ck_assert_ptr_nonnull(new);
	strcpy(new->name, "nat");
	new->valid_hooks = info->valid_hooks;
	new->num_entries = info->num_entries + 1;
	new->size = info->size + size;
	memcpy(new->hook_entry, info->hook_entry, sizeof(new->hook_entry));
	memcpy(new->underflow, info->underflow, sizeof(new->underflow));
	new->underflow[NF_INET_POST_ROUTING] += size;
	new->num_counters = info->num_entries;
	new->counters = counters;
	memcpy((char *)new->entries, entries, policy + size);
	memcpy((char *)new->entries + policy + size, entries + policy, info->size - policy);
	ck_assert_msg(setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, new, length) == 0, "%s",
		      strerror(errno));
	free(new);
	free(old);
	free(counters);
}

START_TEST(a_table_counts_if_there_are_rules_in_it)
{
	struct tct_environment seen = look();
	struct ipt_getinfo info;
	TCT_AUTOCLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert(!seen.nat);
	if (!make_table(fd, &info)) {
		printf("not tried: this kernel has no nat table of ip_tables: %s\n",
		       strerror(errno));
		return;
	}
	ck_assert(!look().nat);
	add_rule(fd, &info);
	seen = look();
	ck_assert(seen.nat);
	ck_assert_int_eq(seen.nat_presence, TCT_PRESENT);
	ck_assert_str_eq(seen.nat_evidence, "/proc/net/ip_tables_names: nat");
}
END_TEST

/* Looking leaves the namespace without tables, as it was. */
START_TEST(looking_makes_no_table)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	TCT_AUTOFREE char *names = NULL;

	(void)look();
	ck_assert_int_eq(tct_root_open(&root, NULL, NULL), 0);
	if (tct_root_read(&root, "proc/net/ip_tables_names", 4096, &names, NULL) == 0)
		ck_assert_str_eq(names, "");
}
END_TEST

/* In the child process of each test, so each has a namespace of its own. */
static void enter(void)
{
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "%s", strerror(errno));
}

int main(void)
{
	Suite *suite = suite_create("nat");
	TCase *cases = tcase_create("nat");
	SRunner *runner;
	int failed;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: unshare: %s\n", strerror(errno));
		return SKIPPED;
	}
	tcase_add_checked_fixture(cases, enter, NULL);
	tcase_add_test(cases, a_table_counts_if_there_are_rules_in_it);
	tcase_add_test(cases, looking_makes_no_table);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
