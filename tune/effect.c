/* When a change begins to count. */
#include "tune/transact.h"

/* Do only bits change that count at once? */
static bool only_live_bits(const struct tct_kernel_key *key, const struct tct_value *before,
			   const struct tct_value *after)
{
	return key->late_bits != 0 &&
	       ((before->numbers[0] ^ after->numbers[0]) & key->late_bits) == 0;
}

static bool only_live_fields(const struct tct_kernel_key *key, const struct tct_value *before,
			     const struct tct_value *after)
{
	for (unsigned i = 0; i < after->count; i++) {
		if (before->numbers[i] != after->numbers[i] && (key->live_fields >> i & 1) == 0)
			return false;
	}
	return true;
}

enum tct_effect tct_effect_of_change(const struct tct_kernel_key *key,
				     const struct tct_value *before, const struct tct_value *after)
{
	if (before->kind != TCT_VALUE_NUMBERS || after->kind != TCT_VALUE_NUMBERS ||
	    before->count != after->count)
		return key->effect;
	if (only_live_bits(key, before, after) || only_live_fields(key, before, after))
		return TCT_EFFECT_LIVE;
	return key->effect;
}
