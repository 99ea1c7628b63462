/* The screen and the lines of `watch`, from made-up intervals. */
#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/mem.h"
#include "tests/unit/watch_world.h"

static struct world world;

static void set_up(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	world_open(&world);
}

static void tear_down(void)
{
	world_close(&world);
}

/* A host in trouble: two intervals, of which the second differs. */
static void trouble(void)
{
	struct tct_listener *listener;

	world.observation->states.counts[TCT_STATE_ESTABLISHED] = 1200;
	world.observation->states.counts[TCT_STATE_LISTEN] = 3;
	world_listener(&world, "10.0.0.1", 8080, 129, 128);
	world_listener(&world, "0.0.0.0", 22, 0, 128);
	listener = world_listener(&world, "2001:db8::1", 443, 64, 511);
	listener->established = 1100;
	strcpy(listener->owner.comm, "nginx");
	strcpy(listener->owner.unit, "nginx.service");
	listener->owner.pid = 1234;
	world.report.not_evaluated_count = 1;
	world_finding(&world, "accept-queue-full", TCT_SEVERITY_CRITICAL, "10.0.0.1:8080",
		      "10.0.0.1:8080 has 129 connections waiting to be accepted, its limit is 128");
	world_add(&world, 1);
	world.observation->states.counts[TCT_STATE_ESTABLISHED] = 600;
	world.observation->states.counts[TCT_STATE_SYN_RECV] = 12345;
	world.observation->listeners[0].drops_first = 100;
	world.observation->listeners[0].drops = 112;
	world_counter(&world, "TcpExt.ListenOverflows", 0, 12);
	world_counter(&world, "TcpExt.ListenDrops", 0, 12);
	world_counter(&world, "Tcp.PassiveOpens", 0, 2345);
	world_counter(&world, "Tcp.RetransSegs", 0, 40);
	world_counter(&world, "TcpExt.TCPOrigDataSent", 0, 1000);
	world_counter(&world, "TcpExt.SyncookiesSent", 0, 7);
	world_finding(&world, "close-wait-leak", TCT_SEVERITY_WARNING, NULL,
		      "70 connections sit in CLOSE_WAIT");
	world_add(&world, 34);
}

static void ck_screen(const struct tct_watch_view *view, unsigned width, unsigned height, bool utf8,
		      const char *expected)
{
	TCT_AUTOFREE char *text = world_screen(view, width, height, utf8);

	ck_assert_msg(strcmp(text, expected) == 0, "got:\n%s\n--- expected:\n%s\n---", text,
		      expected);
}

START_TEST(the_whole_screen)
{
	trouble();

	struct tct_watch_view view = world_view(&world);

	ck_screen(
		&view, 80, 24, true,
		"web1  every 1 s  Linux 6.18.44                              2025-11-25T22:33:20Z\n"
		"STATE          SOCKETS   CHANGE            COUNTER               PER SEC\n"
		"ESTABLISHED        600     -600        █▅  PassiveOpens            2,345      ▁█\n"
		"SYN_SENT             0                 ▁▁  ActiveOpens                 0      ▁▁\n"
		"SYN_RECV        12,345  +12,345        ▁█  RetransSegs 4.0%           40      ▁█\n"
		"FIN_WAIT1            0                 ▁▁  ListenOverflows            12      ▁█\n"
		"FIN_WAIT2            0                 ▁▁  ListenDrops                12      ▁█\n"
		"TIME_WAIT            0                 ▁▁  OutRsts                     0      ▁▁\n"
		"CLOSE                0                 ▁▁  SyncookiesSent              7      ▁█\n"
		"CLOSE_WAIT           0                 ▁▁\n"
		"LAST_ACK             0                 ▁▁\n"
		"LISTEN               3                 ██\n"
		"CLOSING              0                 ▁▁\n"
		"\n"
		"LISTENER                 QUEUE  LIMIT FULL DROPS/s   ESTAB SYN_RECV  OWNER\n"
		"10.0.0.1:8080              129    128 100%      12       0        0  -\n"
		"[2001:db8::1]:443           64    511  12%       0   1,100        0  nginx[1234…\n"
		"0.0.0.0:22                   0    128   0%       0       0        0  -\n"
		"\n"
		"FINDINGS  1 critical, 1 warning; 1 rule could not be judged\n"
		"critical 34 s+   accept-queue-full     10.0.0.1:8080 has 129 connections waitin…\n"
		"warning  0 s     close-wait-leak       70 connections sit in CLOSE_WAIT\n"
		"\n"
		"q quit  space pause  s sort: FULL  r reverse  + - interval  h help");
}
END_TEST

