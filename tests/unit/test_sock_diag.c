/* The stream of inet_diag's answers: whole, cut off, hostile. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/observe/sock_diag.h"

enum { SEQUENCE = 7, PORT = 4711, ROOM = 8192 };

/* What one recv() would give. */
struct chunk {
	alignas(struct nlmsghdr) unsigned char bytes[ROOM];
	size_t length;
	size_t message; /* offset of the last message */
};

static void put(struct chunk *chunk, const void *data, size_t length)
{
	ck_assert_uint_le(chunk->length + NLMSG_ALIGN(length), ROOM);
	memcpy(chunk->bytes + chunk->length, data, length);
	chunk->length += NLMSG_ALIGN(length);

	uint32_t message_length = (uint32_t)(chunk->length - chunk->message);

	memcpy(chunk->bytes + chunk->message, &message_length, sizeof(message_length));
}

static void begin(struct chunk *chunk, uint16_t type, uint16_t flags)
{
	const struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = SEQUENCE,
		.nlmsg_pid = PORT,
	};

	chunk->message = chunk->length;
	put(chunk, &header, sizeof(header));
}

static void put_number(struct chunk *chunk, uint16_t type, int code)
{
	begin(chunk, type, NLM_F_MULTI);
	put(chunk, &code, sizeof(code));
}

static void put_attribute(struct chunk *chunk, uint16_t type, const void *data, size_t length)
{
	const struct nlattr attribute = {
		.nla_len = (uint16_t)(sizeof(attribute) + length),
		.nla_type = type,
	};

	put(chunk, &attribute, sizeof(attribute));
	put(chunk, data, length);
}

static void put_socket(struct chunk *chunk, uint8_t family, uint8_t state, uint32_t cookie)
{
	struct inet_diag_msg answer = {
		.idiag_family = family,
		.idiag_state = state,
		.idiag_timer = 2,
		.idiag_rqueue = 5,
		.idiag_wqueue = 128,
		.idiag_uid = 33,
		.idiag_inode = 999,
	};

	answer.id.idiag_sport = htons(443);
	answer.id.idiag_dport = htons(50000);
	answer.id.idiag_src[0] = htonl(0xc6336401);
	answer.id.idiag_src[3] = htonl(1);
	answer.id.idiag_if = 3;
	answer.id.idiag_cookie[0] = cookie;
	answer.id.idiag_cookie[1] = cookie != 0 ? 1 : 0;
	begin(chunk, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI);
	put(chunk, &answer, sizeof(answer));
}

/* A visitor that remembers. */
struct seen {
	struct tct_tcp_socket sockets[64];
	size_t count;
	int answer;
};

static void restart(void *context)
{
	struct seen *seen = context;

	seen->count = 0;
}

static int visit(void *context, const struct tct_tcp_socket *socket)
{
	struct seen *seen = context;

	seen->sockets[seen->count++ % 64] = *socket;
	return seen->answer;
}

static int take(const struct chunk *chunk, struct seen *seen, struct tct_diag_stream *stream)
{
	const struct tct_tcp_visitor visitor = { restart, visit, seen };

	stream->sequence = SEQUENCE;
	stream->port = PORT;
	stream->visitor = &visitor;

	int result = tct_diag_take(stream, chunk->bytes, chunk->length);

	stream->visitor = NULL;
	return result;
}

static int take_fresh(const struct chunk *chunk, struct seen *seen)
{
	struct tct_diag_stream stream = { 0 };

	*seen = (struct seen){ 0 };
	return take(chunk, seen, &stream);
}

START_TEST(a_listener_is_read_whole)
{
	const uint32_t memory[SK_MEMINFO_VARS] = { [SK_MEMINFO_DROPS] = 4000000000U };
	const uint8_t v6only = 1;
	struct chunk chunk = { .length = 0 };
	struct seen seen;
	const struct tct_tcp_socket *socket = &seen.sockets[0];

	put_socket(&chunk, AF_INET6, 10, 77);
	put_attribute(&chunk, INET_DIAG_SKMEMINFO, memory, sizeof(memory));
	put_attribute(&chunk, INET_DIAG_SKV6ONLY, &v6only, sizeof(v6only));
	put_attribute(&chunk, 4000, &v6only, sizeof(v6only));
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(socket->family, AF_INET6);
	ck_assert_int_eq(socket->state, 10);
	ck_assert_uint_eq(socket->local_port, 443);
	ck_assert_uint_eq(socket->peer_port, 50000);
	ck_assert_uint_eq(socket->local[3], htonl(1));
	ck_assert_uint_eq(socket->interface, 3);
	ck_assert_uint_eq(socket->cookie, (UINT64_C(1) << 32) + 77);
	ck_assert_uint_eq(socket->receive_queue, 5);
	ck_assert_uint_eq(socket->send_queue, 128);
	ck_assert_uint_eq(socket->uid, 33);
	ck_assert_uint_eq(socket->inode, 999);
	ck_assert_int_eq(socket->drops, 4000000000);
	ck_assert_int_eq(socket->idle_ms, -1);
	ck_assert(socket->v6only);
}
END_TEST

