#include "tune/three_way.h"

static bool is_ours(const struct tct_three_way *ways)
{
	return tct_value_stored_as(ways->key, ways->ours, ways->now) ||
	       (ways->booted != NULL && tct_value_stored_as(ways->key, ways->booted, ways->now));
}

static int whole(const struct tct_three_way *ways, struct tct_three_way_answer *answer)
{
	if (tct_value_stored_as(ways->key, ways->before, ways->now))
		return 0;
	if (!is_ours(ways)) {
		if (tct_value_equal(ways->before, ways->ours))
			return 0;
		answer->conflict = true;
		if (!ways->force)
			return 0;
	}
	return tct_value_copy(&answer->after, ways->before);
}

/* Is this field no longer meant? */
static bool is_settled(const struct tct_three_way *ways, unsigned field)
{
	const struct tct_value *from = ways->settled[0];
	const struct tct_value *to = ways->settled[1];

	return from != NULL && to != NULL && from->kind == TCT_VALUE_NUMBERS &&
	       to->kind == TCT_VALUE_NUMBERS && from->numbers[field] != to->numbers[field];
}

/* The field's number to have; a conflict is noted. */
static int64_t merge(const struct tct_three_way *ways, unsigned field,
		     struct tct_three_way_answer *answer)
{
	int64_t before = ways->before->numbers[field];
	int64_t ours = ways->ours->numbers[field];
	int64_t now = ways->now->numbers[field];
	bool booted = ways->booted != NULL && ways->booted->kind == TCT_VALUE_NUMBERS &&
		      ways->booted->numbers[field] == now;

	if (now == before || is_settled(ways, field))
		return now;
	if (now == ours || booted)
		return before;
	if (before == ours)
		return now;
	answer->conflict = true;
	answer->fields |= 1u << field;
	return ways->force ? before : now;
}

static bool ascends(const struct tct_value *value)
{
	for (unsigned i = 1; i < value->count; i++) {
		if (value->numbers[i] < value->numbers[i - 1])
			return false;
	}
	return true;
}

static int by_field(const struct tct_three_way *ways, struct tct_three_way_answer *answer)
{
	struct tct_value mixed = *ways->now;

	for (unsigned i = 0; i < mixed.count; i++)
		mixed.numbers[i] = merge(ways, i, answer);
	if (tct_value_equal(&mixed, ways->now))
		return 0;
	if (ways->key->ordered && !ascends(&mixed)) {
		answer->conflict = true;
		answer->disordered = true;
		answer->fields = 0;
		if (!ways->force)
			return 0;
		mixed = *ways->before;
	}
	answer->after = mixed;
	return 0;
}

int tct_three_way(const struct tct_three_way *ways, struct tct_three_way_answer *answer)
{
	unsigned fields = ways->key->fields;

	*answer = (struct tct_three_way_answer){ 0 };
	/* A count that isn't the table's is never stored; it is compared as it is. */
	if (tct_kernel_key_fields_apart(ways->key) && ways->before->kind == TCT_VALUE_NUMBERS &&
	    ways->ours->kind == TCT_VALUE_NUMBERS && ways->now->kind == TCT_VALUE_NUMBERS &&
	    ways->before->count == fields && ways->ours->count == fields &&
	    ways->now->count == fields)
		return by_field(ways, answer);
	return whole(ways, answer);
}
