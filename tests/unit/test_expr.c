/* The expression language: what it means, and what is wrong with what it refuses. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "tests/unit/rules_world.h"

struct example {
	const char *text;
	const char *result;
};

static void check_values(const struct example *examples, size_t count)
{
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_env env = world_env();

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strcmp(world_value(examples[i].text, &scope, &env),
				     examples[i].result) == 0,
			      "%s: %s", examples[i].text,
			      world_value(examples[i].text, &scope, &env));
}

static void check_refusals(const struct example *examples, size_t count)
{
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);

	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(world_refusal(examples[i].text, &scope), examples[i].result);
}

START_TEST(literals)
{
	static const struct example examples[] = {
		{ "5", "5" },
		{ "1_000_000", "1,000,000" },
		{ "0x10", "16" },
		{ "0xFF_ff", "65,535" },
		{ "-7", "-7" },
		{ "9223372036854775807", "9,223,372,036,854,775,807" },
		{ "512B", "512 bytes" },
		{ "16KiB", "16 KiB" },
		{ "16 KiB", "16 KiB" },
		{ "3MiB", "3 MiB" },
		{ "8 GiB", "8 GiB" },
		{ "1TiB", "1 TiB" },
		{ "5ns", "0 us" },
		{ "7us", "7 us" },
		{ "40ms", "40 ms" },
		{ "1.5s", "1.5 s" },
		{ "2.5 ms", "2.5 ms" },
		{ "5 min", "300 s" },
		{ "2h", "2 h" },
		{ "1d", "24 h" },
		{ "90s", "90 s" },
		{ "5399s", "5399 s" },
		{ "7199s", "7199 s" },
		{ "7875s", "2 h 11 min" },
		{ "7201s", "2 h" },
		{ "50h", "50 h" },
		{ "2d", "2 days" },
		{ "172801s", "2 days" },
		{ "3d + 5min", "3 days" },
		{ "1500d", "1,500 days" },
		{ "-3d", "-72 h" },
		{ "5%", "5 %" },
		{ "5/s", "5/s" },
		{ "0.5/s / 2", "0.25/s" },
		{ "0.5%", "0.5 %" },
		{ "0.25 %", "0.25 %" },
		{ "\"it's\"", "it's" },
		{ "'say \"x\"'", "say \"x\"" },
		{ "true", "yes" },
		{ "false", "no" },
		{ "4.12", "4.12" },
		{ "6.18.44", "6.18.44" },
	};

	check_values(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(malformed_literals)
{
	static const struct example examples[] = {
		{ "010",
		  "f:1:1: a number must not begin with 0: the kernel reads such numbers as octal" },
		{ "1__0", "f:1:1: malformed number" },
		{ "1_", "f:1:1: malformed number" },
		{ "0x", "f:1:1: malformed hexadecimal number" },
		{ "0xg", "f:1:1: malformed hexadecimal number" },
		{ "1.", "f:1:1: malformed number" },
		{ "1.2.3.4", "f:1:1: malformed number" },
		{ "1.2.3s", "f:1:1: malformed number" },
		{ "70000.1", "f:1:1: a version's parts go up to 65535" },
		{ "1.5GiB", "f:1:1: decimals go with s, ms, % and /s only, not with GiB" },
		{ "0.00001%", "f:1:1: at most 4 decimals with %" },
		{ "0.0000001/s", "f:1:1: at most 6 decimals with /s" },
		{ "5 / s", "f:1:5: unknown name `s`" },
		{ "1.0123456789s", "f:1:1: at most 9 decimals with s" },
		{ "cpus + 5MB",
		  "f:1:9: unknown unit `MB`: B KiB MiB GiB TiB, ns us ms s min h d, % or /s" },
		{ "5m", "f:1:2: unknown unit `m`: B KiB MiB GiB TiB, ns us ms s min h d, % or /s" },
		{ "9223372036854775808", "f:1:1: this number is too large (64 bits)" },
		{ "0x8000000000000000", "f:1:3: this number is too large (64 bits)" },
		{ "9000000TiB", "f:1:1: this number is too large (64 bits)" },
		{ "300000000000s", "f:1:1: this number is too large (64 bits)" },
		{ "\"open", "f:1:1: this text has no closing \"" },
		{ "1 $ 2", "f:1:3: unexpected `$`" },
		{ "1 + \xc3\xa4", "f:1:5: unexpected character outside of quotes" },
		{ "cpus = 1", "f:1:6: `=`: a comparison is written ==" },
		{ "true && true", "f:1:6: `&`: write and, or, not" },
		{ "!true", "f:1:1: `!`: write and, or, not" },
	};

	check_refusals(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(arithmetic)
{
	static const struct example examples[] = {
		{ "1 + 2 * 3", "7" },
		{ "(1 + 2) * 3", "9" },
		{ "10 - 2 - 3", "5" },
		{ "100 / 10 / 5", "2" },
		{ "7 / 2", "3" },
		{ "-7 / 2", "-3" },
		{ "- -3", "3" },
		{ "2 - -3", "5" },
		{ "mem_total / 16KiB", "524,288" },
		{ "mem_total / 4", "2 GiB" },
		{ "2 * mem_total", "16 GiB" },
		{ "mem_total * cpus", "32 GiB" },
		{ "25% * mem_total", "2 GiB" },
		{ "50% * 50%", "25 %" },
		{ "1/3 + 1", "1" },
		{ "10s / 3ms", "3,333" },
		{ "1h + 30min", "5400 s" },
		{ "clamp(floor_pow2(mem_total / 16KiB), 262144, 2097152)", "524,288" },
		{ "clamp(1, 5, 9)", "5" },
		{ "clamp(99, 5, 9)", "9" },
		{ "clamp(1, 9, 5)", "failed: clamp(): the lowest is above the highest" },
		{ "min(3, 1, 2)", "1" },
		{ "max(1s, 2s)", "2 s" },
		{ "max(1s, 0)", "1 s" },
		{ "abs(-5)", "5" },
		{ "floor_pow2(1)", "1" },
		{ "floor_pow2(1023)", "512" },
		{ "floor_pow2(9223372036854775807)", "4,611,686,018,427,387,904" },
		{ "floor_pow2(0)", "failed: floor_pow2(): the number is below 1" },
		{ "floor_pow2(-8)", "failed: floor_pow2(): the number is below 1" },
		{ "1 / (cpus - 4)", "failed: division by zero in `1 / (cpus - 4)`" },
		{ "9223372036854775807 + cpus",
		  "failed: overflow in `9223372036854775807 + cpus`" },
		{ "-9223372036854775807 - cpus",
		  "failed: overflow in `-9223372036854775807 - cpus`" },
		{ "9223372036854775807 * cpus",
		  "failed: overflow in `9223372036854775807 * cpus`" },
		{ "(-9223372036854775807 - 1) / -1",
		  "failed: overflow in `(-9223372036854775807 - 1) / -1`" },
		{ "-(-9223372036854775807 - 1)",
		  "failed: overflow in `-(-9223372036854775807 - 1)`" },
		{ "abs(-9223372036854775807 - 1)", "failed: abs(): overflow" },
		{ "9000000000000% * mem_total",
		  "failed: overflow in `9000000000000% * mem_total`" },
	};

	check_values(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(logic_and_comparison)
{
	static const struct example examples[] = {
		{ "kernel >= 4.12", "yes" },
		{ "kernel < 6.18.1", "yes" },
		{ "kernel == 6.18", "yes" },
		{ "1 < 2 and 2 < 3", "yes" },
		{ "true or false and false", "yes" },
		{ "not true or true", "yes" },
		{ "not (true or true)", "no" },
		{ "not 1 == 2", "yes" },
		{ "true == (not false)", "yes" },
		{ "'a' == \"a\"", "yes" },
		{ "'a' != 'b'", "yes" },
		{ "1GiB > 1000MiB", "yes" },
		{ "60s == 1min", "yes" },
		{ "1% < 10%", "yes" },
		{ "mem_total > 0", "yes" },
		{ "initial_namespace", "yes" },
		{ "starts_with('net.ipv4.x', 'net.')", "yes" },
		{ "starts_with('net', 'net.')", "no" },
		{ "port_in('80,9000-9100', 9050)", "yes" },
		{ "port_in('80,9000-9100', 80)", "yes" },
		{ "port_in('80,9000-9100', 81)", "no" },
		{ "port_in('', 81)", "no" },
		{ "port_in('80;81', 81)", "failed: port_in(): `80;81` is not a list of ports" },
		{ "port_in('80,', 81)", "failed: port_in(): `80,` is not a list of ports" },
		{ "port_in('99999999999999999999', 81)",
		  "failed: port_in(): `99999999999999999999` is not a list of ports" },
		/* what isn't known decides nothing, and is passed on only where it matters */
		{ "state(LISTEN) > 5", "missing: socket states: not seen" },
		{ "false and state(LISTEN) > 5", "no" },
		{ "state(LISTEN) > 5 and false", "no" },
		{ "true and state(LISTEN) > 5", "missing: socket states: not seen" },
		{ "state(LISTEN) > 5 or true", "yes" },
		{ "true or state(LISTEN) > 5", "yes" },
		{ "false or state(LISTEN) > 5", "missing: socket states: not seen" },
		{ "not state(LISTEN) > 5", "missing: socket states: not seen" },
		{ "known(state(LISTEN))", "no" },
		{ "known(cpus)", "yes" },
		{ "known(1 / 0)", "failed: division by zero in `1 / 0`" },
		{ "cpus != 4 and 1 / (cpus - 4) > 0", "no" },
		{ "cpus == 4 or 1 / (cpus - 4) > 0", "yes" },
		{ "state(LISTEN) > 1 / 0", "failed: division by zero in `1 / 0`" },
	};

	check_values(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(syntax_errors_have_their_column)
{
	static const struct example examples[] = {
		{ "", "f:1:1: the expression is empty" },
		{ "   ", "f:1:1: the expression is empty" },
		{ "1 +", "f:1:4: the expression ends where a value should be" },
		{ "(1", "f:1:3: the expression ends where `)` should be" },
		{ "1)", "f:1:2: `)` stands where an operator or the end should be" },
		{ "1 2", "f:1:3: `2` stands where an operator or the end should be" },
		{ "* 2", "f:1:1: `*` stands where a value should be" },
		{ "1 < 2 < 3", "f:1:7: comparisons can't be chained: write a < b and b < c" },
		{ "1 == 2 != true", "f:1:8: comparisons can't be chained: write a < b and b < c" },
		{ "true == not false", "f:1:9: `not` needs parentheses here: (not ...)" },
		{ "max(1,)", "f:1:7: `)` stands where an argument should be" },
		{ "max(1 2)", "f:1:7: `2` stands where `,` or `)` should be" },
		{ "max(1", "f:1:6: the expression ends where `,` or `)` should be" },
		{ "max(1, 2: 3)", "f:1:9: `:` stands where `,` or `)` should be" },
		{ "ratio(1, at_least: 3, 4)", "f:1:23: nothing may follow a named argument" },
		{ "sysctl(net.ipv4.tcp_rmem)[x]",
		  "f:1:27: `x` stands where the number of a field should be" },
		{ "sysctl(net.ipv4.tcp_rmem)[1",
		  "f:1:28: the expression ends where `]` should be" },
	};

	check_refusals(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(type_errors_have_their_column)
{
	static const struct example examples[] = {
		{ "cpus + mem_total", "f:1:8: bytes doesn't go with a count before it" },
		{ "cpus > 5s", "f:1:8: a time doesn't go with a count before it" },
		{ "mem_total > 5",
		  "f:1:13: 5 stands for bytes here: give it a unit (B, KiB, MiB ...)" },
		{ "interval > 5",
		  "f:1:12: 5 stands for a time here: give it a unit (ms, s, min ...)" },
		{ "5% > 3", "f:1:6: 3 stands for a share (%) here: give it a unit (%)" },
		{ "5% > 0.5",
		  "f:1:6: a version doesn't go with a share (%) before it (digits with a dot and no unit are a version)" },
		{ "kernel >= 6",
		  "f:1:11: a count doesn't go with a version before it (a version has a dot: 6.0)" },
		{ "1 + true", "f:1:5: a number is needed here, not true or false" },
		{ "'a' + 'b'", "f:1:1: a number is needed here, not text" },
		{ "'a' < 'b'", "f:1:1: text can only be compared with == and !=" },
		{ "true < false", "f:1:1: true or false can only be compared with == and !=" },
		{ "'a' == 1", "f:1:8: a count doesn't go with text before it" },
		{ "1 and true", "f:1:1: `and` needs true or false on both sides, not a count" },
		{ "true or 1s", "f:1:9: `or` needs true or false on both sides, not a time" },
		{ "not 5", "f:1:5: `not` needs true or false, not a count" },
		{ "-'a'", "f:1:2: - needs a number, not text" },
		{ "-kernel", "f:1:2: - needs a number, not a version" },
		{ "mem_total * mem_total",
		  "f:1:1: bytes times bytes: one side must be a count or a share" },
		{ "2 * 5%", "f:1:1: a plain number times a share: write the share itself" },
		{ "cpus / 5s", "f:1:8: a time doesn't go with a count before it" },
		{ "'a' * 2", "f:1:1: a number is needed here, not text" },
		{ "max(1, 2s, 3B)", "f:1:12: bytes doesn't go with a time before it" },
		{ "max(1)", "f:1:1: wrong number of arguments: max(a, b, ...)" },
		{ "clamp(1, 2)", "f:1:1: wrong number of arguments: clamp(x, lowest, highest)" },
		{ "abs('x')", "f:1:5: a number is needed here, not text" },
		{ "starts_with('x', 5)", "f:1:18: text is needed here, not a count" },
		{ "port_in('x', 5s)", "f:1:14: a count is needed here, not a time" },
		{ "floor_pow2(5.1)", "f:1:12: a number is needed here, not a version" },
		{ "ratio(1, 2, 3)", "f:1:1: wrong number of arguments: ratio(a, b, at_least: N)" },
		{ "ratio(1, 2, at_most: 3)",
		  "f:1:1: ratio(a, b, at_least: N) has no argument `at_most`" },
		{ "max(1, x: 3)", "f:1:1: max(a, b, ...) has no argument `x`" },
		{ "unset(duration)", "f:1:1: unset() only stands alone, as a variable's value" },
		{ "known(1, 2)", "f:1:1: wrong number of arguments: known(x)" },
		{ "cpus[1]", "f:1:1: only a sysctl with several fields takes an [index]" },
	};

	check_refusals(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(unknown_names_suggest_the_nearest)
{
	static const struct example examples[] = {
		{ "cpu + 1", "f:1:1: unknown name `cpu`: did you mean `cpus`?" },
		{ "1 + mem_totl", "f:1:5: unknown name `mem_totl`: did you mean `mem_total`?" },
		{ "nonsense_altogether", "f:1:1: unknown name `nonsense_altogether`" },
		{ "clam(1, 2, 3)", "f:1:1: unknown function `clam`: did you mean `clamp`?" },
		{ "mx(1, 2)", "f:1:1: unknown function `mx`: did you mean `max`?" },
		{ "frobnicate(1)", "f:1:1: unknown function `frobnicate`" },
		{ "max", "f:1:1: `max` is a function: max(a, b, ...)" },
		{ "queue > 5", "f:1:1: `queue` is only known in rules with `each: listener`" },
		{ "drift", "f:1:1: `drift` is only known in rules with `each: key`" },
		{ "value != 0", "f:1:1: `value` is only known in `never`" },
		{ "net.core.somaxconn > 5",
		  "f:1:1: a key's value is written sysctl(net.core.somaxconn)" },
		{ "TcpExt.ListenDrops > 5",
		  "f:1:1: a counter is written rate(TcpExt.ListenDrops), or counter(), delta()" },
		{ "a.b.c", "f:1:1: unknown name `a.b.c`" },
		{ "sysctl(net.core.somaxcon)",
		  "f:1:8: unknown key `net.core.somaxcon`: did you mean `net.core.somaxconn`?" },
		{ "sysctl(kernel.foo)", "f:1:8: unknown key `kernel.foo`" },
		{ "sysctl('net.core.somaxconn')",
		  "f:1:8: sysctl(KEY): the key stands there as it is: sysctl(net.core.somaxconn)" },
		{ "sysctl(net.ipv4.tcp_fastopen_key)",
		  "f:1:8: net.ipv4.tcp_fastopen_key is a secret: tcptune never reads it" },
		{ "sysctl(net.ipv4.tcp_rmem) > 5",
		  "f:1:1: net.ipv4.tcp_rmem has 3 fields: write [0] to [2] after it" },
		{ "sysctl(net.ipv4.tcp_rmem)[3] > 5",
		  "f:1:1: net.ipv4.tcp_rmem has 3 fields: [0] to [2]" },
		{ "sysctl(net.core.somaxconn)[0] > 5",
		  "f:1:1: net.core.somaxconn has one field: no [index]" },
		{ "sysctl(net.ipv4.tcp_rmem)[1][1] > 5",
		  "f:1:1: only a sysctl with several fields takes an [index]" },
		{ "default(net.ipv4.tcp_congestion_control)",
		  "f:1:9: default() is for numbers: net.ipv4.tcp_congestion_control holds text" },
		{ "rate(TcpExt.ListenOverflow)",
		  "f:1:6: unknown counter `TcpExt.ListenOverflow`: did you mean `TcpExt.ListenOverflows`?" },
		{ "rate(sockstat.TCP.mem)",
		  "f:1:6: sockstat.TCP.mem is a level, it has no rate(): use counter(sockstat.TCP.mem)" },
		{ "delta(Tcp.CurrEstab)",
		  "f:1:7: Tcp.CurrEstab is a level, it has no delta(): use counter(Tcp.CurrEstab)" },
		{ "state(OPEN)",
		  "f:1:7: state() takes ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING" },
		{ "idle(everybody, 5s)",
		  "f:1:6: idle() takes close_wait, remote, unguarded, retransmitting, unanswered, heard_unacked or zero_window" },
		{ "idle(remote, 5)",
		  "f:1:14: 5 stands for a time here: give it a unit (ms, s, min ...)" },
	};

	check_refusals(examples, TCT_COUNT(examples));
}
END_TEST

START_TEST(settings_may_not_look_at_evidence)
{
	static const struct example examples[] = {
		{ "state(LISTEN)", "state" },
		{ "rate(TcpExt.ListenDrops)", "rate" },
		{ "sysctl(net.core.somaxconn)", "sysctl" },
		{ "default(net.core.somaxconn)", "default" },
		{ "population(remote)", "population" },
		{ "counter(Tcp.CurrEstab)", "counter" },
	};
	const struct tct_scope_names pure = { 0 };
	char wanted[256];

	for (size_t i = 0; i < TCT_COUNT(examples); i++) {
		(void)snprintf(
			wanted, sizeof(wanted),
			"f:1:5: %s() can't be used here: it must not depend on what is seen, so that applying twice changes nothing",
			examples[i].result);
		char text[64];

		(void)snprintf(text, sizeof(text), "1 + %s", examples[i].text);
		ck_assert_str_eq(world_refusal(text, &pure), wanted);
	}
	ck_assert_str_eq(
		world_refusal("interval / 1s", &pure),
		"f:1:1: `interval` can only be used in rules: settings must not depend on what is seen");
}
END_TEST

START_TEST(an_expected_type_is_checked)
{
	const struct tct_type boolean = { .kind = TCT_KIND_BOOL };
	const struct tct_type time_in_s = { .kind = TCT_KIND_NUMBER,
					    .dimension = TCT_DIM_TIME,
					    .has_native = true,
					    .native = TCT_UNIT_S };
	const struct tct_scope_names scope = { 0 };
	const struct tct_place place = { "f", 7, 11 };
	const struct tct_env env = world_env();
	struct tct_expr *expr = NULL;
	struct tct_result result;
	struct tct_err err = { 0 };
	int64_t bare = 0;

	ck_assert_int_eq(
		tct_expr_compile(world.arena, "cpus", place, &scope, &boolean, &expr, &err),
		-EINVAL);
	ck_assert_str_eq(err.message, "true or false is needed here, not a count");
	ck_assert_uint_eq(err.line, 7);
	ck_assert_uint_eq(err.column, 11);
	ck_assert_int_eq(
		tct_expr_compile(world.arena, "1 +\n  x", place, &scope, NULL, &expr, &err),
		-EINVAL);
	ck_assert_uint_eq(err.line, 8);
	ck_assert_uint_eq(err.column, 3);
	ck_assert_int_eq(
		tct_expr_compile(world.arena, "-30", place, &scope, &time_in_s, &expr, &err), 0);
	ck_assert(tct_expr_bare_number(expr, &bare));
	ck_assert_int_eq(bare, -30);
	tct_expr_eval(expr, &env, &result);
	ck_assert_int_eq(result.number, INT64_C(-30000000000));
	ck_assert_int_eq(
		tct_expr_compile(world.arena, "30s", place, &scope, &time_in_s, &expr, &err), 0);
	ck_assert(!tct_expr_bare_number(expr, &bare));
	ck_assert_int_eq(
		tct_expr_compile(world.arena, "2 * 30", place, &scope, &time_in_s, &expr, &err),
		-EINVAL);
	ck_assert_str_eq(err.message, "a time is needed here, not a count");
	ck_assert_int_eq(tct_expr_compile(world.arena, "9223372036854775807", place, &scope,
					  &time_in_s, &expr, &err),
			 -EINVAL);
	ck_assert_str_eq(err.message, "this number is too large (64 bits)");
}
END_TEST

/* before, times `middle`, after */
static char *pile(const char *before, const char *middle, size_t times, const char *after)
{
	struct tct_text text = { 0 };

	tct_text_add(&text, before);
	for (size_t i = 0; i < times; i++)
		tct_text_add(&text, middle);
	tct_text_add(&text, after);
	return tct_text_take(&text);
}

START_TEST(size_and_depth_are_bounded)
{
	static const struct {
		const char *before;
		const char *middle;
		size_t times;
		const char *after;
		const char *end;
	} cases[] = {
		{ "", "(", 8000, "1", "nested too deep (100 levels)" },
		{ "", "-", 8000, "1", "nested too deep (100 levels)" },
		{ "", "not ", 2000, "true", "nested too deep (100 levels)" },
		{ "1", "+1", 4000, "", "(100 levels)" },
		{ "true", " or true", 900, "", "(100 levels)" },
		{ "", "max(1,", 1300, "1", "nested too deep (100 levels)" },
		{ "max(1", ",1", 100, ")", "more than 16 arguments" },
		{ "", "9", 8000, "", "this number is too large (64 bits)" },
		{ "", "9", 1000000, "", "longer than 8192 bytes" },
		{ "", " ", 9000, "1", "longer than 8192 bytes" },
		{ "'", "x", 9000, "'", "longer than 8192 bytes" },
		{ "", "x", 8000, "",
		  "unknown name `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`" },
		{ "sysctl(net.", "x", 8000, ")", "unknown key" },
		{ "1.", "9", 8000, "s", "too large" },
		{ "0.", "0", 8000, "%", "at most 4 decimals" },
		{ "max(max(1,2,3,4),max(1,2,3,4)",
		  ",max(max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9),max(1,2,3,4,5,6,7,8,9))",
		  13, ")", "too long (1000 parts)" },
	};
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);

	for (size_t i = 0; i < TCT_COUNT(cases); i++) {
		TCT_AUTOFREE char *text =
			pile(cases[i].before, cases[i].middle, cases[i].times, cases[i].after);
		const char *refusal = world_refusal(text, &scope);

		ck_assert_msg(strstr(refusal, cases[i].end) != NULL, "case %zu: %s", i, refusal);
	}
	TCT_AUTOFREE char *deep = pile("", "(", 90, "1");
	TCT_AUTOFREE char *closed = pile(deep, ")", 90, "");

	ck_assert_ptr_nonnull(world_compile(closed, &scope));
}
END_TEST

/* Random damage: every answer is right as long as there is one, and what compiles can be evaluated.
 */
START_TEST(damaged_expressions_are_survived)
{
	static const char *const seeds[] = {
		"clamp(floor_pow2(mem_total / 16KiB), 262144, 2097152)",
		"ratio(rate(Tcp.RetransSegs), rate(Tcp.OutSegs), at_least: 100) > 0.5%",
		"not sysctl(net.ipv4.tcp_rmem)[2] >= 4 MiB and kernel < 4.12 or 'a' != \"b\"",
		"idle(close_wait, 10s) >= 100 and known(default(net.core.somaxconn)) == true",
		"-9223372036854775807 - 1 / 0 * abs(min(1, 2, 0x7f)) + 5 % - 1_000 d",
	};
	static const char *const words[] = { "(",      ")",
					     "[0]",    "-",
					     "*",      "/",
					     " and ",  "not ",
					     "0",      "9999999999",
					     "%",      "s",
					     ".",      ",",
					     "cpus",   "'",
					     "\"",     "max(",
					     "==",     "<",
					     "5%",     "TiB",
					     ":",      "\xff",
					     "kernel", "state(LISTEN)",
					     "_",      "0x" };
	const struct tct_scope_names scope = world_scope(TCT_EACH_NONE);
	const struct tct_place place = { "f", 1, 1 };
	const struct tct_env env = world_env();
	time_t end = time(NULL) + 4;
	unsigned state = 4711;
	unsigned compiled = 0;

	for (unsigned round = 0; round < 200000 && time(NULL) < end; round++) {
		const char *seed = seeds[round % TCT_COUNT(seeds)];
		struct tct_expr *expr = NULL;
		struct tct_err err = { 0 };
		char text[512];

		(void)snprintf(text, sizeof(text), "%s", seed);
		for (unsigned i = 0; i <= round % 4; i++) {
			char damaged[512];
			unsigned at;
			unsigned cut;

			state = state * 1103515245U + 12345U;
			at = (state >> 8) % (unsigned)(strlen(text) + 1);
			cut = (state >> 16) % 4;
			if (at + cut > strlen(text))
				cut = 0;
			(void)snprintf(damaged, sizeof(damaged), "%.*s%s%s", (int)at, text,
				       words[(state >> 20) % TCT_COUNT(words)], text + at + cut);
			memcpy(text, damaged, sizeof(text));
		}
		if (tct_expr_compile(world.arena, text, place, &scope, NULL, &expr, &err) == 0) {
			struct tct_result result;

			tct_expr_eval(expr, &env, &result);
			compiled++;
		} else {
			ck_assert_int_eq(err.fault, TCT_FAULT_INPUT);
			ck_assert_uint_ge(err.column, 1);
		}
		tct_arena_reset(world.arena);
	}
	ck_assert_uint_gt(compiled, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("expr");
	TCase *tests = tcase_create("expr");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, world_open, world_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, literals);
	tcase_add_test(tests, malformed_literals);
	tcase_add_test(tests, arithmetic);
	tcase_add_test(tests, logic_and_comparison);
	tcase_add_test(tests, syntax_errors_have_their_column);
	tcase_add_test(tests, type_errors_have_their_column);
	tcase_add_test(tests, unknown_names_suggest_the_nearest);
	tcase_add_test(tests, settings_may_not_look_at_evidence);
	tcase_add_test(tests, an_expected_type_is_checked);
	tcase_add_test(tests, size_and_depth_are_bounded);
	tcase_add_test(tests, damaged_expressions_are_survived);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
