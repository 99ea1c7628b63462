/* What the host is, told from texts and trees. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "audit/observe/environment.h"
#include "audit/observe/nat.h"
#include "tests/unit/scratch.h"

static struct tct_environment look(void)
{
	struct tct_environment environment;

	tct_environment_look(&scratch_root, &environment);
	return environment;
}

START_TEST(cgroup_paths_name_the_runtime)
{
	static const struct {
		const char *text;
		const char *name;
	} cases[] = {
		{ "0::/\n", "" },
		{ "", "" },
		{ "0::/system.slice/nginx.service\n", "" },
		{ "0::/system.slice/docker.service\n", "" },
		{ "0::/system.slice/docker.service/x\n1:cpu:/docker/4f2a\n", "docker" },
		{ "12:pids:/docker/4f2a9c01\n0::/\n", "docker" },
		{ "0::/system.slice/docker-4f2a9c01.scope\n", "docker" },
		{ "0::/machine.slice/libpod-4f2a.scope/container\n", "podman" },
		{ "0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-9a.scope\n",
		  "kubernetes" },
		{ "0::/kubepods/besteffort/pod1/9a\n", "kubernetes" },
		{ "0::/system.slice/cri-containerd-9a.scope\n", "containerd" },
		{ "1:name=systemd:/lxc/web/init.scope\n", "lxc" },
		{ "0::/lxc.payload.web\n", "lxc" },
		{ "0::/machine.slice/machine-web.scope/payload\n", "systemd-nspawn" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice\n", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(strcmp(tct_environment_cgroup(cases[i].text), cases[i].name) == 0,
			      "%s: %s", cases[i].text, tct_environment_cgroup(cases[i].text));
}
END_TEST

#define VARIABLE(text, out) tct_environment_variable(text, sizeof(text) - 1, out, sizeof(out))

START_TEST(the_variable_is_found_whole)
{
	char name[16];

	ck_assert(VARIABLE("PATH=/bin\0container=lxc\0HOME=/\0", name));
	ck_assert_str_eq(name, "lxc");
	ck_assert(VARIABLE("container=oci\0", name));
	ck_assert_str_eq(name, "oci");
	ck_assert(!VARIABLE("xcontainer=lxc\0", name));
	ck_assert(!VARIABLE("container=\0", name));
	ck_assert(!VARIABLE("container=a b\0", name));
	ck_assert(!VARIABLE("container=\x1b[2J\0", name));
	ck_assert(!VARIABLE("container=lxc", name)); /* cut off */
	ck_assert(!VARIABLE("container=0123456789abcdef\0", name));
	ck_assert(!VARIABLE("", name));
	ck_assert(!VARIABLE("\0\0\0", name));
}
END_TEST

