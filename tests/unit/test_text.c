#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

START_TEST(text_grows_and_is_handed_over)
{
	struct tct_text text = { 0 };

	for (int i = 0; i < 1000; i++)
		tct_text_addf(&text, "%d,", i);
	tct_text_add(&text, "end");
	tct_text_add_bytes(&text, NULL, 0);
	ck_assert(!text.failed);
	ck_assert_uint_eq(text.length, 3893);
	ck_assert_uint_eq(strlen(text.data), text.length);
	ck_assert_int_eq(strncmp(text.data, "0,1,2,", 6), 0);

	char *taken = tct_text_take(&text);

	ck_assert_str_eq(taken + 3890, "end");
	ck_assert_ptr_null(text.data);
	ck_assert_uint_eq(text.length, 0);
	free(taken);
}
END_TEST

START_TEST(text_may_be_empty_or_cleared)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char *taken = tct_text_take(&text);

	ck_assert_str_eq(taken, "");
	free(taken);
	tct_text_add(&text, "abc");
	tct_text_clear(&text);
	ck_assert_str_eq(text.data, "");
	tct_text_add_bytes(&text, "x\0y", 3);
	ck_assert_uint_eq(text.length, 3);
	ck_assert_mem_eq(text.data, "x\0y", 4);
}
END_TEST

START_TEST(text_remembers_that_memory_failed)
{
	struct tct_text text = { 0 };

	tct_text_add(&text, "abc");
	tct_text_add_bytes(&text, "abc", SIZE_MAX / 2);
	ck_assert(text.failed);
	tct_text_add(&text, "d");
	ck_assert_uint_eq(text.length, 3);
	ck_assert_ptr_null(tct_text_take(&text));
	ck_assert_ptr_null(text.data);
}
END_TEST

START_TEST(numbers_read_well)
{
	static const struct {
		const char *(*write)(int64_t number, char out[TCT_NUMBER_TEXT]);
		int64_t number;
		const char *text;
	} cases[] = {
		{ tct_text_count, 0, "0" },
		{ tct_text_count, 999, "999" },
		{ tct_text_count, 1000, "1,000" },
		{ tct_text_count, -41203, "-41,203" },
		{ tct_text_count, 1234567, "1,234,567" },
		{ tct_text_count, INT64_MAX, "9,223,372,036,854,775,807" },
		{ tct_text_count, INT64_MIN, "-9,223,372,036,854,775,808" },
		{ tct_text_bytes, 0, "0 bytes" },
		{ tct_text_bytes, 1023, "1023 bytes" },
		{ tct_text_bytes, 1024, "1 KiB" },
		{ tct_text_bytes, 1536, "1.5 KiB" },
		{ tct_text_bytes, -1536, "-1.5 KiB" },
		{ tct_text_bytes, INT64_C(1288490189), "1.2 GiB" },
		{ tct_text_bytes, INT64_C(64) << 30, "64 GiB" },
		{ tct_text_bytes, INT64_MAX, "8388607 TiB" },
		{ tct_text_bytes, INT64_MIN, "-8388608 TiB" },
		{ tct_text_nanoseconds, 0, "0 s" },
		{ tct_text_nanoseconds, INT64_C(7200) * 1000000000, "2 h" },
		{ tct_text_nanoseconds, INT64_C(350) * 1000000000, "350 s" },
		{ tct_text_nanoseconds, INT64_C(924600) * 1000000, "924 s" },
		{ tct_text_nanoseconds, INT64_C(1500000000), "1.5 s" },
		{ tct_text_nanoseconds, 40000000, "40 ms" },
		{ tct_text_nanoseconds, 200000, "200 us" },
		{ tct_text_nanoseconds, INT64_MIN, "-9223372036 s" },
		{ tct_text_millionths, 0, "0" },
		{ tct_text_millionths, 34000000, "34" },
		{ tct_text_millionths, 500000, "0.5" },
		{ tct_text_millionths, -500000, "-0.5" },
		{ tct_text_millionths, 1250000, "1.25" },
		{ tct_text_millionths, 10000, "0.01" },
		{ tct_text_millionths, 3300, "0.0033" },
		{ tct_text_millionths, -1, "-0.000001" },
		{ tct_text_millionths, INT64_C(41203900000), "41,203" },
		{ tct_text_millionths, INT64_MIN, "-9,223,372,036,854" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		char out[TCT_NUMBER_TEXT];

		ck_assert_str_eq(cases[i].write(cases[i].number, out), cases[i].text);
	}
}
END_TEST

START_TEST(white_space_is_trimmed)
{
	char both[] = " \t\r\n\v\fa b \n";
	char none[] = "ab";
	char blank[] = " \t ";
	char empty[] = "";

	ck_assert_str_eq(tct_text_trim(both), "a b");
	ck_assert_str_eq(tct_text_trim(none), "ab");
	ck_assert_str_eq(tct_text_trim(blank), "");
	ck_assert_str_eq(tct_text_trim(empty), "");
}
END_TEST

START_TEST(a_copy_is_terminated)
{
	TCT_AUTOFREE char *copy = tct_text_copy("abcdef", 3);

	ck_assert_str_eq(copy, "abc");
}
END_TEST

static const char *candidate(const void *context, size_t i)
{
	const char *const *names = (const char *const *)context;

	return names[i];
}

START_TEST(a_misspelling_finds_its_name)
{
	static const char *const names[] = { "backlog", "queue",           "port",
					     "ports",   "ListenOverflows", NULL };
	char endless[300];

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	ck_assert_str_eq(tct_text_nearest("backlog", candidate, names), "backlog");
	ck_assert_str_eq(tct_text_nearest("bakclog", candidate, names), "backlog");
	ck_assert_str_eq(tct_text_nearest("queu", candidate, names), "queue");
	ck_assert_str_eq(tct_text_nearest("ports", candidate, names), "ports");
	ck_assert_str_eq(tct_text_nearest("listenoverflow", candidate, names), "ListenOverflows");
	ck_assert_ptr_null(tct_text_nearest("syncookies", candidate, names));
	ck_assert_ptr_null(tct_text_nearest("", candidate, names));
	ck_assert_ptr_null(tct_text_nearest(endless, candidate, names));
}
END_TEST

START_TEST(utf8_is_told_from_bytes)
{
	static const struct {
		const char *bytes;
		bool good;
	} cases[] = {
		{ "", true },
		{ "plain", true },
		{ "\xe6\x9c\x80", true },
		{ "\xc2\xa0", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\x80", false },
		{ "\xc0\x80", false },
		{ "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xe6\x9c", false },
		{ "a\xff", false },
		{ "\xe6\x9c"
		  "a",
		  false },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++)
		ck_assert_msg(tct_text_is_utf8(cases[i].bytes, strlen(cases[i].bytes)) ==
				      cases[i].good,
			      "case %zu", i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, text_grows_and_is_handed_over);
	tcase_add_test(tests, text_may_be_empty_or_cleared);
	tcase_add_test(tests, text_remembers_that_memory_failed);
	tcase_add_test(tests, numbers_read_well);
	tcase_add_test(tests, white_space_is_trimmed);
	tcase_add_test(tests, a_copy_is_terminated);
	tcase_add_test(tests, a_misspelling_finds_its_name);
	tcase_add_test(tests, utf8_is_told_from_bytes);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
