/* Who has the sockets. */
#include <stdio.h>

#include "audit/judge/usage.h"
#include "cli/render.h"
#include "cli/render_table.h"
#include "core/mem.h"

void tct_owner_add(struct tct_text *text, const struct tct_owner *owner)
{
	bool known = owner->pid != 0 || owner->unit[0] != '\0';

	if (owner->comm[0] != '\0')
		tct_text_addf(text, "%s[%d]", owner->comm, (int)owner->pid);
	if (owner->unit[0] != '\0')
		tct_text_addf(text, "%s%s", owner->comm[0] != '\0' ? " " : "", owner->unit);
	if (known)
		return;
	switch (owner->sight) {
	case TCT_OWNER_NOT_PERMITTED:
		tct_text_add(text, "(not permitted to see)");
		break;
	case TCT_OWNER_OUT_OF_BUDGET:
		tct_text_add(text, "(not found in the time given)");
		break;
	case TCT_OWNER_NOBODY:
		tct_text_add(text, "(no process)");
		break;
	case TCT_OWNER_SEVERAL:
		tct_text_add(text, "(several processes)");
		break;
	case TCT_OWNER_NOT_SOUGHT:
	case TCT_OWNER_FOUND:
		break;
	}
}

const char *tct_sampled_count(int64_t number, bool part, char out[TCT_NUMBER_TEXT])
{
	char digits[TCT_NUMBER_TEXT];

	if (number < 0)
		(void)snprintf(out, TCT_NUMBER_TEXT, "?");
	else
		(void)snprintf(out, TCT_NUMBER_TEXT, "%s%.40s", part ? "~" : "",
			       tct_text_count(number, digits));
	return out;
}

void tct_sample_add(struct tct_text *text, const struct tct_page *page,
		    const struct tct_sample *sample)
{
	char number[TCT_NUMBER_TEXT];

	if (!tct_sample_is_part(sample))
		return;
	tct_text_addf(text, "from a sample of %s", tct_text_count(sample->seen, number));
	tct_text_addf(text, " in about %s", tct_text_count(sample->of, number));
	/* a share in per cent is the share in millionths of a hundred */
	tct_text_addf(text, ", %s%s %%", page->utf8 ? "\u00b1" : "+-",
		      tct_text_millionths(sample->error_ppm * 100, number));
}

static void add_total(struct tct_table *table, const struct tct_owner_group *group,
		      enum tct_population_kind kind, const struct tct_sample *all)
{
	const struct tct_population *population = &group->populations[kind];
	bool part = tct_sample_is_part(&population->sample) ||
		    (kind != TCT_POPULATION_CLOSE_WAIT && tct_sample_is_part(all));
	char number[TCT_NUMBER_TEXT];

	tct_table_cell(
		table, TCT_STYLE_PLAIN,
		tct_sampled_count(population->presence == TCT_PRESENT ? population->total : -1,
				  part, number));
}

void tct_render_owners(const struct tct_page *page, const struct tct_observation *observation)
{
	static const struct tct_column columns[] = {
		{ "ESTABLISHED", true }, { "REMOTE", true },     { "NO KEEPALIVE", true },
		{ "RESENDING", true },   { "CLOSE_WAIT", true }, { "OWNER", false },
	};
	TCT_AUTO(tct_table_free)
	struct tct_table *table = tct_table_new(page, columns, TCT_COUNT(columns));
	TCT_AUTO(tct_text_done) struct tct_text added = { 0 };
	const struct tct_sample *sample = &observation->sample;
	char number[TCT_NUMBER_TEXT];

	if (observation->owners_count == 0)
		return;
	for (size_t i = 0; i < observation->owners_count; i++) {
		const struct tct_owner_group *group = &observation->owners[i];
		TCT_AUTO(tct_text_done) struct tct_text who = { 0 };

		tct_table_row(table);
		tct_table_cell(
			table, TCT_STYLE_PLAIN,
			tct_sampled_count(group->established, tct_sample_is_part(sample), number));
		add_total(table, group, TCT_POPULATION_REMOTE, sample);
		add_total(table, group, TCT_POPULATION_UNGUARDED, sample);
		add_total(table, group, TCT_POPULATION_RETRANSMITTING, sample);
		add_total(table, group, TCT_POPULATION_CLOSE_WAIT, sample);
		tct_owner_add(&who, &group->owner);
		tct_table_cell(table, TCT_STYLE_PLAIN, who.length > 0 ? who.data : "?");
	}
	tct_sample_add(&added, page, sample);
	tct_page_heading(page, "Owners", added.data);
	tct_table_print(table);
}