START_TEST(dmi_names_the_hypervisor)
{
	static const struct {
		const char *product;
		const char *vendor;
		const char *bios;
		const char *name;
	} cases[] = {
		{ "", "", "", "" },
		{ "PowerEdge R740", "Dell Inc.", "Dell Inc.", "" },
		{ "Standard PC (Q35 + ICH9, 2009)", "QEMU", "SeaBIOS", "qemu" },
		{ "KVM", "Red Hat", "SeaBIOS", "kvm" },
		{ "OpenStack Nova", "OpenStack Foundation", "SeaBIOS", "kvm" },
		{ "VMware7,1", "VMware, Inc.", "Phoenix", "vmware" },
		{ "VirtualBox", "innotek GmbH", "innotek GmbH", "virtualbox" },
		{ "Virtual Machine", "Microsoft Corporation", "American Megatrends", "hyper-v" },
		{ "Surface Book", "Microsoft Corporation", "Microsoft Corporation", "" },
		{ "Google Compute Engine", "Google", "Google", "google" },
		{ "t3.micro", "Amazon EC2", "Amazon EC2", "amazon" },
		{ "m5.metal", "Amazon EC2", "Amazon EC2", "" },
		{ "HVM domU", "Xen", "Xen", "xen" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(
			tct_environment_dmi(cases[i].product, cases[i].vendor, cases[i].bios),
			cases[i].name);
}
END_TEST

START_TEST(an_image_says_nothing)
{
	struct tct_environment seen = look();

	ck_assert_int_eq(seen.presence, TCT_NOT_LOOKED);
	ck_assert_int_eq(seen.nat_presence, TCT_NOT_LOOKED);
	ck_assert_str_eq(seen.container, "");
	ck_assert_str_eq(seen.hypervisor, "");
	ck_assert(!seen.nat);
	ck_assert_str_eq(seen.nat_evidence, "");
}
END_TEST

START_TEST(the_surest_sign_of_a_container_counts)
{
	scratch_write("proc/sys/x", "");
	ck_assert_str_eq(look().container, "");
	ck_assert_int_eq(look().presence, TCT_PRESENT);
	scratch_write(".dockerenv", "");
	ck_assert_str_eq(look().container, "docker");
	scratch_write("proc/1/cgroup", "0::/kubepods/x\n");
	ck_assert_str_eq(look().container, "kubernetes");
	scratch_write("proc/1/environ", "a=b");
	ck_assert_str_eq(look().container, "kubernetes");
	scratch_write_bytes("proc/1/environ", "container=lxc\0", 14);
	ck_assert_str_eq(look().container, "lxc");
	scratch_write("run/systemd/container", "systemd-nspawn\n");
	ck_assert_str_eq(look().container, "systemd-nspawn");
	scratch_write("run/systemd/container", "../../etc/passwd \x1b\n");
	ck_assert_str_eq(look().container, "lxc");
}
END_TEST

START_TEST(a_tree_s_machine_is_told)
{
	scratch_write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor lm\nbugs\t: x\n");
	ck_assert_str_eq(look().hypervisor, "unknown");
	scratch_write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu lm\nname : a hypervisor\n");
	ck_assert_str_eq(look().hypervisor, "");
	scratch_write("sys/hypervisor/type", "xen\n");
	ck_assert_str_eq(look().hypervisor, "xen");
	scratch_write("proc/xen/capabilities", "control_d\n");
	ck_assert_str_eq(look().hypervisor, "");
	scratch_write("proc/xen/capabilities", "");
	scratch_write("sys/class/dmi/id/product_name", "VMware7,1\n");
	ck_assert_str_eq(look().hypervisor, "vmware");
	ck_assert_int_eq(look().presence, TCT_PRESENT);
}
END_TEST

#define TCP "ipv4     2 tcp      6 431999 ESTABLISHED "
#define PLAIN                                                                                      \
	TCP "src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=443 "                                     \
	    "src=10.0.0.2 dst=10.0.0.1 sport=443 dport=40000 [ASSURED] mark=0 use=1"
#define MASQUERADED                                                                                \
	TCP "src=10.0.0.1 dst=1.2.3.4 sport=40000 dport=443 "                                      \
	    "src=1.2.3.4 dst=9.9.9.9 sport=443 dport=40000 [ASSURED] mark=0 use=1"

START_TEST(translated_connections_are_told_from_others)
{
	ck_assert(!tct_nat_is_translated(PLAIN));
	ck_assert(tct_nat_is_translated(MASQUERADED));
	/* to another port of the same host */
	ck_assert(tct_nat_is_translated(TCP "src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=80 "
					    "src=10.0.0.2 dst=10.0.0.1 sport=8080 dport=40000"));
	/* no answer yet, counted bytes, no ports */
	ck_assert(!tct_nat_is_translated(
		TCP "src=a::1 dst=a::2 sport=1 dport=2 packets=1 bytes=60 [UNREPLIED] "
		    "src=a::2 dst=a::1 sport=2 dport=1 packets=0 bytes=0 mark=0 use=1"));
	ck_assert(!tct_nat_is_translated("ipv4 2 icmp 1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 "
					 "id=1 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=1"));
	ck_assert(!tct_nat_is_translated(""));
	ck_assert(!tct_nat_is_translated("src=1 dst=2 src=3 dst=4"));
}
END_TEST

START_TEST(no_beginning_of_a_plain_line_is_translated)
{
	static const char line[] = PLAIN;

	/* What is cut off in the middle of a word may look like anything; between words, not. */
	for (size_t length = 0; length < sizeof(line); length++) {
		char *cut = strndup(line, length);

		ck_assert_ptr_nonnull(cut);
		if (line[length] == ' ' || line[length] == '\0')
			ck_assert_msg(!tct_nat_is_translated(cut), "%s", cut);
		free(cut);
	}
}
END_TEST

START_TEST(a_tree_s_tables_and_connections_are_evidence)
{
	struct tct_environment seen;

	scratch_write("proc/net/nf_conntrack", PLAIN "\n" PLAIN "\n");
	scratch_write("proc/net/ip_tables_names", "filter\nnatural\n");
	ck_assert_int_eq(look().nat_presence, TCT_NOT_LOOKED);
	scratch_write("proc/net/nf_conntrack", PLAIN "\n" MASQUERADED "\n");
	seen = look();
	ck_assert_int_eq(seen.nat_presence, TCT_PRESENT);
	ck_assert(seen.nat);
	ck_assert_str_eq(seen.nat_evidence, "/proc/net/nf_conntrack: a translated connection");
	scratch_write("proc/net/ip6_tables_names", "filter\nnat\n");
	ck_assert_str_eq(look().nat_evidence, "/proc/net/ip6_tables_names: nat");
	scratch_write("proc/net/ip_tables_names", "nat");
	ck_assert_str_eq(look().nat_evidence, "/proc/net/ip_tables_names: nat");
}
END_TEST

START_TEST(only_the_beginning_of_a_long_table_is_read)
{
	const size_t lines = 1000;
	char *text = malloc(lines * sizeof(PLAIN) + sizeof(MASQUERADED) + 2);
	char *at = text;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < lines; i++) {
		at = stpcpy(at, PLAIN);
		*at++ = '\n';
	}
	(void)stpcpy(at, MASQUERADED "\n");
	ck_assert_uint_gt(strlen(text), 1 << 16);
	scratch_write("proc/net/nf_conntrack", text);
	ck_assert(!look().nat);
	free(text);
}
END_TEST

/* Where asking could load nf_tables nobody is asked; a made-up live root has no module and can load
 * some. */
START_TEST(nobody_is_asked_where_that_loads_a_module)
{
	struct utsname names;
	char path[sizeof(names.release) + 64];
	struct tct_environment seen = { 0 };

	ck_assert_int_eq(uname(&names), 0);
	ck_assert_int_gt(
		snprintf(path, sizeof(path), "lib/modules/%s/modules.builtin", names.release), 0);
	/* Without rights over the network a question is refused, which would show. */
	(void)unshare(CLONE_NEWUSER);
	scratch_root.live = true;
	scratch_write("proc/net/netlink", "");
	scratch_write("proc/modules", "");
	tct_nat_look(&scratch_root, &seen);
	ck_assert_int_eq(seen.nat_presence, TCT_UNREADABLE);
	ck_assert(!seen.nat);
	/* It is neither loaded nor built in: so it isn't there. */
	scratch_write(path,
		      "kernel/net/ipv4/tcp_cubic.ko\nkernel/net/netfilter/nf_tables_set.ko\n");
	tct_nat_look(&scratch_root, &seen);
	ck_assert_int_eq(seen.nat_presence, TCT_PRESENT);
	ck_assert(!seen.nat);
	scratch_root.live = false;
}
END_TEST

/* One message of a dump of chains at the end of the buffer. */
static size_t add_chain(char *buffer, size_t used, const char *type, uint32_t rules)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer + used);

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
	(void)mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, "postrouting");
	if (type != NULL)
		mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, type);
	mnl_attr_put_u32(message, NFTA_CHAIN_USE, htonl(rules));
	return used + message->nlmsg_len;
}

