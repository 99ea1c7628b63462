/*
 * What was seen, in the report: an observation with everything in it, and one with nothing, as JSON
 * and as text. With --print the full document goes to standard output, for golden.schemas.
 */
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "audit/judge/report.h"
#include "audit/judge/usage.h"
#include "cli/render.h"
#include "core/mem.h"
#include "tests/unit/report_world.h"

static struct tct_observation *seen;
static struct tct_profile_set *set;
static struct tct_report *report;

static void set_counter(const char *name, int64_t first, int64_t last)
{
	report_world_counter(seen, name, first, last);
}

static void fill(void)
{
	report_world_fill(seen);
}

static void judge(void)
{
	const char *names[] = { "base" };
	struct tct_profile_request request = { .names = names, .names_count = 1 };
	TCT_AUTO(tct_root_done) struct tct_root root = { .fd = -1 };
	struct tct_facts facts;
	struct tct_err err = { 0 };

	ck_assert_int_eq(tct_root_open(&root, NULL, &err), 0);
	request.root = &root;
	tct_facts_from_host(&seen->host, &facts);
	ck_assert_msg(tct_profile_set_load(&request, &facts, &set, &err) == 0, "%s", err.message);
	ck_assert_msg(tct_judge(seen, set, &facts, NULL, &report, &err) == 0, "%s", err.message);
}

static void open_empty(void)
{
	seen = tct_observation_new();
	ck_assert_ptr_nonnull(seen);
}

static void close_all(void)
{
	tct_report_free(report);
	tct_profile_set_free(set);
	tct_observation_free(seen);
}

/* A member by its path, "outgoing.destinations.0.port"; NULL if it isn't there. */
static json_t *member(json_t *from, const char *path)
{
	char name[64];

	while (from != NULL && *path != '\0') {
		size_t length = strcspn(path, ".");

		ck_assert_uint_lt(length, sizeof(name));
		memcpy(name, path, length);
		name[length] = '\0';
		from = json_is_array(from) ? json_array_get(from, strtoul(name, NULL, 10))
					   : json_object_get(from, name);
		path += length + (path[length] == '.' ? 1 : 0);
	}
	return from;
}

#define NUMBER(path, number)                                                                       \
	do {                                                                                       \
		json_t *value_ = member(document, path);                                           \
		ck_assert_msg(json_is_integer(value_), "%s", path);                                \
		ck_assert_int_eq(json_integer_value(value_), number);                              \
	} while (0)
#define TEXT(path, text)                                                                           \
	do {                                                                                       \
		json_t *value_ = member(document, path);                                           \
		ck_assert_msg(json_is_string(value_), "%s", path);                                 \
		ck_assert_str_eq(json_string_value(value_), text);                                 \
	} while (0)
#define NOTHING(path)                                                                              \
	do {                                                                                       \
		json_t *value_ = member(document, path);                                           \
		ck_assert_msg(json_is_null(value_), "%s", path);                                   \
	} while (0)

