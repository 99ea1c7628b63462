/* The bounded YAML reader: what it takes, and how it refuses the rest: one line, with a place. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/rules/passage.h"
#include "audit/rules/yaml.h"
#include "core/mem.h"
#include "core/text.h"

static struct tct_arena *arena;

static void open_arena(void)
{
	arena = tct_arena_new(128U << 20);
	ck_assert_ptr_nonnull(arena);
}

static void close_arena(void)
{
	tct_arena_free(arena);
	arena = NULL;
}

static const struct tct_yaml_node *parse(const char *text)
{
	struct tct_yaml_node *root = NULL;
	struct tct_err err = { 0 };
	int status = tct_yaml_parse(arena, "f.yaml", text, strlen(text), &root, &err);

	ck_assert_msg(status == 0, "%s: %s", text, err.message);
	return root;
}

/* Parse bytes that must be refused; what was said, with its place. */
static const char *refusal_of_bytes(const char *bytes, size_t length)
{
	static char text[1024];
	struct tct_yaml_node *root = NULL;
	struct tct_err err = { 0 };
	int status = tct_yaml_parse(arena, "f.yaml", bytes, length, &root, &err);

	ck_assert_msg(status == -EINVAL, "not refused: %.60s", bytes);
	ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
	ck_assert_ptr_null(root);
	ck_assert_ptr_null(strpbrk(err.message, "\r\n\t\x1b"));
	return tct_err_text(&err, text, sizeof(text));
}

static const char *refusal_of(const char *text)
{
	return refusal_of_bytes(text, strlen(text));
}

START_TEST(a_tree_has_kinds_texts_and_places)
{
	const struct tct_yaml_node *root = parse("# note\n"
						 "a: one\n"
						 "list: [x, \"y\", 'z']\n"
						 "map:\n"
						 "  inner: |\n"
						 "    two\n"
						 "    lines\n"
						 "  empty:\n");
	const struct tct_yaml_node *list = tct_yaml_get(root, "list");
	const struct tct_yaml_node *inner = tct_yaml_get(tct_yaml_get(root, "map"), "inner");

	ck_assert_int_eq(root->kind, TCT_YAML_MAP);
	ck_assert_uint_eq(root->count, 3);
	ck_assert_str_eq(tct_yaml_get(root, "a")->text, "one");
	ck_assert_uint_eq(tct_yaml_get(root, "a")->line, 2);
	ck_assert_uint_eq(tct_yaml_get(root, "a")->column, 4);
	ck_assert_int_eq(list->kind, TCT_YAML_LIST);
	ck_assert_uint_eq(list->count, 3);
	ck_assert_str_eq(list->first->next->text, "y");
	ck_assert_int_eq(list->first->next->style, TCT_YAML_DOUBLE_QUOTED);
	ck_assert_int_eq(list->last->style, TCT_YAML_SINGLE_QUOTED);
	ck_assert_str_eq(inner->text, "two\nlines\n");
	ck_assert_int_eq(inner->style, TCT_YAML_BLOCK);
	ck_assert_str_eq(tct_yaml_get(tct_yaml_get(root, "map"), "empty")->text, "");
	ck_assert_ptr_null(tct_yaml_get(root, "nothing"));
	ck_assert_ptr_null(tct_yaml_get(list, "x"));
}
END_TEST