START_TEST(narrow_and_plain)
{
	trouble();

	struct tct_watch_view view = world_view(&world);

	ck_screen(&view, 40, 12, false,
		  "web1  every 1 s  L~ 2025-11-25T22:33:20Z\n"
		  "STATE          SOCKETS   CHANGE\n"
		  "ESTABLISHED        600     -600       #=\n"
		  "SYN_RECV        12,345  +12,345       _#\n"
		  "LISTEN               3                ##\n"
		  "LISTENER                    QUEUE  LIMIT\n"
		  "10.0.0.1:8080                 129    128\n"
		  "[2001:db8::1]:443              64    511\n"
		  "FINDINGS  1 critical, 1 warning; 1 rule~\n"
		  "critical 34 s+   10.0.0.1:8080 has 129 ~\n"
		  "warning  0 s     70 connections sit in ~\n"
		  "q quit  space pause  s sort: FULL  r re~");
}
END_TEST

/* No size makes a line too long or a screen too high; the first and the last line are always there.
 */
START_TEST(every_size)
{
	trouble();
	strcpy(world.observation->listeners[1].owner.unit, "日本語のサービス.service");
	for (unsigned i = 0; i < 40; i++)
		world_listener(&world, "::ffff:192.0.2.1%eth0", (uint16_t)(1000 + i), i, 4096);
	world_add(&world, 1);
	for (unsigned mode = 0; mode < 4; mode++) {
		struct tct_watch_view view = world_view(&world);

		view.help = mode == 1;
		view.paused = mode == 2;
		world.observation->listeners_presence = mode == 3 ? TCT_UNREADABLE : TCT_PRESENT;
		if (mode == 3)
			ck_assert_int_eq(
				tct_observation_gap(world.observation, "sockets", "not permitted"),
				0);
		for (unsigned width = 1; width <= 160; width += 3) {
			for (unsigned height = 1; height <= 60; height++) {
				TCT_AUTOFREE char *text =
					world_screen(&view, width, height, width % 2 == 0);
				char *rest = text;
				char *line;
				unsigned lines = 0;

				while ((line = strsep(&rest, "\n")) != NULL) {
					wchar_t wide[512];
					size_t count = mbstowcs(wide, line, 512);

					lines++;
					ck_assert(count < 512);
					ck_assert_msg(wcswidth(wide, count) >= 0 &&
							      wcswidth(wide, count) <= (int)width,
						      "%ux%u: %s", width, height, line);
					if (lines == 1 && width > 30)
						ck_assert_msg(strncmp(line, "web1", 4) == 0,
							      "%ux%u: %s", width, height, line);
					if (lines == height && height > 1 && width > 30)
						ck_assert_msg(line[0] == 'q' || line[0] == 'P' ||
								      line[0] == 'a',
							      "%ux%u: %s", width, height, line);
				}
				ck_assert_uint_eq(lines, height);
			}
		}
	}
}
END_TEST

static void ck_has(const struct tct_watch_view *view, unsigned width, unsigned height,
		   const char *part)
{
	TCT_AUTOFREE char *text = world_screen(view, width, height, true);

	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part, text);
}

static void ck_hasnt(const struct tct_watch_view *view, unsigned width, unsigned height,
		     const char *part)
{
	TCT_AUTOFREE char *text = world_screen(view, width, height, true);

	ck_assert_msg(strstr(text, part) == NULL, "'%s' in:\n%s", part, text);
}

