/* Lines of ss and netstat, as they are and broken in every way. */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "audit/observe/sos_output.h"
#include "core/mem.h"

#define HEADING "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"

static const char *address_text(uint8_t family, const uint32_t address[4])
{
	static char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, address, text, sizeof(text));
}

static struct tct_sos_socket read_ss(const char *line)
{
	struct tct_sos_socket socket;

	ck_assert_msg(tct_ss_line(line, &socket) == TCT_SOS_SOCKET, "%s", line);
	return socket;
}

START_TEST(ss_lines_of_all_ages_are_read)
{
	static const struct {
		const char *line;
		uint8_t state;
		uint8_t family; /* 0 = "*": told by others */
		const char *local;
		uint16_t port;
		uint16_t peer_port;
	} cases[] = {
		{ "tcp   LISTEN 0 128 0.0.0.0:22 0.0.0.0:*", 10, AF_INET, "0.0.0.0", 22, 0 },
		{ "tcp LISTEN 0 128 *:22 *:*", 10, 0, NULL, 22, 0 },
		{ "tcp LISTEN 0 128 :::22 :::*", 10, AF_INET6, "::", 22, 0 },
		{ "tcp LISTEN 0 128 [::]:22 [::]:*  ", 10, AF_INET6, "::", 22, 0 },
		{ "tcp LISTEN 0 128 ::1:631 :::*", 10, AF_INET6, "::1", 631, 0 },
		{ "LISTEN 0 128 127.0.0.1%lo:53 0.0.0.0:*", 10, AF_INET, "127.0.0.1", 53, 0 },
		{ "LISTEN 0 128 [fe80::1]%eth0.100:53 [::]:*", 10, AF_INET6, "fe80::1", 53, 0 },
		{ "LISTEN 0 128 [fe80::1%eth0]:53 [::]:*", 10, AF_INET6, "fe80::1", 53, 0 },
		{ "ESTAB 0 0 10.0.0.1:80 10.0.0.2:65535", 1, AF_INET, "10.0.0.1", 80, 65535 },
		{ "tcp ESTAB 0 0 [::ffff:10.0.0.1]:80 [::ffff:10.0.0.2]:99", 1, AF_INET6,
		  "::ffff:10.0.0.1", 80, 99 },
		{ "tcp ESTAB 0 0 ::ffff:10.0.0.1:80 ::ffff:10.0.0.2:99", 1, AF_INET6,
		  "::ffff:10.0.0.1", 80, 99 },
		{ "tcp SYN-SENT 0 1 10.0.0.1:1 10.0.0.2:2", 2, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp SYN-RECV 0 0 10.0.0.1:1 10.0.0.2:2", 3, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp FIN-WAIT-1 0 1 10.0.0.1:1 10.0.0.2:2", 4, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp FIN-WAIT-2 0 0 10.0.0.1:1 10.0.0.2:2", 5, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp TIME-WAIT 0 0 10.0.0.1:1 10.0.0.2:2", 6, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp UNCONN 0 0 10.0.0.1:1 0.0.0.0:*", 7, AF_INET, "10.0.0.1", 1, 0 },
		{ "tcp CLOSE-WAIT 1 0 10.0.0.1:1 10.0.0.2:2", 8, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp LAST-ACK 0 1 10.0.0.1:1 10.0.0.2:2", 9, AF_INET, "10.0.0.1", 1, 2 },
		{ "tcp CLOSING 0 1 10.0.0.1:1 10.0.0.2:2", 11, AF_INET, "10.0.0.1", 1, 2 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_sos_socket told = read_ss(cases[i].line);

		ck_assert_uint_eq(told.socket.state, cases[i].state);
		ck_assert_uint_eq(told.socket.family, cases[i].family);
		ck_assert_uint_eq(told.socket.local_port, cases[i].port);
		ck_assert_uint_eq(told.socket.peer_port, cases[i].peer_port);
		ck_assert_int_eq(told.any_star, cases[i].local == NULL);
		if (cases[i].local != NULL)
			ck_assert_str_eq(address_text(cases[i].family, told.socket.local),
					 cases[i].local);
		ck_assert_int_eq(told.socket.drops, -1);
		ck_assert_int_eq(told.socket.idle_ms, -1);
	}
	ck_assert_str_eq(read_ss(cases[5].line).interface, "lo");
	ck_assert_str_eq(read_ss(cases[6].line).interface, "eth0.100");
	ck_assert_str_eq(read_ss(cases[7].line).interface, "eth0");
}
END_TEST

START_TEST(broken_ss_lines_are_malformed_and_others_are_left_alone)
{
	static const char *const malformed[] = {
		"tcp",
		"tcp ESTAB",
		"tcp WHAT 0 0 10.0.0.1:1 10.0.0.2:2",
		"tcp ESTAB 0 10.0.0.1:1 10.0.0.2:2",
		"tcp ESTAB -1 0 10.0.0.1:1 10.0.0.2:2",
		"tcp ESTAB 4294967296 0 10.0.0.1:1 10.0.0.2:2",
		"tcp ESTAB 0 0 10.0.0.1:1",
		"tcp ESTAB 0 0 10.0.0.1:65536 10.0.0.2:2",
		"tcp ESTAB 0 0 10.0.0.1:http 10.0.0.2:2",
		"tcp ESTAB 0 0 10.0.0.1 10.0.0.2:2",
		"tcp ESTAB 0 0 10.0.0:1 10.0.0.2:2",
		"tcp ESTAB 0 0 host.example:1 10.0.0.2:2",
		"tcp ESTAB 0 0 [::1:1 [::2]:2",
		"tcp ESTAB 0 0 [10.0.0.1]:1 10.0.0.2:2",
		"tcp ESTAB 0 0 []:1 [::2]:2",
		"tcp ESTAB 0 0 []%:1 [::2]:2",
		"tcp ESTAB 0 0 %:1 10.0.0.2:2",
		"tcp ESTAB 0 0 [%]:1 [::2]:2",
		"tcp ESTAB 0 0 10.0.0.1:1 [::2]:2",
		"tcp ESTAB 0 0 : :",
		"tcp ESTAB 0 0 10.0.0.1:1\001 10.0.0.2:2",
	};
	static const char *const other[] = {
		"",
		"udp ESTAB 0 0 10.0.0.1:1 10.0.0.2:2",
		"u_str ESTAB 0 0 /run/x y 1 * 2",
		"nl UNCONN 0 0 0:0 *",
		"mptcp LISTEN 0 1 0.0.0.0:1 0.0.0.0:*",
		"bash: ss: command not found",
		"tcpx ESTAB 0 0 10.0.0.1:1 10.0.0.2:2",
	};
	struct tct_sos_socket socket;

	for (size_t i = 0; i < TCT_COUNT(malformed); i++)
		ck_assert_msg(tct_ss_line(malformed[i], &socket) == TCT_SOS_MALFORMED, "%s",
			      malformed[i]);
	for (size_t i = 0; i < TCT_COUNT(other); i++)
		ck_assert_msg(tct_ss_line(other[i], &socket) == TCT_SOS_OTHER, "%s", other[i]);
	ck_assert_int_eq(tct_ss_line(HEADING, &socket), TCT_SOS_HEADING);
	ck_assert_int_eq(tct_ss_line("\t skmem:(r0)", &socket), TCT_SOS_MORE);
}
END_TEST

/* What ss -i prints of tcp_info; "0" it leaves out. */
START_TEST(tcp_info_is_read)
{
	struct tct_sos_socket told = read_ss(
		"tcp ESTAB 0 4096 10.0.0.1:443 10.0.0.2:5000 timer:(on,1.2sec,4) uid:33 ino:4711 sk:1");

	ck_assert_int_eq(told.socket.rto_ms, -1);
	ck_assert(!told.flight_told);
	tct_ss_details("\t ts sack cubic wscale:7,7 rto:3264.5 rtt:0.1/0.05 mss:1448 pmtu:1500 "
		       "cwnd:1 bytes_sent:9000 data_segs_out:9 lastsnd:800 lastrcv:30 lastack:20 "
		       "busy:5200ms rwnd_limited:12ms(0.2%) sndbuf_limited:7ms(0.1%) unacked:3 "
		       "retrans:1/4 notsent:96 minrtt:0.1",
		       &told);
	ck_assert_int_eq(told.socket.rto_ms, 3264);
	ck_assert_int_eq(told.socket.mss_bytes, 1448);
	ck_assert_uint_eq(told.last_sent_ms, 800);
	ck_assert_uint_eq(told.last_received_ms, 30);
	ck_assert_uint_eq(told.last_ack_ms, 20);
	ck_assert_int_eq(told.socket.busy_us, 5200000);
	ck_assert_int_eq(told.socket.rwnd_limited_us, 12000);
	ck_assert_int_eq(told.socket.sndbuf_limited_us, 7000);
	ck_assert_uint_eq(told.unacked, 3);
	ck_assert_uint_eq(told.notsent_bytes, 96);
	ck_assert(told.flight_told && told.info_told && told.last_told);
}
END_TEST

START_TEST(details_are_read)
{
	struct tct_sos_socket told = read_ss(
		"tcp LISTEN 3 128 *:80 *:* users:((\"a b\",pid=7,fd=3),(\"c\",pid=8,fd=3)) uid:33 "
		"ino:4711 sk:1a cgroup:/system.slice/x.service v6only:0 <->");

	ck_assert_int_eq(told.pid, 7);
	ck_assert_str_eq(told.comm, "a b");
	ck_assert_uint_eq(told.socket.uid, 33);
	ck_assert_uint_eq(told.socket.inode, 4711);
	ck_assert_uint_eq(told.socket.cookie, 0x1a);
	ck_assert_str_eq(told.cgroup, "/system.slice/x.service");
	ck_assert(told.v6only_told && !told.socket.v6only && !told.info_told);
	tct_ss_details("\t skmem:(r0,rb1,t0,tb1,f0,w0,o0,bl0,d326) ts sack cubic rto:201 cwnd:10 "
		       "lastsnd:9 lastrcv:7000 lastack:20 app_limited",
		       &told);
	ck_assert_int_eq(told.socket.drops, 326);
	ck_assert(told.info_told && told.last_told);
	ck_assert_uint_eq(told.last_received_ms, 7000);
	ck_assert_uint_eq(told.last_ack_ms, 20);
	/* the oldest form of owners, and a name that is made to mislead */
	told = read_ss("ESTAB 0 0 1.1.1.1:1 2.2.2.2:2 users:((\"sshd\",1234,3)) ino:5 sk:1");
	ck_assert_int_eq(told.pid, 1234);
	ck_assert_uint_eq(told.socket.inode, 5);
	told = read_ss(
		"ESTAB 0 0 1.1.1.1:1 2.2.2.2:2 users:((\"x\",y)) ino:9\",pid=3,fd=4)) ino:5");
	ck_assert_int_eq(told.pid, 3);
	ck_assert_str_eq(told.comm, "x\",y)) ino:9");
	ck_assert_uint_eq(told.socket.inode, 5);
	told = read_ss("ESTAB 0 0 1.1.1.1:1 2.2.2.2:2 users:((\"a\033[31m\",pid=3,fd=4)) ino:5");
	ck_assert_str_eq(told.comm, "a?[31m");
}
END_TEST

START_TEST(broken_details_do_no_harm)
{
	static const char *const texts[] = {
		"users:",
		"users:(",
		"users:((",
		"users:((\"",
		"users:((\"x",
		"users:((\"x\",pid=",
		"users:((\"x\",pid=1",
		"users:((\"x\",pid=1,fd=2",
		"users:((\"x\",pid=1,fd=2)",
		"users:((\"x\",pid=99999999999,fd=2))",
		"timer:",
		"timer:(",
		"timer:(on",
		"timer:(on,",
		"timer:(on,5",
		"timer:(on,5sec",
		"timer:(on,5sec,",
		"timer:(on,5sec,999)",
		"timer:(on,99999999999min,1)",
		"timer:(nonsense,1sec,1)",
		"ino:",
		"ino:-1",
		"ino:4294967296",
		"ino:1x",
		"uid:",
		"sk:",
		"sk:xyz",
		"skmem:",
		"skmem:(",
		"skmem:(d5",
		"skmem:(r0,d",
		"skmem:(r0,d99999999999999999999)",
		"lastrcv:",
		"lastrcv:-5",
		"lastrcv:99999999999",
		"v6only:",
		"cgroup:",
		":",
		"",
		"  ",
		"\t",
	};

	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		struct tct_sos_socket told = { .socket = { .drops = -1, .idle_ms = -1 } };

		tct_ss_details(texts[i], &told);
		ck_assert_msg(told.socket.inode == 0, "%s", texts[i]);
		ck_assert_msg(told.socket.drops == -1, "%s", texts[i]);
		ck_assert_msg(told.socket.timer == 0, "%s", texts[i]);
		ck_assert_msg(told.pid == 0 || told.pid == 1, "%s", texts[i]);
	}
}
END_TEST

START_TEST(timers_and_their_times)
{
	static const struct {
		const char *text;
		uint8_t timer;
		uint32_t ms;
		uint8_t retransmits;
	} cases[] = {
		{ "timer:(keepalive,119min,0)", 2, 7140000, 0 },
		{ "timer:(on,828ms,3)", 1, 828, 3 },
		{ "timer:(on,6.535ms,0)", 1, 6535, 0 },
		{ "timer:(on,1min59sec,15)", 1, 119000, 15 },
		{ "timer:(timewait,56sec,0)", 3, 56000, 0 },
		{ "timer:(persist,10sec,2)", 4, 10000, 2 },
		{ "timer:(on,,1)", 1, 0, 1 }, /* due */
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_sos_socket told = { 0 };

		tct_ss_details(cases[i].text, &told);
		ck_assert_uint_eq(told.socket.timer, cases[i].timer);
		ck_assert_uint_eq(told.socket.expires_ms, cases[i].ms);
		ck_assert_uint_eq(told.socket.retransmits, cases[i].retransmits);
	}
}
END_TEST

START_TEST(netstat_lines_are_read)
{
	struct tct_sos_socket told;
	static const char *const malformed[] = {
		"tcp",
		"tcp 0",
		"tcp 0 0",
		"tcp 0 0 10.0.0.1:1 10.0.0.2:2",
		"tcp 0 0 10.0.0.1:1 10.0.0.2:2 NOSUCH",
		"tcp x 0 10.0.0.1:1 10.0.0.2:2 LISTEN",
		"tcp 0 0 ::1:1 ::2:2 LISTEN",
		"tcp6 0 0 10.0.0:1 ::2:2 LISTEN",
		"tcp 0 0 localhost:1 10.0.0.2:2 LISTEN",
	};

	ck_assert_int_eq(tct_netstat_line("tcp        0    128 0.0.0.0:22       0.0.0.0:*     "
					  "LISTEN      0          22405      1026/sshd            "
					  "off (0.00/0/0)",
					  &told),
			 TCT_SOS_SOCKET);
	ck_assert_uint_eq(told.socket.state, TCT_STATE_LISTEN);
	ck_assert_uint_eq(told.socket.inode, 22405);
	ck_assert_int_eq(told.pid, 1026);
	ck_assert_str_eq(told.comm, "sshd");
	ck_assert_uint_eq(told.socket.timer, TCT_TIMER_NONE);
	ck_assert_int_eq(
		tct_netstat_line("tcp6       1      0 172.16.1.10:22  172.16.1.1:41282  "
				 "ESTABLISHED 7  150882     3002/sshd: core [pr  keepalive "
				 "(7074.91/3/0)",
				 &told),
		TCT_SOS_SOCKET);
	ck_assert_str_eq(address_text(AF_INET6, told.socket.local), "::ffff:172.16.1.10");
	ck_assert_str_eq(told.comm, "sshd: core [pr");
	ck_assert_uint_eq(told.socket.uid, 7);
	ck_assert_uint_eq(told.socket.timer, TCT_TIMER_KEEPALIVE);
	ck_assert_uint_eq(told.socket.expires_ms, 7074910);
	ck_assert_uint_eq(told.socket.retransmits, 3);
	ck_assert_int_eq(tct_netstat_line("tcp6 0 0 :::80 :::* LISTEN", &told), TCT_SOS_SOCKET);
	ck_assert_uint_eq(told.socket.local_port, 80);
	ck_assert_int_eq(told.pid, 0);
	ck_assert_int_eq(tct_netstat_line("tcp 0 0 1.2.3.4:80 1.2.3.5:1 TIME_WAIT 0 0 - timewait "
					  "(1.50/0/0)",
					  &told),
			 TCT_SOS_SOCKET);
	ck_assert_uint_eq(told.socket.timer, TCT_TIMER_TIME_WAIT);
	ck_assert_int_eq(tct_netstat_line("udp 0 0 0.0.0.0:68 0.0.0.0:* 0 1", &told),
			 TCT_SOS_OTHER);
	for (size_t i = 0; i < TCT_COUNT(malformed); i++)
		ck_assert_msg(tct_netstat_line(malformed[i], &told) == TCT_SOS_MALFORMED, "%s",
			      malformed[i]);
}
END_TEST

START_TEST(file_names_say_what_is_told)
{
	static const struct {
		const char *name;
		bool netstat;
		int worth; /* -1 = not all TCP sockets, or not as numbers */
	} cases[] = {
		{ "ss_-peaonmi", false, 5 },
		{ "ss_-tan", false, 0 },
		{ "ss_-t_-a_-n_-e", false, 1 },
		{ "ss_-tupna", false, 1 },
		{ "ss_-s", false, -1 },
		{ "ss_-tulpn", false, -1 },
		{ "ss_-ta", false, -1 },
		{ "ss_-xan", false, -1 },
		{ "ss_-4tan", false, -1 },
		{ "ss_-tan_state_established", false, -1 },
		{ "ss_", false, -1 },
		{ "ss_-", false, -1 },
		{ "ss_-tan.tailed", false, -1 },
		{ "ss_-tan_", false, -1 },
		{ "netstat_-W_-neopa", true, 3 },
		{ "netstat_-neopa", true, 3 },
		{ "netstat_-s", true, -1 },
		{ "netstat_-W_-agn", true, -1 },
		{ "netstat_-rn", true, -1 },
		{ "nstat_-zas", true, -1 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		struct tct_sos_output output = { .netstat = cases[i].netstat };
		bool known = tct_sos_output_flags(cases[i].name, &output);

		ck_assert_msg(known == (cases[i].worth >= 0), "%s", cases[i].name);
		if (known)
			ck_assert_msg(output.extended + output.timers + output.memory +
						      output.info + output.processes ==
					      cases[i].worth,
				      "%s", cases[i].name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sos_text");
	TCase *tests = tcase_create("sos_text");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, ss_lines_of_all_ages_are_read);
	tcase_add_test(tests, broken_ss_lines_are_malformed_and_others_are_left_alone);
	tcase_add_test(tests, details_are_read);
	tcase_add_test(tests, tcp_info_is_read);
	tcase_add_test(tests, broken_details_do_no_harm);
	tcase_add_test(tests, timers_and_their_times);
	tcase_add_test(tests, netstat_lines_are_read);
	tcase_add_test(tests, file_names_say_what_is_told);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