START_TEST(line_ends_and_encodings)
{
	const struct tct_yaml_node *root = parse("a: 1\r\nb: \"Größe\"\r\nc: 3");

	ck_assert_str_eq(tct_yaml_get(root, "b")->text, "Größe");
	ck_assert_uint_eq(tct_yaml_get(root, "b")->line, 2);
	ck_assert_str_eq(tct_yaml_get(root, "c")->text, "3");
	ck_assert_str_eq(
		refusal_of("\xef\xbb\xbf"
			   "a: 1\n"),
		"f.yaml:1:1: the file begins with a byte order mark: save it as UTF-8 without one");
	ck_assert_str_eq(refusal_of_bytes("\xff\xfe"
					  "a\0:\0",
					  6),
			 "f.yaml:1:1: the file is UTF-16: save it as UTF-8");
	ck_assert_str_eq(refusal_of("a: 1\nb: \xc3\x28\n"), "f.yaml:2:4: this line is not UTF-8");
	ck_assert_str_eq(refusal_of_bytes("a: 1\n\nb: x\0y\n", 13),
			 "f.yaml:3:5: there is a NUL byte in this line: this is not a text file");
	ck_assert_str_eq(refusal_of("a: \"x\\0y\"\n"), "f.yaml:1:4: text must not contain a NUL");
	ck_assert_ptr_nonnull(
		strstr(refusal_of("a: \x01\n"), "not valid YAML: control characters"));
}
END_TEST

START_TEST(nothing_but_plain_trees)
{
	static const struct {
		const char *text;
		const char *refusal;
	} cases[] = {
		{ "", "f.yaml: the file is empty" },
		{ "# only a comment\n", "f.yaml: the file is empty" },
		{ "a: 1\na: 2\n", "f.yaml:2:1: `a` is given twice, first in line 1" },
		{ "x: 1\ny: {b: 1, c: 2, b: 3}\n",
		  "f.yaml:2:17: `b` is given twice, first in line 2" },
		{ "a: 1\nb: 1\nb: 1\na: 1\n", "f.yaml:3:1: `b` is given twice, first in line 2" },
		{ "a: 1\n\"a\": 2\n", "f.yaml:2:1: `a` is given twice, first in line 1" },
		{ "a: &x 1\n", "f.yaml:1:4: anchors (&name) are not allowed" },
		{ "a: &x [1]\n", "f.yaml:1:4: anchors (&name) are not allowed" },
		{ "&x {a: 1}\n", "f.yaml:1:1: anchors (&name) are not allowed" },
		{ "a: *x\n", "f.yaml:1:4: aliases (*name) are not allowed" },
		{ "a: !!str 1\n", "f.yaml:1:4: tags (!name) are not allowed" },
		{ "a: !x [1]\n", "f.yaml:1:4: tags (!name) are not allowed" },
		{ "a: !x {b: 1}\n", "f.yaml:1:4: tags (!name) are not allowed" },
		{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document: only one is allowed" },
		{ "[a]: 1\n", "f.yaml:1:1: the name of a field must be text" },
		{ "? {a: 1}\n: 2\n", "f.yaml:1:3: the name of a field must be text" },
		{ "when: a, at_least: 5\n",
		  "f.yaml:1:18: not valid YAML: mapping values are not allowed in this context (text that contains \": \" must be quoted)" },
		{ "a: [1, 2\n",
		  "f.yaml:2:1: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence" },
		{ "a: \"x\n",
		  "f.yaml:2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar" },
		{ "a:\n\t- b\n",
		  "f.yaml:2:1: not valid YAML: found character that cannot start any token while scanning for the next token" },
		{ "a: 1\n b: 2\n",
		  "f.yaml:2:3: not valid YAML: mapping values are not allowed in this context (text that contains \": \" must be quoted)" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++)
		ck_assert_str_eq(refusal_of(cases[i].text), cases[i].refusal);
	/* merge keys are no magic */
	ck_assert_str_eq(tct_yaml_get(parse("<<: 1\n"), "<<")->text, "1");
}
END_TEST

/* `piece` again and again, up to `size` bytes. */
static char *repeated(const char *piece, size_t size)
{
	size_t length = strlen(piece);
	char *text = malloc(size + length + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t at = 0; at < size; at += length)
		memcpy(text + at, piece, length);
	text[size / length * length] = '\0';
	return text;
}

START_TEST(bombs_are_refused_quickly)
{
	static const struct {
		const char *piece;
		const char *refusal; /* its end */
	} cases[] = {
		{ "[", "nested more than 32 levels deep" },
		{ "{a: ", "nested more than 32 levels deep" },
		{ "- ", "nested more than 32 levels deep" },
		{ "? ", "the name of a field must be text" },
		{ "[{", "the name of a field must be text" },
		{ "[a]: ", "" },
		{ "a: 1\n", "the file has more than 100,000 values" },
		{ "- 1\n", "the file has more than 100,000 values" },
		{ "- &a\n", "anchors (&name) are not allowed" },
		{ "---\n", "" },
		{ "\"", "" },
		{ "!", "" },
		{ "%", "" },
		{ "\x7f", "" },
		{ "|\n", "" },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		TCT_AUTOFREE char *text = repeated(cases[i].piece, TCT_YAML_FILE_MAX);
		struct timespec start;
		struct timespec end;
		const char *refusal;

		ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &start), 0);
		refusal = refusal_of(text);
		ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &end), 0);
		ck_assert_msg(strstr(refusal, cases[i].refusal) != NULL, "%s: %s", cases[i].piece,
			      refusal);
		ck_assert_msg(end.tv_sec - start.tv_sec < 10, "%s: slow", cases[i].piece);
	}
}
END_TEST