START_TEST(everything_seen_is_in_the_document)
{
	fill();
	judge();

	json_t *document = tct_report_json(report);

	ck_assert_ptr_nonnull(document);
	TEXT("states.why_exact", "sockstat and the dump disagree");
	NUMBER("listeners.0.siblings", 2);
	NUMBER("listeners.0.established", 700000);
	NUMBER("listeners.0.remote", 600000);
	NUMBER("listeners.0.unguarded", 0);
	NUMBER("listeners.0.retransmitting", 12);
	NOTHING("listeners.0.unaccepted_kept");
	NOTHING("listeners.0.owner");
	TEXT("listeners.0.owner_sight", "not_permitted");
	ck_assert(json_is_true(member(document, "listeners.0.dual_stack")));
	ck_assert(json_is_false(member(document, "listeners.1.dual_stack")));
	NUMBER("sample.seen", 16384);
	NUMBER("sample.of", 1000000);
	ck_assert(json_real_value(member(document, "sample.error")) > 0.0079 &&
		  json_real_value(member(document, "sample.error")) < 0.0081);
	NOTHING("populations.close_wait");
	NUMBER("populations.unguarded.total", 2);
	NUMBER("populations.unguarded.sample.seen", 16384);
	ck_assert_uint_eq(json_array_size(member(document, "populations.unguarded.idle_at_least")),
			  3);
	NUMBER("populations.unguarded.idle_at_least.2.seconds", 2);
	NUMBER("populations.unguarded.idle_at_least.2.sockets", 1);
	NUMBER("owners.0.owner.pid", 812);
	NUMBER("owners.0.owner.uid", 33);
	NUMBER("owners.0.established", 700000);
	NUMBER("owners.0.close_wait", 9);
	NUMBER("populations.fin_unanswered.total", 44);
	NOTHING("populations.heard_unacked");
	NUMBER("owners.0.descriptors_max", 1024);
	NUMBER("owners.0.close_wait_first", 4);
	NOTHING("owners.0.zero_window");
	ck_assert(json_real_value(member(document, "owners.0.busy_seconds")) == 90.5);
	ck_assert(json_real_value(member(document, "owners.0.rwnd_limited_seconds")) == 30.0);
	ck_assert(json_real_value(member(document, "owners.0.sndbuf_limited_seconds")) == 0.0);
	NOTHING("owners.1.close_wait_first");
	NOTHING("owners.1.busy_seconds");
	NUMBER("listeners.0.syn_recv_resent", 3);
	NUMBER("outgoing.distinct", 2);
	NUMBER("outgoing.unanswered_distinct", 1);
	NUMBER("outgoing.destinations.0.syn_sent", 40);
	NUMBER("outgoing.destinations.0.syn_unanswered", 30);
	TEXT("peers.presence", "present");
	TEXT("peers.list.0.address", "10.9.8.7");
	TEXT("peers.list.0.local", "10.0.0.1:443");
	NUMBER("peers.list.0.established", 5);
	NUMBER("peers.list.0.unguarded.total", 1);
	NUMBER("peers.list.0.owner.pid", 812);
	TEXT("interfaces.list.0.name", "eth0");
	NUMBER("interfaces.list.0.mtu_bytes", 1500);
	NOTHING("interfaces.list.0.rp_filter");
	NUMBER("interfaces.list.0.rx_packets_first", 10);
	NUMBER("interfaces.list.0.rx_packets", 20);
	NOTHING("interfaces.list.0.rx_errors");
	NUMBER("interfaces.list.0.tx_dropped_first", 1);
	NUMBER("interfaces.list.0.tx_dropped", 3);
	NOTHING("owners.0.unguarded");
	NOTHING("owners.1.owner");
	TEXT("owners.1.owner_sight", "out_of_budget");
	NOTHING("owners.1.descriptors_max");
	NUMBER("outgoing.ports_usable", 28232);
	NUMBER("outgoing.destinations.0.used", 17001);
	NUMBER("outgoing.destinations.0.used_first", 16000);
	TEXT("outgoing.destinations.0.family", "ipv6");
	TEXT("outgoing.destinations.0.owner.unit", "proxy.service");
	NOTHING("outgoing.destinations.0.owner.uid");
	NUMBER("conntrack.count", 200);
	NUMBER("conntrack.drops", 31);
	NOTHING("conntrack.insert_failed");
	NUMBER("memory.tcp_mem_bytes.pressure", INT64_C(2000) * 4096);
	NUMBER("memory.used_bytes", INT64_C(1500) * 4096);
	NUMBER("memory.orphans_max", 4096);
	NUMBER("softnet.dropped", 3);
	NOTHING("softnet.flow_limit");
	TEXT("environment.nat.evidence", "nf_tables: a nat chain with rules");
	ck_assert(json_is_true(member(document, "environment.nat.seen")));
	NUMBER("environment.private_listeners", 1);
	ck_assert(json_real_value(json_object_get(member(document, "rates"), "conntrack.drop")) ==
		  13.0);

	const char *file = getenv("FULL_REPORT_TO");

	if (file != NULL)
		ck_assert_int_eq(json_dump_file(document, file, JSON_INDENT(2)), 0);
	json_decref(document);
}
END_TEST

/* Numbers of an observation that nobody filled are 0; they must not look like a count. */
START_TEST(what_nobody_looked_at_is_null)
{
	struct tct_listener *listener = TCT_APPEND(seen, listeners);

	ck_assert_ptr_nonnull(listener);
	listener->family = AF_INET;
	strcpy(listener->address, "10.0.0.1");
	judge();

	json_t *document = tct_report_json(report);

	ck_assert_ptr_nonnull(document);
	NOTHING("states.why_exact");
	NOTHING("states.counts.LISTEN");
	NOTHING("listeners.0.siblings");
	NOTHING("listeners.0.established");
	NOTHING("listeners.0.unaccepted_kept");
	NOTHING("listeners.0.owner");
	TEXT("listeners.0.owner_sight", "not_sought");
	NOTHING("sample");
	NOTHING("populations.remote");
	ck_assert_uint_eq(json_array_size(member(document, "owners")), 0);
	TEXT("outgoing.presence", "not_looked");
	TEXT("peers.presence", "not_looked");
	TEXT("interfaces.presence", "not_looked");
	NOTHING("populations.fin_unanswered");
	NOTHING("listeners.0.syn_recv_resent");
	NOTHING("outgoing.distinct");
	NOTHING("outgoing.ports_usable");
	NOTHING("outgoing.whole");
	NOTHING("outgoing.sockets");
	NOTHING("conntrack.count");
	NOTHING("conntrack.drops");
	NOTHING("memory.tcp_mem_bytes.max");
	NOTHING("memory.used_bytes");
	NOTHING("softnet.processed");
	NOTHING("environment.container");
	NOTHING("environment.nat.seen");
	NOTHING("environment.private_listeners");
	json_decref(document);
}
END_TEST

