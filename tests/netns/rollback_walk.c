/*
 * A random walk: applies of three profiles, values set by hand, rollbacks of any transaction. After
 * each step the live values are those of a model, and the drop-in is what the journal says is ours;
 * in the end everything is rolled back, in any order, and every field that nobody set by hand has
 * its first value again. Runs inside tests/stage.sh's namespaces.
 *
 * rollback_walk FOLDER SEED WALKS STEPS: FOLDER has 0.yaml, 1.yaml and 2.yaml.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "tune/apply.h"
#include "tune/drop_in.h"
#include "tune/live_write.h"
#include "tune/transact.h"

enum { PROFILES = 3, KEYS = 5, FIELDS = TCT_KEY_FIELDS_MAX, IDS = 400, NOBODY = -1 };

/* What the walk may set by hand, three choices a key. */
static const struct {
	const char *name;
	const char *choices[3];
} keys[KEYS] = {
	{ "net.core.somaxconn", { "5000", "20000", "40000" } },
	{ "net.ipv4.tcp_fin_timeout", { "20", "45", "90" } },
	{ "net.ipv4.tcp_rmem",
	  { "4096 131072 7000000", "4096 300000 6291456", "8192 131072 70000000" } },
	{ "net.ipv4.tcp_keepalive_time", { "500", "900", "7000" } },
	{ "net.ipv4.ip_local_port_range", { "20000 60999", "32768 50001", "10001 61001" } },
};

/* What the profiles make of the first values; 0 = keep. */
static const int64_t wanted[PROFILES][KEYS][FIELDS] = {
	{ { 16384 }, { 30 }, { 0, 0, 67108864 }, { 600 }, { 0 } },
	{ { 32768 }, { 0 }, { 0, 262144, 33554432 }, { 600 }, { 10000, 65001 } },
	{ { 8192 }, { 15 }, { 8192, 0, 0 }, { 0 }, { 15001, 61000 } },
};

struct walk {
	struct tct_root root;
	struct tct_netns netns;
	char boot_id[40];
	const char *folder;
	int proc_sys;
	uint32_t random;
	unsigned steps_done;
	const struct tct_kernel_key *key[KEYS];
	struct tct_value first[KEYS];
	bool by_hand[KEYS][FIELDS];
	int profile[IDS]; /* by transaction: which one stands; NOBODY = none */
	uint64_t newest;
	char story[16384];
	size_t told;
};

__attribute__((format(printf, 2, 3))) static void tell(struct walk *walk, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(walk->story + walk->told, sizeof(walk->story) - walk->told, format,
			   arguments);
	va_end(arguments);
	if (length > 0 && walk->told + (size_t)length < sizeof(walk->story))
		walk->told += (size_t)length;
}

__attribute__((format(printf, 2, 3), noreturn)) static void fail(const struct walk *walk,
								 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fprintf(stderr, "FAILED after:\n%s", walk->story);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

static uint32_t draw(struct walk *walk, uint32_t below)
{
	/* xorshift32: the same walk for the same seed, everywhere. */
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 17;
	walk->random ^= walk->random << 5;
	return walk->random % below;
}

static void read_key(const struct walk *walk, size_t i, struct tct_value *value)
{
	if (tct_live_read(walk->proc_sys, walk->key[i], value) < 0)
		fail(walk, "can't read %s", keys[i].name);
}

static void write_key(const struct walk *walk, size_t i, const char *text)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "%s\n", text);

	if (length < 0 || tct_live_write(walk->proc_sys, walk->key[i], line, (size_t)length) < 0)
		fail(walk, "can't write %s", keys[i].name);
}

static struct tct_apply_options options_of(const struct walk *walk,
					   const struct tct_profile_request *request)
{
	return (struct tct_apply_options){
		.root = &walk->root,
		.netns = walk->netns,
		.persist = true,
		.boot_model = TCT_BOOT_MODELS,
		.profile = request,
	};
}

/* The profile of the newest transaction that stands. */
static int standing(const struct walk *walk)
{
	for (uint64_t id = walk->newest; id > 0; id--) {
		if (walk->profile[id] != NOBODY)
			return walk->profile[id];
	}
	return NOBODY;
}

static bool at_once(const struct walk *walk, size_t i)
{
	return !tct_kernel_key_fields_apart(walk->key[i]);
}

