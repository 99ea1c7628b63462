/* Keys asked for by hand, --set KEY=VALUE: each becomes a `set` that overrides what the profiles
 * say of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/profile_private.h"
#include "core/mem.h"

static const char because[] = "asked for with --set";

static int unknown(const struct tct_loader *loader, const struct tct_set_override *given)
{
	const char *nearest = tct_kernel_key_nearest(given->key);

	if (nearest != NULL)
		return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
				   "%s %.80s: tcptune doesn't know this key; did you mean %s?",
				   given->origin, given->key, nearest);
	return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
			   "%s %.80s: it is not among the keys that tcptune knows", given->origin,
			   given->key);
}

/* Keys of older kernels may be asked for: `never` has the better answer, or they are left out. */
static int find_key(const struct tct_loader *loader, const struct tct_set_override *given,
		    const struct tct_kernel_key **key)
{
	*key = tct_kernel_key_find(given->key);
	if (*key == NULL)
		return unknown(loader, given);
	if ((*key)->read_only)
		return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
				   "%s %s: the kernel shows it, but lets nobody write it",
				   given->origin, (*key)->name);
	if ((*key)->handler == TCT_HANDLER_SECRET)
		return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
				   "%s %s: it is a secret, which tcptune doesn't handle",
				   given->origin, (*key)->name);
	return 0;
}

/* *outside: why it isn't what tcptune writes, in the arena; NULL where it is. */
static int check_range(const struct tct_loader *loader, const struct tct_kernel_key *key,
		       const struct tct_value *value, const char **outside)
{
	const char *unit = tct_unit_name(key->unit);

	for (unsigned i = 0; i < value->count; i++) {
		int64_t number = value->numbers[i];
		char field[24] = "";
		char text[160];

		if (number >= key->sane_min && number <= key->sane_max)
			continue;
		if (key->fields > 1)
			(void)snprintf(field, sizeof(field), "field [%u], ", i);
		if (snprintf(text, sizeof(text),
			     "%s%" PRId64 " is outside of %" PRId64 " to %" PRId64
			     "%s%s, what tcptune writes",
			     field, number, key->sane_min, key->sane_max, *unit != '\0' ? " " : "",
			     unit) < 0)
			text[0] = '\0';
		*outside = tct_arena_text(loader->arena, text, strlen(text));
		return *outside != NULL ? 0 : tct_err_nomem(loader->err);
	}
	return 0;
}

static int check_order(const struct tct_loader *loader, const struct tct_set_override *given,
		       const struct tct_kernel_key *key, const struct tct_value *value)
{
	for (unsigned i = 1; key->ordered && i < value->count; i++) {
		if (value->numbers[i] < value->numbers[i - 1])
			return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
					   "%s %s: its fields must ascend, but [%u] is %" PRId64
					   " and [%u] %" PRId64,
					   given->origin, key->name, i - 1, value->numbers[i - 1],
					   i, value->numbers[i]);
	}
	return 0;
}

/*
 * The value's text moves to the arena. What `never` refuses and what tcptune doesn't write is let
 * through: whoever plans it refuses it with the reason.
 */
static int take_value(const struct tct_loader *loader, const struct tct_set_override *given,
		      const struct tct_facts *facts, struct tct_setting *made)
{
	const struct tct_kernel_key *key = made->key;
	struct tct_value *value = &made->set.literal;
	struct tct_err own = { 0 };
	int status = tct_value_parse(key, given->value, value, &own);

	if (status == -ENOMEM)
		return tct_err_nomem(loader->err);
	if (status < 0)
		return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL, "%s %s: %s", given->origin,
				   key->name, own.message);
	if (value->text != NULL) {
		TCT_AUTOFREE char *text = value->text;

		value->text = tct_arena_text(loader->arena, text, strlen(text));
		if (value->text == NULL)
			return tct_err_nomem(loader->err);
	}
	if (value->kind != TCT_VALUE_NUMBERS ||
	    tct_never_find(loader->set, facts, key, value) != NULL)
		return 0;
	status = check_order(loader, given, key, value);
	return status < 0 ? status : check_range(loader, key, value, &made->outside);
}

static struct tct_setting *find_setting(const struct tct_profile_set *set,
					const struct tct_kernel_key *key)
{
	for (size_t i = 0; i < set->settings_count; i++) {
		if (set->settings[i].key == key)
			return &set->settings[i];
	}
	return NULL;
}

static int take(const struct tct_loader *loader, const struct tct_set_override *given,
		const struct tct_facts *facts)
{
	struct tct_setting made = {
		.place = { given->origin, 0, 0 },
		.profile = "",
		.by_hand = true,
		.set = { .given = true, .place = { given->origin, 0, 0 } },
		.because = because,
	};
	struct tct_profile_set *set = loader->set;
	struct tct_setting *old;
	int status = find_key(loader, given, &made.key);

	if (status == 0)
		status = take_value(loader, given, facts, &made);
	if (status < 0)
		return status;
	old = find_setting(set, made.key);
	if (old != NULL && old->by_hand && !tct_value_equal(&old->set.literal, &made.set.literal))
		return tct_err_set(loader->err, TCT_FAULT_INPUT, EINVAL,
				   "%s %s: it is given twice, with different values", given->origin,
				   made.key->name);
	if (old == NULL)
		old = &set->settings[set->settings_count++];
	*old = made;
	return 0;
}

bool tct_sets_have(const struct tct_loader *loader, const char *key)
{
	const struct tct_kernel_key *known = tct_kernel_key_find(key);

	for (size_t i = 0; known != NULL && i < loader->request->sets_count; i++) {
		if (tct_kernel_key_find(loader->request->sets[i].key) == known)
			return true;
	}
	return false;
}

int tct_sets_load(const struct tct_loader *loader, const struct tct_facts *facts)
{
	const struct tct_profile_request *request = loader->request;
	struct tct_profile_set *set = loader->set;
	size_t capacity = set->settings_count + request->sets_count;
	struct tct_setting *room;
	int status = 0;

	if (request->sets_count == 0)
		return 0;
	room = tct_arena_array(loader->arena, capacity, sizeof(*room));
	if (room == NULL)
		return tct_err_nomem(loader->err);
	if (set->settings_count > 0)
		memcpy(room, set->settings, set->settings_count * sizeof(*room));
	set->settings = room;
	set->settings_capacity = capacity;
	for (size_t i = 0; i < request->sets_count && status == 0; i++)
		status = take(loader, &request->sets[i], facts);
	qsort(set->settings, set->settings_count, sizeof(*set->settings), tct_settings_compare);
	return status;
}