START_TEST(block_nesting_is_bounded)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (int depth = 0; depth < 1000; depth++) {
		for (int i = 0; i < depth; i++)
			tct_text_add(&text, " ");
		tct_text_add(&text, "a:\n");
	}
	ck_assert_str_eq(refusal_of(text.data), "f.yaml:33:33: nested more than 32 levels deep");
}
END_TEST

START_TEST(an_alias_bomb_dies_at_its_first_anchor)
{
	ck_assert_str_eq(refusal_of("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"),
			 "f.yaml:1:4: anchors (&name) are not allowed");
}
END_TEST

START_TEST(sizes_are_bounded)
{
	TCT_AUTOFREE char *big = repeated("x", TCT_YAML_FILE_MAX + 1);
	TCT_AUTOFREE char *most = repeated("x", TCT_YAML_FILE_MAX);

	ck_assert_str_eq(refusal_of(big), "f.yaml: the file is larger than 1 MiB");
	ck_assert_uint_eq(parse(most)->length, TCT_YAML_FILE_MAX);
}
END_TEST

START_TEST(trees_are_compared_by_content)
{
	ck_assert(tct_yaml_equal(parse("{a: [1, 'x'], b: {c: d}}"),
				 parse("a:\n- '1'\n- x\nb:\n  c: \"d\"\n")));
	ck_assert(!tct_yaml_equal(parse("a: 1"), parse("a: 2")));
	ck_assert(!tct_yaml_equal(parse("a: 1"), parse("b: 1")));
	ck_assert(!tct_yaml_equal(parse("[1, 2]"), parse("[1]")));
	ck_assert(!tct_yaml_equal(parse("[1]"), parse("1")));
	ck_assert(!tct_yaml_equal(parse("[1, {a: 2}]"), parse("[1, {a: 3}]")));
	ck_assert(!tct_yaml_equal(NULL, parse("1")));
	ck_assert(tct_yaml_equal(NULL, NULL));
}
END_TEST