START_TEST(nat_chains_with_rules_are_found)
{
	alignas(struct nlmsghdr) char buffer[1024];
	struct nlmsghdr *end;
	size_t used = add_chain(buffer, 0, "filter", 3);

	used = add_chain(buffer, used, NULL, 3);
	used = add_chain(buffer, used, "nat", 0);
	used = add_chain(buffer, used, "natx", 1);
	ck_assert_int_eq(tct_nat_take_chains(buffer, used), 0);
	ck_assert_int_eq(tct_nat_take_chains(buffer, add_chain(buffer, used, "nat", 1)), 1);
	ck_assert_int_eq(tct_nat_take_chains(buffer, 0), 0);
	end = mnl_nlmsg_put_header(buffer + used);
	end->nlmsg_type = NLMSG_DONE;
	*(int *)mnl_nlmsg_put_extra_header(end, sizeof(int)) = 0;
	ck_assert_int_eq(tct_nat_take_chains(buffer, used + end->nlmsg_len), 2);
	end->nlmsg_type = NLMSG_ERROR;
	*(int *)mnl_nlmsg_get_payload(end) = -EPERM;
	ck_assert_int_eq(tct_nat_take_chains(buffer, used + end->nlmsg_len), -EPERM);
}
END_TEST

START_TEST(no_part_of_a_datagram_is_read_beyond_its_end)
{
	alignas(struct nlmsghdr) char buffer[256];
	size_t used = add_chain(buffer, 0, "nat", 1);

	for (size_t length = 1; length < used; length++) {
		struct nlmsghdr *copy = malloc(length);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, buffer, length);
		ck_assert_int_eq(tct_nat_take_chains(copy, length), -EBADMSG);
		if (length >= sizeof(*copy)) {
			copy->nlmsg_len = (uint32_t)length;
			(void)tct_nat_take_chains(copy, length);
			copy->nlmsg_len = UINT32_MAX;
			ck_assert_int_eq(tct_nat_take_chains(copy, length), -EBADMSG);
		}
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environment");
	TCase *cases = tcase_create("environment");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, scratch_open, scratch_close);
	tcase_add_test(cases, cgroup_paths_name_the_runtime);
	tcase_add_test(cases, the_variable_is_found_whole);
	tcase_add_test(cases, dmi_names_the_hypervisor);
	tcase_add_test(cases, an_image_says_nothing);
	tcase_add_test(cases, the_surest_sign_of_a_container_counts);
	tcase_add_test(cases, a_tree_s_machine_is_told);
	tcase_add_test(cases, translated_connections_are_told_from_others);
	tcase_add_test(cases, no_beginning_of_a_plain_line_is_translated);
	tcase_add_test(cases, a_tree_s_tables_and_connections_are_evidence);
	tcase_add_test(cases, only_the_beginning_of_a_long_table_is_read);
	tcase_add_test(cases, nobody_is_asked_where_that_loads_a_module);
	tcase_add_test(cases, nat_chains_with_rules_are_found);
	tcase_add_test(cases, no_part_of_a_datagram_is_read_beyond_its_end);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
