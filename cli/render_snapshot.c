#include <stdio.h>

#include "cli/render.h"
#include "cli/suggest.h"
#include "core/mem.h"

void tct_render_snapshot(const struct tct_page *page, const char *file,
			 const struct tct_snapshot *snapshot, size_t bytes)
{
	const struct tct_observation *observation = snapshot->observations[0];
	const struct tct_host *host = &observation->host;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	TCT_AUTO(tct_text_done) struct tct_text next = { 0 };
	char number[TCT_NUMBER_TEXT];

	tct_text_addf(&text, "%s: snapshot of %s, %s", file,
		      host->hostname[0] != '\0' ? host->hostname : "host",
		      tct_text_bytes((int64_t)bytes, number));
	if (snapshot->observations_count > 1)
		tct_text_addf(&text, ", %zu network namespaces", snapshot->observations_count);
	if (observation->gaps_count > 0)
		tct_text_addf(&text, "; %zu thing%s could not be seen", observation->gaps_count,
			      observation->gaps_count == 1 ? "" : "s");
	tct_page_paragraph(page, 0, NULL, 0, TCT_STYLE_PLAIN, tct_text_string(&text));
	tct_text_add(&next, "tcptune audit --snapshot ");
	tct_shell_word(&next, file);
	tct_page_line(page, 0, "next:", 6, TCT_STYLE_STRONG, tct_text_string(&next));
}
