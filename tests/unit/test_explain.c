/* What `explain` knows: is everything that it should know there, is each text whole, is it found by
 * every name that people use? */
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_data.h"
#include "core/mem.h"

enum {
	SHORTEST_TEXT = 60, /* characters of a body that deserves the name */
	LONGEST_SUMMARY = 110,
};

static struct tct_book book;

static void open_book(void)
{
	struct tct_err err = { 0 };
	char message[1024];

	ck_assert_msg(tct_book_load(NULL, &book, &err) == 0, "%s",
		      tct_err_text(&err, message, sizeof(message)));
}

static void close_book(void)
{
	tct_book_done(&book);
}

/* The topic that a name leads to: must be there. */
static const struct tct_topic *found(const char *name)
{
	struct tct_err err = { 0 };
	const struct tct_topic *topic = tct_book_find(&book, name, &err);

	ck_assert_msg(topic != NULL, "%s: %s", name, err.message);
	return topic;
}

static void finds(const char *name, enum tct_topic_kind kind, const char *expected)
{
	const struct tct_topic *topic = found(name);

	ck_assert_msg(topic->kind == kind && strcmp(topic->name, expected) == 0,
		      "'%s' leads to %s:%s", name, tct_topic_kind_name(topic->kind), topic->name);
}

static void refuses(const char *name, const char *message)
{
	struct tct_err err = { 0 };

	ck_assert_ptr_null(tct_book_find(&book, name, &err));
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
}

START_TEST(every_kind_has_topics)
{
	size_t counts[TCT_TOPIC_LIMIT] = { 0 };

	for (size_t i = 0; i < book.topics_count; i++)
		counts[book.topics[i].kind]++;
	ck_assert_uint_eq(counts[TCT_TOPIC_STATE], 11);
	ck_assert_uint_eq(counts[TCT_TOPIC_KEY], tct_kernel_keys_count);
	ck_assert_uint_eq(counts[TCT_TOPIC_COUNTER], tct_counters_count);
	ck_assert_uint_eq(counts[TCT_TOPIC_ERRNO], tct_errno_names_count);
	ck_assert_uint_ge(counts[TCT_TOPIC_FLAG], 8);
	ck_assert_uint_ge(counts[TCT_TOPIC_HOWTO], 9);
	ck_assert_uint_ge(counts[TCT_TOPIC_MYTH], 42);
	ck_assert_uint_ge(counts[TCT_TOPIC_FINDING], 30);
	for (enum tct_topic_kind kind = 0; kind < TCT_TOPIC_LIMIT; kind++) {
		ck_assert_int_eq(tct_topic_kind_find(tct_topic_kind_name(kind)), kind);
		ck_assert_int_eq(tct_topic_kind_find(tct_topic_kind_plural(kind)), kind);
	}
	ck_assert_int_eq(tct_topic_kind_find("weather"), TCT_TOPIC_LIMIT);
}
END_TEST

START_TEST(every_row_of_the_tables_is_found)
{
	char name[128];

	for (size_t i = 0; i < tct_kernel_keys_count; i++) {
		finds(tct_kernel_keys[i].name, TCT_TOPIC_KEY, tct_kernel_keys[i].name);
		ck_assert_ptr_nonnull(found(tct_kernel_keys[i].name)->text);
	}
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];

		finds(counter->name, TCT_TOPIC_COUNTER, counter->name);
		ck_assert_str_ne(found(counter->name)->summary, "");
		if (counter->group != TCT_GROUP_TCP && counter->group != TCT_GROUP_TCPEXT)
			continue;
		finds(counter->column, TCT_TOPIC_COUNTER, counter->name);
		(void)snprintf(name, sizeof(name), "%s%s", counter->line, counter->column);
		finds(name, TCT_TOPIC_COUNTER, counter->name);
	}
	for (enum tct_state state = TCT_STATE_ESTABLISHED; state < TCT_STATE_LIMIT; state++)
		finds(tct_state_name(state), TCT_TOPIC_STATE, tct_state_name(state));
}
END_TEST