/* Pages without a page size are no bytes; a sum beyond 63 bits is none either. */
START_TEST(pages_are_bytes_only_if_their_size_is_known)
{
	struct tct_usage usage;

	fill();
	seen->host.page_bytes = -1;
	judge();
	tct_usage_of(report, &usage);
	ck_assert_int_eq(usage.memory_used_bytes, -1);
	ck_assert_int_eq(usage.memory_max_bytes, -1);
	ck_assert_int_eq(usage.orphans, 7);
	report->facts.known[TCT_FACT_PAGE_SIZE] = true;
	report->facts.value[TCT_FACT_PAGE_SIZE] = 16384;
	tct_usage_of(report, &usage);
	ck_assert_int_eq(usage.memory_used_bytes, INT64_C(1500) * 16384);
	set_counter("sockstat.TCP.mem", 0, INT64_MAX / 4096);
	tct_usage_of(report, &usage);
	ck_assert_int_eq(usage.memory_used_bytes, -1);
}
END_TEST

START_TEST(growth_is_not_told_backwards_or_from_one_look)
{
	ck_assert_int_eq(tct_usage_growth(seen, "softnet.processed"), -1);
	ck_assert_int_eq(tct_usage_counter(seen, "softnet.processed"), -1);
	set_counter("softnet.processed", 10, 25);
	ck_assert_int_eq(tct_usage_growth(seen, "softnet.processed"), -1);
	seen->interval_ns = 1;
	ck_assert_int_eq(tct_usage_growth(seen, "softnet.processed"), 15);
	set_counter("softnet.processed", 25, 10);
	ck_assert_int_eq(tct_usage_growth(seen, "softnet.processed"), -1);
	ck_assert_int_eq(tct_usage_counter(seen, "softnet.processed"), 10);
	ck_assert_int_eq(tct_usage_counter(seen, "no.such"), -1);
}
END_TEST

START_TEST(private_addresses_are_known)
{
	static const struct {
		const char *address;
		int64_t count;
	} cases[] = {
		{ "10.255.0.1", 1 },
		{ "11.0.0.1", 0 },
		{ "172.15.0.1", 0 },
		{ "172.16.0.1", 1 },
		{ "172.31.9.9", 1 },
		{ "172.32.0.1", 0 },
		{ "192.168.0.1", 1 },
		{ "192.169.0.1", 0 },
		{ "0.0.0.0", 0 },
		{ "127.0.0.1", 0 },
		{ "::", 0 },
		{ "fc00::1", 1 },
		{ "fdff:ffff::1", 1 },
		{ "fe80::1%3", 0 },
		{ "2001:db8::1", 0 },
		{ "fd00::1%3", 1 },
		{ "", 0 },
		{ "%", 0 },
	};

	ck_assert_int_eq(tct_private_listeners(seen), -1);
	seen->listeners_presence = TCT_PRESENT;
	ck_assert_ptr_nonnull(TCT_APPEND(seen, listeners));
	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		strcpy(seen->listeners[0].address, cases[i].address);
		ck_assert_msg(tct_private_listeners(seen) == cases[i].count, "%s",
			      cases[i].address);
	}
}
END_TEST

/* The text of what was seen; owned by the caller. */
static char *text_of(bool verbose)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct tct_page page = { .out = out, .width = 200, .utf8 = true };

	ck_assert_ptr_nonnull(out);
	tct_render_states(&page, &seen->states);
	tct_render_listeners(&page, verbose, seen);
	if (verbose)
		tct_render_owners(&page, seen);
	tct_render_usage(&page, verbose, report);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void ck_has(const char *text, const char *part_)
{
	ck_assert_msg(strstr(text, part_) != NULL, "\"%s\" is not in:\n%s", part_, text);
}