START_TEST(attributes_of_other_kernels_are_read_as_far_as_they_go)
{
	const struct {
		struct tcp_info info;
		char newer[64];
	} longer = { .info = { .tcpi_last_data_recv = 9000, .tcpi_last_ack_recv = 2500 } };
	const uint32_t memory[SK_MEMINFO_DROPS] = { 0 };
	struct chunk chunk = { .length = 0 };
	struct seen seen;

	put_socket(&chunk, AF_INET, 1, 1);
	put_attribute(&chunk, INET_DIAG_INFO, &longer, sizeof(longer));
	put_socket(&chunk, AF_INET, 1, 2);
	put_attribute(&chunk, INET_DIAG_INFO, &longer,
		      offsetof(struct tcp_info, tcpi_last_ack_recv) + 4);
	put_socket(&chunk, AF_INET, 1, 3);
	put_attribute(&chunk, INET_DIAG_INFO, &longer,
		      offsetof(struct tcp_info, tcpi_last_ack_recv) + 3);
	put_socket(&chunk, AF_INET, 10, 4);
	put_attribute(&chunk, INET_DIAG_SKMEMINFO, memory, sizeof(memory));
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
	ck_assert_uint_eq(seen.count, 4);
	ck_assert_int_eq(seen.sockets[0].idle_ms, 2500);
	ck_assert_int_eq(seen.sockets[1].idle_ms, 2500);
	ck_assert_int_eq(seen.sockets[2].idle_ms, -1);
	ck_assert_int_eq(seen.sockets[3].drops, -1);
	/* Only the first word of an IPv4 address means something. */
	ck_assert_uint_eq(seen.sockets[0].local[0], htonl(0xc6336401));
	ck_assert_uint_eq(seen.sockets[0].local[3], 0);
}
END_TEST

/* Members that an older kernel doesn't have are not known; those that it has are. */
START_TEST(tcp_info_grew)
{
	const struct tcp_info info = {
		.tcpi_rto = 1600000,
		.tcpi_snd_mss = 1448,
		.tcpi_unacked = 3,
		.tcpi_last_data_sent = 400,
		.tcpi_last_data_recv = 30,
		.tcpi_last_ack_recv = 20,
		.tcpi_notsent_bytes = 28,
		.tcpi_busy_time = 5000,
		.tcpi_rwnd_limited = UINT64_MAX,
		.tcpi_sndbuf_limited = 7,
	};
	struct chunk chunk = { .length = 0 };
	struct seen seen;

	put_socket(&chunk, AF_INET, 1, 1);
	put_attribute(&chunk, INET_DIAG_INFO, &info, sizeof(info));
	put_socket(&chunk, AF_INET, 1, 2);
	put_attribute(&chunk, INET_DIAG_INFO, &info,
		      offsetof(struct tcp_info, tcpi_notsent_bytes) + 4);
	put_socket(&chunk, AF_INET, 1, 3);
	put_attribute(&chunk, INET_DIAG_INFO, &info, offsetof(struct tcp_info, tcpi_notsent_bytes));
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
	ck_assert_uint_eq(seen.count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(seen.sockets[i].idle_ms, 20);
		ck_assert_int_eq(seen.sockets[i].last_data_ms, 30);
		ck_assert_int_eq(seen.sockets[i].last_sent_ms, 400);
		ck_assert_int_eq(seen.sockets[i].rto_ms, 1600);
		ck_assert_int_eq(seen.sockets[i].mss_bytes, 1448);
		/* 128 bytes are queued */
		ck_assert_int_eq(seen.sockets[i].in_flight_bytes, i < 2 ? 100 : -1);
		ck_assert_int_eq(seen.sockets[i].busy_us, i == 0 ? 5000 : -1);
		ck_assert_int_eq(seen.sockets[i].rwnd_limited_us, i == 0 ? INT64_MAX : -1);
		ck_assert_int_eq(seen.sockets[i].sndbuf_limited_us, i == 0 ? 7 : -1);
	}
}
END_TEST