START_TEST(nothing_acts_on_the_terminal)
{
	struct tct_listener *listener = world_listener(&world, "0.0.0.0", 80, 0, 128);

	strcpy(listener->owner.comm, "a\033]0;x\007b");
	listener->owner.pid = 1;
	strcpy(world.observation->host.hostname, "h\033[2Jx");
	world_finding(&world, "id", TCT_SEVERITY_INFO, NULL, "title\nwith \x9b controls \xff");
	world_add(&world, 1);

	struct tct_watch_view view = world_view(&world);
	TCT_AUTOFREE char *text = world_screen(&view, 132, 43, true);

	for (const char *at = text; *at != '\0'; at++)
		ck_assert_msg(*at == '\n' || (unsigned char)*at >= 0x20, "%s", text);
	ck_has(&view, 132, 43, "a\\x1b]0;x\\x07b[1]");
	ck_has(&view, 132, 43, "title with \\x9b controls \\xff");
}
END_TEST

START_TEST(colours_and_erasing)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_frame frame = { .out = &text,
				   .width = 6,
				   .height = 3,
				   .color = true,
				   .erase = true };

	tct_frame_put(&frame, TCT_STYLE_BAD, "123456"); /* full: nothing to erase */
	tct_frame_newline(&frame);
	tct_frame_put(&frame, TCT_STYLE_PLAIN, "12");
	tct_frame_end(&frame);
	tct_frame_put(&frame, TCT_STYLE_PLAIN, "beyond");
	ck_assert_str_eq(text.data, "\033[1;31m123456\033[0m\n12\033[K\n\033[K");
}
END_TEST

START_TEST(cells)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	struct tct_frame frame = { .out = &text, .width = 30, .height = 1, .utf8 = true };

	tct_frame_cell(&frame, TCT_STYLE_PLAIN, 4, "ab");
	tct_frame_cell(&frame, TCT_STYLE_PLAIN, 4, "abcdef");
	tct_frame_number(&frame, TCT_STYLE_PLAIN, 5, "42");
	tct_frame_number(&frame, TCT_STYLE_PLAIN, 5, "123456");
	tct_frame_cell(&frame, TCT_STYLE_PLAIN, 4, "日本語"); /* wide ones aren't split */
	tct_frame_cell(&frame, TCT_STYLE_PLAIN, 20, "to the edge and beyond");
	ck_assert_str_eq(text.data, "ab  abc…   42 ####日… to the …");
	ck_assert_uint_eq(frame.column, 30);
}
END_TEST

/* The ports of the listeners in the order shown. */
static void ck_order(enum tct_watch_sort sort, bool reverse, const char *expected)
{
	TCT_AUTOFREE const struct tct_listener **order =
		tct_watch_order(world.observation, sort, reverse);
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	ck_assert_ptr_nonnull(order);
	for (size_t i = 0; i < world.observation->listeners_count; i++)
		tct_text_addf(&text, "%s%u", i > 0 ? " " : "", order[i]->port);
	ck_assert_msg(strcmp(text.data, expected) == 0, "%s: %s, not %s", tct_watch_sort_name(sort),
		      text.data, expected);
}