/* The fields that nobody has set by hand, against the model. */
static void check_live(const struct walk *walk)
{
	int profile = standing(walk);

	for (size_t i = 0; i < KEYS; i++) {
		TCT_AUTO(tct_value_done) struct tct_value now = { 0 };

		read_key(walk, i, &now);
		for (unsigned f = 0; f < now.count; f++) {
			int64_t expected = profile != NOBODY ? wanted[profile][i][f] : 0;

			if (expected == 0)
				expected = walk->first[i].numbers[f];
			if (!walk->by_hand[i][f] && now.numbers[f] != expected)
				fail(walk, "%s field %u is %" PRId64 ", not %" PRId64, keys[i].name,
				     f + 1, now.numbers[f], expected);
		}
	}
}

/* The drop-in against what the journal says is ours. */
static void check_drop_in(const struct walk *walk)
{
	TCT_AUTO(tct_owned_set_done) struct tct_owned_set owned = { 0 };
	TCT_AUTO(tct_drop_in_done) struct tct_drop_in on_disk = { 0 };
	TCT_AUTOFREE char *text = NULL;
	struct tct_journal *journal = NULL;
	struct tct_err err = { 0 };
	bool lines = false;

	if (tct_journal_open(&walk->root, false, &journal, &err) < 0)
		fail(walk, "%s", err.message);
	if (tct_journal_owned(journal, &walk->netns, walk->boot_id, 0, &owned) < 0 ||
	    tct_drop_in_read(&walk->root, &text, &err) < 0 || tct_drop_in_parse(text, &on_disk) < 0)
		fail(walk, "%s", err.message);
	for (size_t i = 0; i < owned.items_count; i++)
		lines |= owned.items[i].boot;
	if (!tct_drop_in_equals_owned(&on_disk, &owned) || lines != (text != NULL))
		fail(walk, "the drop-in is not what the journal says:\n%s",
		     text != NULL ? text : "(no file)");
	tct_journal_free(journal);
}

static void step_apply(struct walk *walk)
{
	uint32_t which = draw(walk, PROFILES);
	char path[512];
	const char *names[] = { path };
	const struct tct_profile_request request = {
		.root = &walk->root,
		.names = names,
		.names_count = 1,
	};
	struct tct_apply_options options = options_of(walk, &request);
	TCT_AUTO(tct_apply_result_done) struct tct_apply_result result = { 0 };
	struct tct_err err = { 0 };
	int status;

	options.no_persist = draw(walk, 5) == 0;
	if (snprintf(path, sizeof(path), "%s/%" PRIu32 ".yaml", walk->folder, which) < 0)
		fail(walk, "path");
	status = tct_apply(&options, &result, &err);
	tell(walk, "apply %" PRIu32 "%s: %" PRIu64 "\n", which, options.no_persist ? " live" : "",
	     result.transaction);
	/* A range that somebody set by hand may not go with the rest: refused, nothing changes. */
	if (status < 0 && err.fault != TCT_FAULT_REFUSED)
		fail(walk, "%s", err.message);
	if (status < 0 || result.transaction == 0)
		return;
	walk->newest = result.transaction;
	if (walk->newest >= IDS)
		fail(walk, "more transactions than there is room for");
	walk->profile[walk->newest] = (int)which;
}

static void step_hand(struct walk *walk)
{
	size_t i = draw(walk, KEYS);
	const char *text = keys[i].choices[draw(walk, 3)];
	TCT_AUTO(tct_value_done) struct tct_value before = { 0 };
	TCT_AUTO(tct_value_done) struct tct_value after = { 0 };

	read_key(walk, i, &before);
	write_key(walk, i, text);
	read_key(walk, i, &after);
	tell(walk, "%s = %s\n", keys[i].name, text);
	for (unsigned f = 0; f < after.count; f++) {
		if (at_once(walk, i) || before.numbers[f] != after.numbers[f])
			walk->by_hand[i][f] = true;
	}
}