/* By name, name in small letters, and this system's number. */
START_TEST(every_errno_is_found)
{
	static const struct tct_errno_name asked[] = {
		{ "EPIPE", EPIPE },
		{ "ECONNRESET", ECONNRESET },
		{ "ECONNABORTED", ECONNABORTED },
		{ "ECONNREFUSED", ECONNREFUSED },
		{ "ETIMEDOUT", ETIMEDOUT },
		{ "EADDRINUSE", EADDRINUSE },
		{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
		{ "ENETUNREACH", ENETUNREACH },
		{ "EHOSTUNREACH", EHOSTUNREACH },
		{ "ENETRESET", ENETRESET },
		{ "ENOBUFS", ENOBUFS },
		{ "EMFILE", EMFILE },
		{ "ENFILE", ENFILE },
		{ "EAGAIN", EAGAIN },
		{ "EINPROGRESS", EINPROGRESS },
		{ "EALREADY", EALREADY },
		{ "EINTR", EINTR },
		{ "EINVAL", EINVAL },
		{ "ENOTCONN", ENOTCONN },
		{ "EISCONN", EISCONN },
		{ "ENOTSOCK", ENOTSOCK },
		{ "ENOPROTOOPT", ENOPROTOOPT },
		{ "EMSGSIZE", EMSGSIZE },
		{ "EPROTO", EPROTO },
		{ "EPROTOTYPE", EPROTOTYPE },
		{ "EPROTONOSUPPORT", EPROTONOSUPPORT },
		{ "ESOCKTNOSUPPORT", ESOCKTNOSUPPORT },
		{ "EAFNOSUPPORT", EAFNOSUPPORT },
		{ "EDESTADDRREQ", EDESTADDRREQ },
		{ "ENETDOWN", ENETDOWN },
		{ "EHOSTDOWN", EHOSTDOWN },
		{ "ESHUTDOWN", ESHUTDOWN },
		{ "EBADF", EBADF },
		{ "ENOMEM", ENOMEM },
		{ "EACCES", EACCES },
		{ "EPERM", EPERM },
	};

	for (size_t i = 0; i < TCT_COUNT(asked); i++) {
		char number[16];
		char small[32];
		size_t length = strlen(asked[i].name);

		for (size_t j = 0; j <= length; j++)
			small[j] = (char)tolower((unsigned char)asked[i].name[j]);
		(void)snprintf(number, sizeof(number), "%d", asked[i].number);
		finds(asked[i].name, TCT_TOPIC_ERRNO, asked[i].name);
		finds(small, TCT_TOPIC_ERRNO, asked[i].name);
		finds(number, TCT_TOPIC_ERRNO, asked[i].name);
		ck_assert_int_eq(found(number)->number, asked[i].number);
	}
	finds("EWOULDBLOCK", TCT_TOPIC_ERRNO, "EAGAIN");
	for (size_t i = 0; i < tct_errno_names_count; i++) {
		ck_assert_msg(found(tct_errno_names[i].name)->text != NULL, "%s has no text",
			      tct_errno_names[i].name);
		ck_assert(i == 0 ||
			  strcmp(tct_errno_names[i - 1].name, tct_errno_names[i].name) < 0);
	}
}
END_TEST

START_TEST(names_as_people_write_them)
{
	finds("RST", TCT_TOPIC_FLAG, "RST");
	finds("rst", TCT_TOPIC_FLAG, "RST");
	finds("[S.]", TCT_TOPIC_FLAG, "SYN-ACK");
	finds("S.", TCT_TOPIC_FLAG, "SYN-ACK");
	finds("syn-ack", TCT_TOPIC_FLAG, "SYN-ACK");
	finds("synack", TCT_TOPIC_FLAG, "SYN-ACK");
	finds(".", TCT_TOPIC_FLAG, "ACK");
	finds("[R.]", TCT_TOPIC_FLAG, "RST-ACK");
	finds("[FP.]", TCT_TOPIC_FLAG, "FIN-PSH");
	finds("time-wait", TCT_TOPIC_STATE, "TIME_WAIT");
	finds("timewait", TCT_TOPIC_STATE, "TIME_WAIT");
	finds("syn_sent", TCT_TOPIC_STATE, "SYN_SENT");
	finds("listen", TCT_TOPIC_STATE, "LISTEN");
	finds("max_tw_buckets", TCT_TOPIC_KEY, "net.ipv4.tcp_max_tw_buckets");
	finds("tw_reuse", TCT_TOPIC_KEY, "net.ipv4.tcp_tw_reuse");
	finds("tcp_tw_reuse", TCT_TOPIC_KEY, "net.ipv4.tcp_tw_reuse");
	finds("net/ipv4/tcp_tw_reuse", TCT_TOPIC_KEY, "net.ipv4.tcp_tw_reuse");
	finds("/proc/sys/net/ipv4/tcp_tw_reuse", TCT_TOPIC_KEY, "net.ipv4.tcp_tw_reuse");
	finds("conf.all.rp_filter", TCT_TOPIC_KEY, "net.ipv4.conf.all.rp_filter");
	finds("keepalive", TCT_TOPIC_HOWTO, "keepalive");
	finds("SO_REUSEADDR", TCT_TOPIC_HOWTO, "server-restart");
	finds("listen-overflows", TCT_TOPIC_FINDING, "listen-overflows");
	finds("tcp-mem", TCT_TOPIC_FINDING, "tcp-mem");
	finds("tcp_mem", TCT_TOPIC_KEY, "net.ipv4.tcp_mem");
	finds("ListenOverflows", TCT_TOPIC_COUNTER, "TcpExt.ListenOverflows");
	/* One name, two topics: as it is written decides, else the kind. */
	finds("close", TCT_TOPIC_HOWTO, "close");
	finds("CLOSE", TCT_TOPIC_STATE, "CLOSE");
	finds("state:close", TCT_TOPIC_STATE, "CLOSE");
	finds("topic:close", TCT_TOPIC_HOWTO, "close");
	finds("errno:epipe", TCT_TOPIC_ERRNO, "EPIPE");
	finds("key:tcp_mem", TCT_TOPIC_KEY, "net.ipv4.tcp_mem");
	finds("counter:listen-overflows", TCT_TOPIC_COUNTER, "TcpExt.ListenOverflows");
}
END_TEST

START_TEST(what_is_not_found)
{
	refuses("Close", "'Close' may be state:CLOSE, topic:close");
	refuses("listenoverflows", "'listenoverflows' may be counter:TcpExt.ListenOverflows, "
				   "finding:listen-overflows");
	refuses("inuse", "'inuse' may be counter:sockstat.TCP.inuse, counter:sockstat6.TCP6.inuse");
	refuses("ECONRESET", "nothing is known about 'ECONRESET'; did you mean 'ECONNRESET'?");
	refuses("kepalive", "nothing is known about 'kepalive'; did you mean 'keepalive'?");
	refuses("TcpExtListenOverflow", "nothing is known about 'TcpExtListenOverflow'; did you "
					"mean 'TcpExtListenOverflows'?");
	refuses("TIME_WAT", "nothing is known about 'TIME_WAT'; did you mean 'TIME_WAIT'?");
	refuses("tcp_tw_resue", "nothing is known about 'tcp_tw_resue'; did you mean "
				"'tcp_tw_reuse'?");
	refuses("errno:keepalive", "nothing is known about 'keepalive'; 'tcptune explain' lists "
				   "the topics");
	refuses("weather", "nothing is known about 'weather'; 'tcptune explain' lists the topics");
	refuses("", "nothing is known about ''; 'tcptune explain' lists the topics");
	refuses("99999", "no errno that a network program meets has the number 99999 here "
			 "('tcptune explain errnos' lists them)");
}
END_TEST

/* A sentence, a code or a command: not cut off in the middle. */
static bool ends_properly(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && strchr(",;-(/\\", text[length - 1]) == NULL &&
	       !isspace((unsigned char)text[length - 1]);
}

static void check_item(const struct tct_topic *topic, const struct tct_yaml_node *item)
{
	ck_assert_msg(item->kind != TCT_YAML_SCALAR || ends_properly(item->text), "%s: '%s'",
		      topic->name, item->text);
}

/* Each name under `see` must lead to one topic, and not to this one. */
static void check_see(const struct tct_topic *topic, const struct tct_yaml_node *see)
{
	ck_assert_msg(see->kind == TCT_YAML_LIST, "%s", topic->name);
	for (const struct tct_yaml_node *item = see->first; item != NULL; item = item->next) {
		struct tct_err err = { 0 };
		const struct tct_topic *other = tct_book_find(&book, item->text, &err);

		ck_assert_msg(other != NULL, "%s, see: %s", topic->name, err.message);
		ck_assert_msg(other != topic, "%s: see itself", topic->name);
	}
}

START_TEST(every_text_is_whole)
{
	for (size_t i = 0; i < book.topics_count; i++) {
		const struct tct_topic *topic = &book.topics[i];
		const struct tct_yaml_node *body;
		bool own = topic->kind != TCT_TOPIC_FINDING && topic->kind != TCT_TOPIC_COUNTER;

		ck_assert_msg(topic->summary[0] != '\0', "%s has no summary", topic->name);
		ck_assert_msg(topic->kind == TCT_TOPIC_FINDING ||
				      strlen(topic->summary) <= LONGEST_SUMMARY,
			      "%s: long summary", topic->name);
		ck_assert_msg(!own || topic->text != NULL, "%s has no text", topic->name);
		if (topic->text == NULL)
			continue;
		body = tct_yaml_get(topic->text, "text");
		ck_assert_msg(body != NULL && body->kind == TCT_YAML_SCALAR, "%s", topic->name);
		ck_assert_msg(topic->kind == TCT_TOPIC_KEY || strlen(body->text) >= SHORTEST_TEXT,
			      "%s: '%s' is no text", topic->name, body->text);
		ck_assert_msg(ends_properly(body->text), "%s: the text is cut off", topic->name);
		ck_assert_msg(topic->counter != NULL || tct_yaml_get(topic->text, "source") != NULL,
			      "%s has no source", topic->name);
		for (const struct tct_yaml_node *part = topic->text->first; part != NULL;
		     part = part->next) {
			check_item(topic, part->value);
			if (part->value->kind != TCT_YAML_LIST)
				continue;
			for (const struct tct_yaml_node *item = part->value->first; item != NULL;
			     item = item->next)
				check_item(topic, item);
			if (strcmp(part->text, "see") == 0)
				check_see(topic, part->value);
		}
	}
}
END_TEST

/* The parts that a reader of one kind needs. */
START_TEST(each_kind_has_its_parts)
{
	for (size_t i = 0; i < book.topics_count; i++) {
		const struct tct_topic *topic = &book.topics[i];
		const struct tct_yaml_node *body =
			topic->text != NULL ? tct_yaml_get(topic->text, "text") : NULL;

		switch (topic->kind) {
		case TCT_TOPIC_STATE:
			ck_assert_msg(strstr(body->text, "Entered") != NULL ||
					      strstr(body->text, "entered") != NULL,
				      "%s: entered?", topic->name);
			ck_assert_msg(strstr(body->text, "How to look") != NULL, "%s: look?",
				      topic->name);
			ck_assert_ptr_nonnull(tct_yaml_get(topic->text, "helps"));
			ck_assert_ptr_nonnull(tct_yaml_get(topic->text, "not"));
			break;
		case TCT_TOPIC_ERRNO:
			ck_assert_msg(tct_yaml_get(topic->text, "comes from") != NULL,
				      "%s: from where?", topic->name);
			ck_assert_msg(tct_yaml_get(topic->text, "do") != NULL, "%s: what to do?",
				      topic->name);
			break;
		case TCT_TOPIC_FLAG:
			ck_assert_msg(strstr(body->text, "tcpdump -") != NULL,
				      "%s: no filter for tcpdump", topic->name);
			break;
		case TCT_TOPIC_MYTH:
			ck_assert_msg(topic->summary[0] == '"', "%s: whose words?", topic->name);
			ck_assert_msg(strstr(body->text, "See for yourself") != NULL,
				      "%s: how to see it?", topic->name);
			break;
		case TCT_TOPIC_HOWTO:
		case TCT_TOPIC_FINDING:
		case TCT_TOPIC_COUNTER:
		case TCT_TOPIC_KEY:
		case TCT_TOPIC_LIMIT:
			break;
		}
	}
}
END_TEST

/* Every topic can be put together, and no passage of it is empty. */
START_TEST(every_explanation_is_made)
{
	for (size_t i = 0; i < book.topics_count; i++) {
		TCT_AUTO(tct_explanation_done) struct tct_explanation made = { 0 };

		tct_explanation_make(&book, &book.topics[i], NULL, &made);
		ck_assert(!made.failed);
		ck_assert_msg(made.sections_count > 0, "%s", book.topics[i].name);
		for (size_t j = 0; j < made.sections_count; j++) {
			ck_assert_uint_gt(made.sections[j].passages_count, 0);
			for (size_t k = 0; k < made.sections[j].passages_count; k++)
				ck_assert_str_ne(made.sections[j].passages[k].text, "");
		}
	}
}
END_TEST

static const char *section_text(const struct tct_explanation *made, const char *title)
{
	for (size_t i = 0; i < made->sections_count; i++) {
		if (strcmp(made->sections[i].title, title) == 0)
			return made->sections[i].passages[0].text;
	}
	return "";
}

START_TEST(a_finding_tells_its_thresholds)
{
	TCT_AUTO(tct_explanation_done) struct tct_explanation made = { 0 };

	tct_explanation_make(&book, found("close-wait-leak"), NULL, &made);
	ck_assert_ptr_nonnull(strstr(section_text(&made, "threshold"), "close_wait"));
	ck_assert_ptr_nonnull(strstr(section_text(&made, "threshold"), " = "));
}
END_TEST

START_TEST(keys_and_counters_tell_who_looks_at_them)
{
	TCT_AUTO(tct_explanation_done) struct tct_explanation key = { 0 };
	TCT_AUTO(tct_explanation_done) struct tct_explanation counter = { 0 };

	tct_explanation_make(&book, found("net.ipv4.tcp_tw_recycle"), NULL, &key);
	ck_assert_ptr_nonnull(strstr(section_text(&key, "findings"), "tw-recycle"));
	tct_explanation_make(&book, found("TcpExt.ListenOverflows"), NULL, &counter);
	ck_assert_ptr_nonnull(strstr(section_text(&counter, "findings"), "listen-overflows"));
	ck_assert_str_eq(section_text(&counter, "look"), "nstat -az TcpExtListenOverflows");
}
END_TEST

/* A finding is asked for by the id that a report shows; all others by their names as well. */
START_TEST(names_are_nobody_elses)
{
	for (size_t i = 0; i < book.topics_count; i++)
		finds(book.topics[i].name, book.topics[i].kind, book.topics[i].name);
}
END_TEST

/* A counter that a finding rests on deserves more than a line. */
START_TEST(counters_of_findings_have_texts)
{
	size_t read_by_rules = 0;

	for (size_t i = 0; i < book.topics_count; i++) {
		TCT_AUTO(tct_explanation_done) struct tct_explanation made = { 0 };
		const struct tct_topic *topic = &book.topics[i];

		if (topic->counter == NULL)
			continue;
		tct_explanation_make(&book, topic, NULL, &made);
		if (section_text(&made, "findings")[0] == '\0')
			continue;
		read_by_rules++;
		ck_assert_msg(topic->text != NULL, "%s has no text in counters.yaml", topic->name);
	}
	ck_assert_uint_ge(read_by_rules, 10);
}
END_TEST

/* What is filled in later stands as <name>; braces of the text stay. */
START_TEST(templates_are_readable)
{
	for (size_t i = 0; i < book.topics_count; i++) {
		const struct tct_topic *topic = &book.topics[i];

		if (topic->rule != NULL)
			ck_assert_msg(strpbrk(topic->summary, "{}") == NULL, "%s: %s", topic->name,
				      topic->summary);
	}
	ck_assert_ptr_nonnull(strstr(found("accept-queue-full")->summary, "<endpoint>"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tests = tcase_create("explain");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(tests, open_book, close_book);
	tcase_add_test(tests, every_kind_has_topics);
	tcase_add_test(tests, every_row_of_the_tables_is_found);
	tcase_add_test(tests, every_errno_is_found);
	tcase_add_test(tests, names_as_people_write_them);
	tcase_add_test(tests, what_is_not_found);
	tcase_add_test(tests, every_text_is_whole);
	tcase_add_test(tests, each_kind_has_its_parts);
	tcase_add_test(tests, every_explanation_is_made);
	tcase_add_test(tests, a_finding_tells_its_thresholds);
	tcase_add_test(tests, keys_and_counters_tell_who_looks_at_them);
	tcase_add_test(tests, names_are_nobody_elses);
	tcase_add_test(tests, counters_of_findings_have_texts);
	tcase_add_test(tests, templates_are_readable);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