START_TEST(inner_states_are_told_as_people_count_them)
{
	struct chunk chunk = { .length = 0 };
	struct seen seen;

	put_socket(&chunk, AF_INET, 12, 1);
	put_socket(&chunk, AF_INET, 13, 2);
	put_socket(&chunk, AF_INET, 99, 3);
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
	ck_assert_int_eq(seen.sockets[0].state, 3);
	ck_assert_int_eq(seen.sockets[1].state, 7);
	ck_assert_int_eq(seen.sockets[2].state, 99);
}
END_TEST

START_TEST(the_end_and_errors_are_told_apart)
{
	static const struct {
		uint16_t type;
		int code;
		int result;
	} cases[] = {
		{ NLMSG_DONE, 0, 1 },         { NLMSG_DONE, -ENOENT, -ENOENT },
		{ NLMSG_ERROR, 0, 0 },        { NLMSG_ERROR, -EPERM, -EPERM },
		{ NLMSG_ERROR, 5, -EBADMSG }, { NLMSG_OVERRUN, 0, -ENOBUFS },
		{ NLMSG_NOOP, 0, 0 },         { 555, 0, 0 },
	};
	struct chunk chunk;
	struct seen seen;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		chunk = (struct chunk){ .length = 0 };
		put_socket(&chunk, AF_INET, 1, 1);
		put_number(&chunk, cases[i].type, cases[i].code);
		ck_assert_int_eq(take_fresh(&chunk, &seen), cases[i].result);
		ck_assert_uint_eq(seen.count, 1);
	}
	chunk = (struct chunk){ .length = 0 };
	begin(&chunk, NLMSG_DONE, 0);
	ck_assert_int_eq(take_fresh(&chunk, &seen), 1);
}
END_TEST