static bool roll_back(struct walk *walk, uint64_t id, bool force)
{
	struct tct_apply_options options = options_of(walk, NULL);
	TCT_AUTO(tct_apply_result_done) struct tct_apply_result result = { 0 };
	struct tct_err err = { 0 };
	int status = tct_rollback(&options, id, force, &result, &err);

	tell(walk, "rollback %" PRIu64 "%s: %s%" PRIu64 ", undid %" PRIu64 ", %zu conflicts\n", id,
	     force ? " --force" : "", result.changed ? "" : "nothing ", result.transaction,
	     result.undid, result.conflicts_count);
	/* A rollback is not rolled back. */
	if (status < 0 && err.fault != TCT_FAULT_INPUT)
		fail(walk, "%s", err.message);
	if (status < 0 || result.transaction == 0)
		return false;
	walk->newest = result.transaction;
	walk->profile[result.undid] = NOBODY;
	return result.changed;
}

static void check(const struct walk *walk)
{
	check_live(walk);
	check_drop_in(walk);
}

/* All that stands, in any order, but by number the last: their conflicts may hold them up. */
static void roll_all_back(struct walk *walk)
{
	for (unsigned tries = 0; tries < 4 * walk->newest; tries++) {
		uint64_t id = 1 + draw(walk, (uint32_t)walk->newest);

		if (walk->profile[id] != NOBODY) {
			(void)roll_back(walk, id, false);
			check(walk);
		}
	}
	for (uint64_t id = walk->newest; id > 0; id--) {
		if (walk->profile[id] != NOBODY) {
			(void)roll_back(walk, id, true);
			check(walk);
		}
		if (walk->profile[id] != NOBODY)
			fail(walk, "transaction %" PRIu64 " still stands", id);
	}
}

static void begin(struct walk *walk)
{
	walk->newest = 0;
	walk->told = 0;
	for (size_t i = 0; i < IDS; i++)
		walk->profile[i] = NOBODY;
	memset(walk->by_hand, 0, sizeof(walk->by_hand));
	if (unlink(TCT_JOURNAL_PATH) < 0 && errno != ENOENT)
		fail(walk, "can't begin with an empty journal");
}

static void one_walk(struct walk *walk, unsigned steps)
{
	begin(walk);
	for (unsigned i = 0; i < steps; i++) {
		uint32_t what = draw(walk, 10);

		if (what < 4)
			step_apply(walk);
		else if (what < 6)
			step_hand(walk);
		else if (walk->newest > 0)
			(void)roll_back(walk,
					draw(walk, 3) == 0 ? 0
							   : 1 + draw(walk, (uint32_t)walk->newest),
					draw(walk, 8) == 0);
		check(walk);
		walk->steps_done++;
	}
	roll_all_back(walk);
	if (access(TCT_DROP_IN_PATH, F_OK) == 0)
		fail(walk, "everything is rolled back, and there is a drop-in");
	for (size_t i = 0; i < KEYS; i++) {
		TCT_AUTOFREE char *text = tct_value_text(&walk->first[i]);

		if (text == NULL)
			fail(walk, "no memory");
		write_key(walk, i, text);
	}
}

static void look_at_boot_id(struct walk *walk)
{
	const struct tct_apply_options options = options_of(walk, NULL);
	struct tct_place_of_work place;
	struct tct_err err = { 0 };

	if (tct_place_of_work_init(&options, &place, &err) < 0)
		fail(walk, "%s", err.message);
	memcpy(walk->boot_id, place.boot_id, sizeof(walk->boot_id));
}

int main(int argc, char **argv)
{
	static struct walk walk = { .proc_sys = -1 };
	struct tct_err err = { 0 };

	if (argc != 5) {
		(void)fputs("rollback_walk FOLDER SEED WALKS STEPS\n", stderr);
		return 2;
	}
	walk.folder = argv[1];
	walk.random = (uint32_t)strtoul(argv[2], NULL, 10) | 1;
	if (tct_root_open(&walk.root, NULL, &err) < 0)
		fail(&walk, "%s", err.message);
	walk.proc_sys = tct_live_open(&walk.root);
	if (tct_netns_enter(NULL, &walk.netns, &err) < 0)
		fail(&walk, "%s", err.message);
	look_at_boot_id(&walk);
	for (size_t i = 0; i < KEYS; i++) {
		walk.key[i] = tct_kernel_key_find(keys[i].name);
		read_key(&walk, i, &walk.first[i]);
	}
	for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++)
		one_walk(&walk, (unsigned)strtoul(argv[4], NULL, 10));
	(void)printf("%u steps\n", walk.steps_done);
	for (size_t i = 0; i < KEYS; i++)
		tct_value_done(&walk.first[i]);
	(void)close(walk.proc_sys);
	tct_root_done(&walk.root);
	return 0;
}