START_TEST(listeners_in_order)
{
	world_listener(&world, "0.0.0.0", 4, 10, 9);
	world_listener(&world, "0.0.0.0", 1, 50, 1000)->established = 9;
	world_listener(&world, "0.0.0.0", 3, 0, 128)->drops = 5;
	world_listener(&world, "0.0.0.0", 2, 0, TCT_BACKLOG_UNKNOWN)->syn_recv = 8;
	world_listener(&world, "0.0.0.0", 5, 0, 128)->established = -1;
	world.observation->listeners[3].drops = -1;
	world.observation->listeners[3].drops_first = -1;

	ck_order(TCT_WATCH_BY_FULLNESS, false, "4 1 3 5 2");
	ck_order(TCT_WATCH_BY_FULLNESS, true, "2 5 3 1 4");
	ck_order(TCT_WATCH_BY_QUEUE, false, "1 4 3 5 2");
	ck_order(TCT_WATCH_BY_DROPS, false, "3 1 4 5 2");
	ck_order(TCT_WATCH_BY_ESTABLISHED, false, "1 3 4 2 5");
	ck_order(TCT_WATCH_BY_SYN_RECV, false, "2 3 1 4 5");
	ck_order(TCT_WATCH_BY_ADDRESS, false, "1 2 3 4 5");
	ck_order(TCT_WATCH_BY_ADDRESS, true, "5 4 3 2 1");

	world_add(&world, 1);

	struct tct_watch_view view = world_view(&world);

	view.sort = TCT_WATCH_BY_ADDRESS;
	view.reverse = true;
	ck_has(&view, 80, 24, "sort: LISTENER reversed");
	ck_has(&view, 80, 24,
	       "0.0.0.0:2                    0      -    -       -       0        8");
}
END_TEST

START_TEST(paused_and_help)
{
	trouble();

	struct tct_watch_view view = world_view(&world);

	view.pace_ns = SECOND_NS * 5 / 2;
	ck_has(&view, 80, 24, "web1  every 1 s, slowed to 2.5 s  Linux");
	view.paused = true;
	ck_has(&view, 80, 24, "\nPAUSED  q quit  space go on");
	view.help = true;
	ck_has(&view, 80, 24, "any key goes back");
	ck_hasnt(&view, 80, 24, "ESTABLISHED");
}
END_TEST

START_TEST(findings_that_are_gone)
{
	trouble();
	world_no_findings(&world);
	world_add(&world, 1);

	struct tct_watch_view view = world_view(&world);

	ck_has(&view, 100, 24, "FINDINGS  none");
	ck_has(&view, 100, 24, "critical 34 s+   accept-queue-full     10.0.0.1:8080 has");
	world_add(&world, 19);
	view = world_view(&world);
	ck_has(&view, 100, 24,
	       "critical 34 s+   accept-queue-full     gone 20 s ago: 10.0.0.1:8080");
	world_add(&world, 60);
	view = world_view(&world);
	ck_hasnt(&view, 100, 24, "accept-queue-full");
}
END_TEST

START_TEST(more_than_fits)
{
	char title[64];

	for (int i = 0; i < 30; i++) {
		(void)snprintf(title, sizeof(title), "/etc/sysctl.conf:%d", i);
		world_finding(&world, "dead-key", TCT_SEVERITY_ADVICE, title, title);
		world_listener(&world, "0.0.0.0", (uint16_t)(i + 1), 0, 128);
	}
	for (size_t i = 0; i < TCT_WATCH_RATES; i++)
		world_counter(&world, tct_watch_rates[i].counter, 0, 5);
	world_add(&world, 1);

	struct tct_watch_view view = world_view(&world);

	ck_has(&view, 80, 24, "FINDINGS  30 advice; 26 more don't fit here\n");
	ck_has(&view, 80, 24, "PER SEC +17\n");
	ck_has(&view, 80, 24, "0.0.0.0:4 ");
	ck_hasnt(&view, 80, 24, "0.0.0.0:5 ");
	ck_has(&view, 80, 90, "0.0.0.0:30 ");
	ck_has(&view, 80, 90, "FINDINGS  30 advice\n");
}
END_TEST

/* With room to spare each finding says what to do about it. */
START_TEST(room_for_remedies)
{
	trouble();
	world.report.findings[0].application = strdup("Make it accept() faster\nor else.");
	ck_assert_ptr_nonnull(world.report.findings[0].application);

	struct tct_watch_view view = world_view(&world);

	ck_has(&view, 80, 26,
	       "waitin…\n         do      Make it accept() faster or else.\nwarning ");
	ck_hasnt(&view, 80, 24, "faster");
	world_no_findings(&world); /* what is gone has none */
	world_add(&world, 1);
	ck_hasnt(&view, 80, 40, "faster");
}
END_TEST