static void ck_lacks(const char *text, const char *part_)
{
	ck_assert_msg(strstr(text, part_) == NULL, "\"%s\" is in:\n%s", part_, text);
}

START_TEST(a_sampled_number_says_so)
{
	fill();
	judge();

	TCT_AUTOFREE char *text = text_of(true);

	ck_has(text, "from a sample of 16,384 in about 1,000,000, \u00b10.8 %");
	ck_has(text, "~700,000");
	ck_has(text, "~600,000");
	ck_has(text, "nginx[812] nginx.service");
	ck_has(text, "  one by one: sockstat and the dump disagree\n");
	ck_has(text, "(not found in the time given)");
	ck_has(text, "(not permitted to see)");
	ck_lacks(text, "~9 ");
	ck_lacks(text, "~17,001");
	/* Each looked at: nothing is "about". */
	seen->sample = (struct tct_sample){ .whole = true, .seen = 5, .of = 5 };
	seen->owners[0].populations[TCT_POPULATION_REMOTE].sample = seen->sample;

	TCT_AUTOFREE char *whole = text_of(true);

	ck_lacks(whole, "sample");
	ck_lacks(whole, "~");
	ck_has(whole, "700,000");
}
END_TEST

START_TEST(lines_without_news_need_verbose)
{
	fill();
	set_counter("conntrack.drop", 31, 31);
	seen->outgoing.destinations[0].used = 14115; /* 49.99 % */
	set_counter("sockstat.TCP.mem", 999, 999);
	judge();

	TCT_AUTOFREE char *quiet = text_of(false);
	TCT_AUTOFREE char *verbose = text_of(true);

	ck_lacks(quiet, "Limits");
	ck_lacks(quiet, "Owners");
	ck_has(verbose, "most used: 2001:db8::1 -> [2001:db8::2]:443 14,115 (49 %)");
	ck_has(verbose, "200 connections of at most 1,000 (20 %), 1,024 buckets; 31 packets "
			"dropped so far; 0 entries thrown out early");
	ck_has(verbose, "3.9 MiB in all TCP sockets of the host, pressure from 7.8 MiB (49 %)");
	ck_has(verbose, "7 orphans of at most 4,096 (0 %)");
	ck_has(verbose, "container: docker; virtual machine: kvm; NAT: nf_tables: a nat chain with "
			"rules");
}
END_TEST

START_TEST(lines_with_news_are_always_there)
{
	fill();
	judge();

	TCT_AUTOFREE char *text = text_of(false);

	ck_has(text, "28,232 usable; most used: 2001:db8::1 -> [2001:db8::2]:443 17,001 (60 %)");
	ck_has(text, "31 packets dropped so far, 26 of them while we looked");
	ck_has(text, "memory");
	ck_lacks(text, "softnet");
	ck_lacks(text, "environment");
	set_counter("softnet.dropped", 3, 4);
	seen->outgoing.whole = false;
	seen->outgoing.ports_looked_at = 4096;

	TCT_AUTOFREE char *more = text_of(false);

	ck_has(more, "1,500 packets taken in by the whole host; 4 dropped so far, before TCP saw "
		     "them, 1 of them while we looked");
	ck_has(more, "~17,001 (60 %), from 4,096 of the ports");
}
END_TEST

START_TEST(an_empty_observation_prints_nothing)
{
	judge();

	TCT_AUTOFREE char *quiet = text_of(false);
	TCT_AUTOFREE char *verbose = text_of(true);

	ck_assert_str_eq(quiet, "");
	ck_assert_str_eq(verbose, "");
	strcpy(seen->outgoing.why_not, "at most 211 connections were opened");
	seen->outgoing.ports_usable = 28232;

	TCT_AUTOFREE char *why = text_of(true);

	ck_has(why, "28,232 usable; at most 211 connections were opened");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_look");
	TCase *cases = tcase_create("report_look");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, open_empty, close_all);
	tcase_add_test(cases, everything_seen_is_in_the_document);
	tcase_add_test(cases, what_nobody_looked_at_is_null);
	tcase_add_test(cases, pages_are_bytes_only_if_their_size_is_known);
	tcase_add_test(cases, growth_is_not_told_backwards_or_from_one_look);
	tcase_add_test(cases, private_addresses_are_known);
	tcase_add_test(cases, a_sampled_number_says_so);
	tcase_add_test(cases, lines_without_news_need_verbose);
	tcase_add_test(cases, lines_with_news_are_always_there);
	tcase_add_test(cases, an_empty_observation_prints_nothing);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
