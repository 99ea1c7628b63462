/* The interfaces of a namespace of our own, with a dotted name and traffic between two looks. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/observe/observation.h"
#include "core/mem.h"
#include "tests/netns/zoo.h"

enum { SKIPPED = 77, PACKETS = 40 };

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void send_packets(void)
{
	TCT_AUTOCLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };

	ck_assert_int_ge(fd, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < PACKETS; i++)
		(void)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}

static bool send_meanwhile(void *context, int64_t deadline_ns)
{
	(void)context;
	(void)deadline_ns;
	send_packets();
	return false;
}

static const struct tct_interface *find(const struct tct_observation *seen, const char *name)
{
	for (size_t i = 0; i < seen->interfaces_count; i++) {
		if (strcmp(seen->interfaces[i].name, name) == 0)
			return &seen->interfaces[i];
	}
	ck_abort_msg("%s was not seen", name);
	return NULL;
}

static void drop_observation(struct tct_observation *const *observation)
{
	tct_observation_free(*observation);
}

START_TEST(interfaces_are_those_of_the_namespace)
{
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	TCT_AUTO(drop_observation) struct tct_observation *seen = NULL;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	const struct tct_observe_options options = {
		.root = &root,
		.interval_ns = 1,
		.sockets = true,
		.looks = TCT_LOOK_INTERFACES,
		.without_files = true,
		.wait = send_meanwhile,
	};

	zoo_enter();
	run("ip link add v.10 mtu 1400 type veth peer name peer0");
	run("echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter");
	run("echo 2 >/proc/sys/net/ipv4/conf/v.10/rp_filter");
	run("echo 0 >/proc/sys/net/ipv4/conf/peer0/rp_filter");
	send_packets();
	ck_assert_msg(tct_observe(&options, &seen, &err) == 0, "%s", err.message);
	ck_assert_int_eq(seen->interfaces_presence, TCT_PRESENT);
	ck_assert_uint_eq(seen->interfaces_count, 3);
	ck_assert_int_eq(find(seen, "v.10")->mtu_bytes, 1400);
	ck_assert_int_eq(find(seen, "v.10")->rp_filter, 2);
	ck_assert_int_eq(find(seen, "peer0")->rp_filter, 1);
	ck_assert_int_eq(find(seen, "peer0")->mtu_bytes, 1500);

	const struct tct_interface *lo = find(seen, "lo");

	ck_assert_int_eq(lo->mtu_bytes, 65536);
	/* each is a packet, and an ICMP answer that no one listens, as far as those are not limited
	 */
	ck_assert_int_ge(lo->rx_packets_first, PACKETS);
	ck_assert_int_ge(lo->rx_packets - lo->rx_packets_first, PACKETS);
	ck_assert_int_le(lo->rx_packets - lo->rx_packets_first, 2 * PACKETS + 10);
	ck_assert_int_eq(lo->rx_errors, 0);
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *cases;
	SRunner *runner;
	int failed;

	if (!zoo_is_permitted())
		return SKIPPED;
	if (system("ip -V >/dev/null 2>&1") != 0) {
		printf("skipped: there is no ip command\n");
		return SKIPPED;
	}
	suite = suite_create("interfaces");
	cases = tcase_create("live");
	tcase_add_test(cases, interfaces_are_those_of_the_namespace);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