START_TEST(what_nobody_could_see)
{
	world.observation->states.method = TCT_METHOD_NONE;
	world.observation->listeners_presence = TCT_UNREADABLE;
	ck_assert_int_eq(
		tct_observation_gap(world.observation, "socket states", "Operation not permitted"),
		0);
	world_add(&world, 1);

	struct tct_watch_view view = world_view(&world);

	ck_has(&view, 80, 24, "\nnot seen: socket states: Operation not permitted\n");
	ck_has(&view, 80, 24, "\nESTABLISHED          -");
	ck_has(&view, 80, 24, "\nLISTENERS  not seen\n");
}
END_TEST

/* What `print` writes on a page, as text. Owned by the caller. */
static char *printed(void (*print)(const struct tct_page *, const struct tct_watch_view *))
{
	struct tct_watch_view view = world_view(&world);
	struct tct_page page = { .width = 80, .utf8 = true };
	char *text = NULL;
	size_t length;

	page.out = open_memstream(&text, &length);
	ck_assert_ptr_nonnull(page.out);
	print(&page, &view);
	ck_assert_int_eq(fclose(page.out), 0);
	return text;
}

static void names(const struct tct_page *page, const struct tct_watch_view *view)
{
	(void)view;
	tct_watch_line_names(page);
}

START_TEST(lines)
{
	trouble();
	world.observation->states.counts[TCT_STATE_FIN_WAIT1] = 3;
	world.observation->states.counts[TCT_STATE_FIN_WAIT2] = 4;

	TCT_AUTOFREE char *head = printed(names);
	TCT_AUTOFREE char *line = printed(tct_watch_line);
	TCT_AUTOFREE char *came = printed(tct_watch_line_findings);

	ck_assert_str_eq(head, "TIME                    ESTAB SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT "
			       "CLOSE_WAIT     IN/s    OUT/s  RETR% OVERFL/s\n");
	ck_assert_str_eq(line, "2025-11-25T22:33:20Z      600        0    12345        7         0 "
			       "         0   2345.0      0.0   4.00     12.0\n");
	ck_assert_str_eq(came, "+ warning close-wait-leak: 70 connections sit in CLOSE_WAIT\n");

	world_no_findings(&world);
	world_add(&world, 5);

	TCT_AUTOFREE char *went = printed(tct_watch_line_findings);

	ck_assert_str_eq(went, "- critical accept-queue-full 10.0.0.1:8080: gone after 34 s+\n"
			       "- warning close-wait-leak: gone after 0 s\n");
	world_add(&world, 1);

	TCT_AUTOFREE char *nothing = printed(tct_watch_line_findings);

	ck_assert_str_eq(nothing, "");
}
END_TEST

START_TEST(lines_of_what_nobody_knows)
{
	world.observation->states.method = TCT_METHOD_NONE;
	world.observation->interval_ns = 0;
	world_add(&world, 1);

	TCT_AUTOFREE char *line = printed(tct_watch_line);

	ck_assert_str_eq(line, "2025-11-25T22:33:20Z        -        -        -        -         - "
			       "         -        -        -      -        -\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch_screen");
	TCase *tests = tcase_create("screen");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, the_whole_screen);
	tcase_add_test(tests, narrow_and_plain);
	tcase_add_test(tests, every_size);
	tcase_add_test(tests, nothing_acts_on_the_terminal);
	tcase_add_test(tests, colours_and_erasing);
	tcase_add_test(tests, cells);
	tcase_add_test(tests, listeners_in_order);
	tcase_add_test(tests, paused_and_help);
	tcase_add_test(tests, findings_that_are_gone);
	tcase_add_test(tests, more_than_fits);
	tcase_add_test(tests, room_for_remedies);
	tcase_add_test(tests, what_nobody_could_see);
	tcase_add_test(tests, lines);
	tcase_add_test(tests, lines_of_what_nobody_knows);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
