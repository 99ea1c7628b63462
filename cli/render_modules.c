/* What apply and rollback say of kernel modules: what lines for the next boot depend on, and our
 * list of them. */
#include <string.h>

#include "cli/render.h"
#include "core/mem.h"

/* Was the same said of a key before? */
static bool said_before(const struct tct_apply_result *result, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (result->settings[i].note != NULL &&
		    strcmp(result->settings[i].note, result->settings[at].note) == 0)
			return true;
	}
	return false;
}

static void put_list(const struct tct_page *page, const struct tct_apply_result *result)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (result->modules_path[0] == '\0')
		return;
	tct_text_addf(&text, "%s: ", result->modules_path);
	if (result->modules_after == NULL)
		tct_text_addf(&text, "%s, removed", result->modules_before);
	else
		tct_text_addf(&text, "%s%s%s%s", result->modules_after,
			      result->modules_before != NULL ? " (before: " : "",
			      result->modules_before != NULL ? result->modules_before : "",
			      result->modules_before != NULL ? ")" : "");
	tct_page_paragraph(page, 2, NULL, 0,
			   result->modules_after != NULL ? TCT_STYLE_GOOD : TCT_STYLE_BAD,
			   tct_text_string(&text));
}

void tct_render_modules(const struct tct_page *page, const struct tct_apply_result *result)
{
	bool any = result->modules_path[0] != '\0';

	for (size_t i = 0; i < result->settings_count; i++)
		any |= result->settings[i].note != NULL;
	if (!any)
		return;
	tct_page_heading(page, "Kernel modules", "loaded at boot");
	put_list(page, result);
	for (size_t i = 0; i < result->settings_count; i++) {
		const char *note = result->settings[i].note;

		if (note != NULL && !said_before(result, i))
			tct_page_paragraph(page, 2, NULL, 0, TCT_STYLE_PLAIN, note);
	}
}
