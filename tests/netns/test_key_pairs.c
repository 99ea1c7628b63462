/*
 * What the table says about keys that depend on each other, against the running kernel: whichever
 * other key is at an end of its range, does it take a value or refuse it; and does a write change
 * any other key? All pairs, in a fresh network namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tests/netns/fresh.h"

enum { ENDS = 2 };

/* A key that can be tried. */
struct subject {
	const struct tct_kernel_key *key;
	struct tct_value before;
	char *text;       /* as it was */
	char *ends[ENDS]; /* the least and the most that tcptune writes */
	bool taken[ENDS]; /* with all others as they are */
};

struct trial {
	struct fresh fresh;
	struct subject *subjects;
	size_t subjects_count;
	size_t subjects_capacity;
};

static char *same_number(const struct tct_kernel_key *key, int64_t number)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	for (unsigned i = 0; i < key->fields; i++)
		tct_text_addf(&text, "%s%lld", i > 0 ? " " : "", (long long)number);
	return tct_text_take(&text);
}

static void add(struct trial *trial, const struct tct_kernel_key *key)
{
	struct tct_value before = { 0 };
	struct subject *subject;

	if (!fresh_writable(&trial->fresh, key) || key->unit == TCT_UNIT_NAME ||
	    key->handler == TCT_HANDLER_PORT_BITMAP || fresh_read(&trial->fresh, key, &before) < 0)
		return;
	subject = TCT_APPEND(trial, subjects);
	if (subject == NULL)
		abort();
	*subject = (struct subject){
		.key = key,
		.before = before,
		.text = tct_value_text(&before),
		.ends = { same_number(key, key->sane_min), same_number(key, key->sane_max) },
	};
	if (subject->text == NULL || subject->ends[0] == NULL || subject->ends[1] == NULL)
		abort();
	for (size_t i = 0; i < ENDS; i++)
		subject->taken[i] = fresh_write(&trial->fresh, key, subject->ends[i]) == 0;
	if (fresh_write(&trial->fresh, key, subject->text) < 0)
		abort();
}

static bool is_named(const char *name, const struct tct_kernel_key *key)
{
	return name != NULL && strcmp(name, key->name) == 0;
}

/* Does the kernel look at the other when one of them is written? */
static bool refuses_by(const struct tct_kernel_key *key, const struct tct_kernel_key *other)
{
	return is_named(key->refused_above, other) || is_named(key->refused_below, other);
}

static bool is_ordered(const struct tct_kernel_key *key, const struct tct_kernel_key *other)
{
	return is_named(key->write_after, other) || is_named(other->write_after, key);
}

static bool is_as_before(struct trial *trial, const struct subject *subject)
{
	struct tct_value now = { 0 };
	bool same = fresh_read(&trial->fresh, subject->key, &now) == 0 &&
		    tct_value_stored_as(subject->key, &subject->before, &now);

	tct_value_done(&now);
	return same;
}

/* Each may stand in the other's way. */
static void put_back(struct trial *trial, const struct subject *a, const struct subject *b)
{
	(void)fresh_write(&trial->fresh, b->key, b->text);
	(void)fresh_write(&trial->fresh, a->key, a->text);
	(void)fresh_write(&trial->fresh, b->key, b->text);
	if (!is_as_before(trial, a) || !is_as_before(trial, b)) {
		printf("%s and %s can't be put back\n", a->key->name, b->key->name);
		exit(EXIT_FAILURE);
	}
}

/* With `other` at an end of its range, are both ends of `key` taken? */
static void try_pair(struct trial *trial, const struct subject *other, const struct subject *key)
{
	bool refused = false;

	for (size_t i = 0; i < ENDS; i++) {
		for (size_t k = 0; k < ENDS; k++) {
			if (other->taken[i] && key->taken[k])
				refused |= fresh_write(&trial->fresh, other->key, other->ends[i]) ==
						   0 &&
					   fresh_write(&trial->fresh, key->key, key->ends[k]) < 0;
			put_back(trial, other, key);
		}
	}
	fresh_check(&trial->fresh, refused == refuses_by(key->key, other->key), true,
		    "%s: the kernel %s at %s, the table says otherwise", key->key->name,
		    refused ? "looks" : "doesn't look", other->key->name);
	fresh_check(&trial->fresh, !refused || is_ordered(key->key, other->key), false,
		    "%s is refused by %s, and the table gives no order", key->key->name,
		    other->key->name);
}

/* Does it change others? Then it must be written before them. */
static void try_alone(struct trial *trial, const struct subject *subject)
{
	for (size_t i = 0; i < ENDS; i++) {
		(void)fresh_write(&trial->fresh, subject->key, subject->ends[i]);
		for (size_t k = 0; k < trial->subjects_count; k++) {
			const struct subject *other = &trial->subjects[k];

			fresh_check(&trial->fresh,
				    other == subject || subject->key->write_first ||
					    is_as_before(trial, other),
				    true, "%s = %s changes %s", subject->key->name,
				    subject->ends[i], other->key->name);
		}
		(void)fresh_write(&trial->fresh, subject->key, subject->text);
	}
}

int main(void)
{
	struct trial trial = { 0 };
	int code;

	fresh_enter(&trial.fresh);
	/* a range at the upper end, so that the first unprivileged port may be anywhere below */
	fresh_check(&trial.fresh,
		    fresh_write(&trial.fresh, tct_kernel_key_find("net.ipv4.ip_local_port_range"),
				"65535 65535") == 0,
		    false, "the range can't be put out of the way");
	for (size_t i = 0; i < tct_kernel_keys_count; i++)
		add(&trial, &tct_kernel_keys[i]);
	fresh_check(&trial.fresh, trial.subjects_count > 20, false, "only %zu keys can be tried",
		    trial.subjects_count);
	for (size_t i = 0; i < trial.subjects_count; i++) {
		try_alone(&trial, &trial.subjects[i]);
		for (size_t k = 0; k < trial.subjects_count; k++) {
			if (k != i)
				try_pair(&trial, &trial.subjects[i], &trial.subjects[k]);
		}
	}
	code = fresh_done(&trial.fresh);
	for (size_t i = 0; i < trial.subjects_count; i++) {
		tct_value_done(&trial.subjects[i].before);
		free(trial.subjects[i].text);
		free(trial.subjects[i].ends[0]);
		free(trial.subjects[i].ends[1]);
	}
	free(trial.subjects);
	return code;
}