START_TEST(answers_to_others_are_skipped)
{
	struct chunk chunk = { .length = 0 };
	struct seen seen;
	const uint32_t other = SEQUENCE + 1;

	put_number(&chunk, NLMSG_ERROR, -EBUSY);
	memcpy(chunk.bytes + chunk.message + offsetof(struct nlmsghdr, nlmsg_seq), &other, 4);
	put_number(&chunk, NLMSG_DONE, 0);
	memcpy(chunk.bytes + chunk.message + offsetof(struct nlmsghdr, nlmsg_pid), &other, 4);
	put_socket(&chunk, AF_INET, 1, 1);
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
	ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(a_socket_told_twice_counts_once)
{
	struct tct_diag_stream stream = { 0 };
	struct chunk first = { .length = 0 };
	struct chunk second = { .length = 0 };
	struct seen seen = { .count = 0 };

	for (uint32_t cookie = 1; cookie <= 20; cookie++)
		put_socket(&first, AF_INET, 1, cookie);
	/* The walk resumes in a bucket that grew; requests of old kernels have no cookie. */
	for (uint32_t cookie = 18; cookie <= 22; cookie++)
		put_socket(&second, AF_INET, 1, cookie);
	put_socket(&second, AF_INET, 3, 0);
	put_socket(&second, AF_INET, 3, 0);
	ck_assert_int_eq(take(&first, &seen, &stream), 0);
	ck_assert_int_eq(take(&second, &seen, &stream), 0);
	ck_assert_uint_eq(seen.count, 22 + 2);
	ck_assert(!stream.interrupted);
}
END_TEST

START_TEST(an_inconsistent_dump_is_marked)
{
	struct tct_diag_stream stream = { 0 };
	struct chunk chunk = { .length = 0 };
	struct seen seen = { .count = 0 };

	put_socket(&chunk, AF_INET, 1, 1);
	begin(&chunk, NLMSG_DONE, NLM_F_DUMP_INTR);
	ck_assert_int_eq(take(&chunk, &seen, &stream), 1);
	ck_assert(stream.interrupted);
}
END_TEST

START_TEST(the_visitor_may_stop)
{
	struct tct_diag_stream stream = { 0 };
	struct chunk chunk = { .length = 0 };
	struct seen seen = { .answer = -ENOMEM };

	put_socket(&chunk, AF_INET, 1, 1);
	put_socket(&chunk, AF_INET, 1, 2);
	ck_assert_int_eq(take(&chunk, &seen, &stream), -ENOMEM);
	ck_assert_uint_eq(seen.count, 1);
	seen.answer = 1;
	ck_assert_int_eq(take(&chunk, &seen, &(struct tct_diag_stream){ 0 }), 1);
	ck_assert_uint_eq(seen.count, 2);
}
END_TEST

START_TEST(cut_off_messages_are_errors)
{
	struct chunk chunk = { .length = 0 };
	struct seen seen;

	put_socket(&chunk, AF_INET, 1, 1);
	chunk.length -= 4;
	ck_assert_int_eq(take_fresh(&chunk, &seen), -EBADMSG);
	ck_assert_uint_eq(seen.count, 0);

	chunk = (struct chunk){ .length = 0 };
	begin(&chunk, SOCK_DIAG_BY_FAMILY, 0);
	put(&chunk, "short", 5);
	ck_assert_int_eq(take_fresh(&chunk, &seen), -EBADMSG);

	chunk = (struct chunk){ .length = 0 };
	put_socket(&chunk, AF_UNIX, 1, 1);
	ck_assert_int_eq(take_fresh(&chunk, &seen), -EBADMSG);
	chunk.length = 3;
	ck_assert_int_eq(take_fresh(&chunk, &seen), -EBADMSG);
	chunk.length = 0;
	ck_assert_int_eq(take_fresh(&chunk, &seen), 0);
}
END_TEST

/* Any damage ends in an answer: no crash, no endless loop (the sanitizers watch). */
START_TEST(damaged_streams_do_no_harm)
{
	const struct tcp_info info = { .tcpi_last_data_recv = 1 };
	struct chunk whole = { .length = 0 };
	unsigned state = 20240607;

	for (uint32_t i = 1; i <= 8; i++) {
		put_socket(&whole, i % 2 != 0 ? AF_INET : AF_INET6, 1, i);
		put_attribute(&whole, INET_DIAG_INFO, &info, sizeof(info));
	}
	put_number(&whole, NLMSG_DONE, 0);
	for (unsigned round = 0; round < 20000; round++) {
		struct chunk *damaged = malloc(sizeof(*damaged));
		unsigned char *exact;
		struct seen seen = { .count = 0 };
		const struct tct_tcp_visitor visitor = { restart, visit, &seen };
		struct tct_diag_stream stream = {
			.sequence = SEQUENCE,
			.port = PORT,
			.visitor = &visitor,
		};
		int result;

		ck_assert_ptr_nonnull(damaged);
		*damaged = whole;
		for (unsigned i = 0; i < 1 + round % 7; i++) {
			state = state * 1103515245 + 12345;
			damaged->bytes[(state >> 8) % whole.length] = (unsigned char)(state >> 24);
		}
		if (round % 3 == 0)
			damaged->length = (state >> 4) % (whole.length + 1);
		exact = malloc(damaged->length + 1);
		ck_assert_ptr_nonnull(exact);
		memcpy(exact, damaged->bytes, damaged->length);
		result = tct_diag_take(&stream, exact, damaged->length);
		ck_assert_int_le(result, 1);
		ck_assert_uint_le(seen.count, whole.length / sizeof(struct nlmsghdr));
		free(exact);
		free(damaged);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sock_diag");
	TCase *tests = tcase_create("stream");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, a_listener_is_read_whole);
	tcase_add_test(tests, attributes_of_other_kernels_are_read_as_far_as_they_go);
	tcase_add_test(tests, tcp_info_grew);
	tcase_add_test(tests, inner_states_are_told_as_people_count_them);
	tcase_add_test(tests, the_end_and_errors_are_told_apart);
	tcase_add_test(tests, answers_to_others_are_skipped);
	tcase_add_test(tests, a_socket_told_twice_counts_once);
	tcase_add_test(tests, an_inconsistent_dump_is_marked);
	tcase_add_test(tests, the_visitor_may_stop);
	tcase_add_test(tests, cut_off_messages_are_errors);
	tcase_add_test(tests, damaged_streams_do_no_harm);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
