/* Values and bounds as texts, for whoever shows them. */
#include <string.h>

#include "cli/profile_view.h"
#include "cli/render.h"
#include "core/mem.h"

char *tct_value_or(const struct tct_value *value, const char *none)
{
	if (value == NULL || value->kind == TCT_VALUE_NONE)
		return tct_text_copy(none, strlen(none));
	if (value->kind == TCT_VALUE_PORTS && value->text[0] == '\0')
		return tct_text_copy("(none)", 6);
	return tct_value_text(value);
}

void tct_bound_source(const struct tct_kernel_key *key, const struct tct_bound *bound,
		      struct tct_text *out)
{
	if (bound->literal.kind != TCT_VALUE_NONE) {
		TCT_AUTOFREE char *text = tct_value_or(&bound->literal, "");

		tct_text_add(out, text != NULL ? text : "");
		return;
	}
	for (unsigned i = 0; i < key->fields && i < TCT_KEY_FIELDS_MAX; i++)
		tct_text_addf(out, "%s%s", i > 0 ? " " : "",
			      bound->fields[i] != NULL ? tct_expr_source(bound->fields[i])
						       : "keep");
}
