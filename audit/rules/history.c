#include "audit/rules/history.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
	LOOKS_MAX = 256,
	CONDITIONS_MAX = 1024,
};

/* The counters as they stood at one moment. */
struct look {
	int64_t at_ns;
	int64_t *values; /* [tct_counters_count] */
};

/* A condition that held at the look added last, or at the one before and has not been asked for
 * since. */
struct condition {
	uint64_t hash;
	char *name; /* the rule's id, a line feed, the subject; owned */
	int64_t since_ns;
	uint64_t seen; /* number of the look at which it held last */
};

struct tct_history {
	struct look looks[LOOKS_MAX]; /* the newest last; times ascend */
	size_t looks_count;
	int64_t *values; /* of all looks, owned */
	/* The look from which on the counter was always known and never fell; INT64_MAX = it isn't
	 * known now. */
	int64_t *steady_since_ns;
	uint64_t number; /* of looks added so far */
	int64_t now_ns;  /* of the last one */
	struct condition conditions[CONDITIONS_MAX];
	size_t conditions_count;
};

struct tct_history *tct_history_new(void)
{
	struct tct_history *history = calloc(1, sizeof(*history));

	if (history == NULL)
		return NULL;
	history->values = calloc(LOOKS_MAX * tct_counters_count, sizeof(*history->values));
	history->steady_since_ns = calloc(tct_counters_count, sizeof(*history->steady_since_ns));
	if (history->values == NULL || history->steady_since_ns == NULL) {
		tct_history_free(history);
		return NULL;
	}
	for (size_t i = 0; i < LOOKS_MAX; i++)
		history->looks[i].values = &history->values[i * tct_counters_count];
	for (size_t i = 0; i < tct_counters_count; i++)
		history->steady_since_ns[i] = INT64_MAX;
	return history;
}

void tct_history_free(struct tct_history *history)
{
	if (history == NULL)
		return;
	for (size_t i = 0; i < history->conditions_count; i++)
		free(history->conditions[i].name);
	free(history->steady_since_ns);
	free(history->values);
	free(history);
}

/*
 * Forget the look that is missed least: the one between whose neighbours the gap is smallest beside
 * their age. So the looks lie the closer the newer they are, and a hundred intervals or a million,
 * the error in how far back one looks stays the same small share.
 */
static void thin_out(struct tct_history *history)
{
	const struct look *looks = history->looks;
	int64_t newest_ns = looks[history->looks_count - 1].at_ns;
	size_t least = 1;
	double least_share = 2;

	for (size_t i = 1; i + 1 < history->looks_count; i++) {
		double gap_ns = (double)(looks[i + 1].at_ns - looks[i - 1].at_ns);
		double share = gap_ns / (double)(newest_ns - looks[i - 1].at_ns);

		if (share < least_share) {
			least = i;
			least_share = share;
		}
	}

	struct look freed = looks[least];

	history->looks_count--;
	memmove(&history->looks[least], &history->looks[least + 1],
		(history->looks_count - least) * sizeof(*looks));
	history->looks[history->looks_count] = freed;
}

/* What the observation's counters were at its last look, or at its first one. */
static void add_look(struct tct_history *history, const struct tct_observation *observation,
		     bool first, int64_t at_ns)
{
	const struct look *before = NULL;
	struct look *look;

	/* Times ascend, whoever calls. */
	while (history->looks_count > 0 && history->looks[history->looks_count - 1].at_ns >= at_ns)
		history->looks_count--;
	if (history->looks_count == LOOKS_MAX)
		thin_out(history);
	if (history->looks_count > 0)
		before = &history->looks[history->looks_count - 1];
	look = &history->looks[history->looks_count++];
	look->at_ns = at_ns;
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter_reading *reading = &observation->counters[i];
		int64_t *since_ns = &history->steady_since_ns[i];

		look->values[i] = first ? reading->first : reading->last;
		if (reading->presence != TCT_PRESENT)
			*since_ns = INT64_MAX;
		else if (before == NULL || *since_ns > before->at_ns ||
			 look->values[i] < before->values[i])
			*since_ns = at_ns;
	}
}

/* Those that did not hold at the last look have ended. */
static void drop_ended(struct tct_history *history)
{
	size_t kept = 0;

	for (size_t i = 0; i < history->conditions_count; i++) {
		if (history->conditions[i].seen == history->number)
			history->conditions[kept++] = history->conditions[i];
		else
			free(history->conditions[i].name);
	}
	history->conditions_count = kept;
}

void tct_history_add(struct tct_history *history, const struct tct_observation *observation,
		     int64_t now_ns)
{
	/* What an observation of two looks saw first is known, too. */
	if (history->looks_count == 0 && observation->interval_ns > 0)
		add_look(history, observation, true, now_ns - observation->interval_ns);
	add_look(history, observation, false, now_ns);
	drop_ended(history);
	history->number++;
	history->now_ns = now_ns;
}

bool tct_history_growth(const struct tct_history *history, size_t counter, int64_t duration_ns,
			int64_t *growth, int64_t *over_ns)
{
	const struct look *newest;
	size_t i = history->looks_count;

	if (duration_ns <= 0 || i == 0)
		return false;
	newest = &history->looks[i - 1];
	while (i > 0 && newest->at_ns - history->looks[i - 1].at_ns < duration_ns)
		i--;
	if (i == 0 || history->steady_since_ns[counter] > history->looks[i - 1].at_ns)
		return false;
	*growth = newest->values[counter] - history->looks[i - 1].values[counter];
	*over_ns = newest->at_ns - history->looks[i - 1].at_ns;
	return true;
}

/* FNV-1a. Names that hash alike are still compared. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

static struct condition *find(struct tct_history *history, const char *name, uint64_t hash)
{
	for (size_t i = 0; i < history->conditions_count; i++) {
		struct condition *condition = &history->conditions[i];

		if (condition->hash == hash && strcmp(condition->name, name) == 0)
			return condition;
	}
	return NULL;
}

int64_t tct_history_held_ns(struct tct_history *history, const char *id, const char *subject)
{
	size_t length = strlen(id) + strlen(subject) + 2;
	TCT_AUTOFREE char *name = malloc(length);
	struct condition *condition;
	uint64_t hash;

	if (name == NULL)
		return 0;
	(void)stpcpy(stpcpy(stpcpy(name, id), "\n"), subject);
	hash = hash_of(name);
	condition = find(history, name, hash);
	if (condition == NULL) {
		if (history->conditions_count == CONDITIONS_MAX)
			return 0;
		condition = &history->conditions[history->conditions_count++];
		*condition = (struct condition){
			.hash = hash,
			.name = TCT_STEAL(name),
			.since_ns = history->now_ns,
		};
	}
	condition->seen = history->number;
	return history->now_ns - condition->since_ns;
}