/* The text marks the wanted place with a $, which the scalar contains as well. */
START_TEST(a_byte_of_a_text_is_found_in_the_file)
{
	static const struct {
		const char *text;
		unsigned line;
		unsigned column;
	} cases[] = {
		{ "a: one $", 1, 8 },
		{ "a: \"one $\"", 1, 9 },
		{ "a: 'it''s $'", 1, 11 },
		{ "a: \"\\x41 \\u00e4\\n$\"", 1, 18 },
		{ "a: \"tab\\t $\"", 1, 11 },
		{ "a: \"Größe $\"", 1, 11 },
		{ "k: v\na: >-\n  one and\n  two $\n", 4, 7 },
		{ "k: v\r\na: >-\r\n  one and\r\n  two $\r\n", 4, 7 },
		{ "a: |\n  one\n\n  $\n", 4, 3 },
		{ "a: one\n   two\n   $\n", 3, 4 },
		{ "a: \"one\\\n    two $\"", 2, 9 },
		{ "a: $", 1, 4 },
	};

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		const struct tct_yaml_node *node = tct_yaml_get(parse(cases[i].text), "a");
		unsigned line = 0;
		unsigned column = 0;

		tct_yaml_locate(node, (size_t)(strchr(node->text, '$') - node->text), &line,
				&column);
		ck_assert_msg(line == cases[i].line && column == cases[i].column, "case %zu: %u:%u",
			      i, line, column);
		/* beyond the end it stays inside the file */
		tct_yaml_locate(node, node->length + 5, &line, &column);
	}
}
END_TEST

/* Random damage to a real file: any answer is right as long as there is one. */
START_TEST(damaged_files_are_survived)
{
	static const char seed[] =
		"schema: x\nextends: [a, 'b']\nsettings:\n  k.e-y: {set: \"5\", because: >-\n"
		"      folded\n      text}\n  ? q\n  : |2\n      block\nlist:\n- &a 1\n- *a\n- !t 2\n";
	static const char dirt[] = "[]{}:,-?&*!|>'\"%@`#\n\r\t \\x0~\x80\xff\x01";
	unsigned state = 12345;
	time_t end = time(NULL) + 3;

	for (unsigned round = 0; round < 40000 && time(NULL) < end; round++) {
		char text[sizeof(seed)];
		struct tct_yaml_node *root = NULL;
		struct tct_err err = { 0 };

		memcpy(text, seed, sizeof(seed));
		for (unsigned i = 0; i <= round % 8; i++) {
			state = state * 1103515245U + 12345U;
			text[(state >> 8) % (sizeof(seed) - 1)] =
				dirt[(state >> 20) % (sizeof(dirt) - 1)];
		}
		if (tct_yaml_parse(arena, "f", text, sizeof(seed) - 1 - round % 50, &root, &err) <
		    0) {
			ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
			ck_assert_uint_gt(strlen(err.message), 0);
		} else if (root->kind == TCT_YAML_SCALAR) {
			unsigned line;
			unsigned column;

			tct_yaml_locate(root, root->length / 2, &line, &column);
		}
		tct_arena_reset(arena);
	}
}
END_TEST

START_TEST(an_arena_has_a_limit)
{
	struct tct_arena *small = tct_arena_new(100);

	ck_assert_ptr_nonnull(tct_arena_alloc(small, 60));
	ck_assert_ptr_null(tct_arena_alloc(small, 60));
	ck_assert_ptr_null(tct_arena_alloc(small, SIZE_MAX));
	ck_assert_ptr_null(tct_arena_array(small, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(tct_arena_text(small, "", SIZE_MAX));
	tct_arena_reset(small);
	ck_assert_str_eq(tct_arena_text(small, "again", 5), "again");
	tct_arena_free(small);
	tct_arena_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tests = tcase_create("yaml");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, open_arena, close_arena);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_tree_has_kinds_texts_and_places);
	tcase_add_test(tests, line_ends_and_encodings);
	tcase_add_test(tests, nothing_but_plain_trees);
	tcase_add_test(tests, bombs_are_refused_quickly);
	tcase_add_test(tests, block_nesting_is_bounded);
	tcase_add_test(tests, an_alias_bomb_dies_at_its_first_anchor);
	tcase_add_test(tests, sizes_are_bounded);
	tcase_add_test(tests, trees_are_compared_by_content);
	tcase_add_test(tests, a_byte_of_a_text_is_found_in_the_file);
	tcase_add_test(tests, damaged_files_are_survived);
	tcase_add_test(tests, an_arena_has_a_limit);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
