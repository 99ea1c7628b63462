/* How profiles are shown, as text and as JSON. */
#ifndef TCT_CLI_PROFILE_VIEW_H
#define TCT_CLI_PROFILE_VIEW_H

#include <jansson.h>

#include "audit/judge/report.h"
#include "cli/page.h"

/* A bound of key as the profile has it: "16384", "keep 65535", "tw_buckets". Appended to out. */
void tct_bound_source(const struct tct_kernel_key *key, const struct tct_bound *bound,
		      struct tct_text *out);

/* One profile, judged against this host; origin is where it was found. */
void tct_render_profile(const struct tct_page *page, bool verbose, const struct tct_report *report,
			const char *origin);
json_t *tct_profile_show_json(const struct tct_report *report, const char *origin);

/* The list. */
void tct_render_profiles(const struct tct_page *page, const struct tct_profile_info *infos,
			 size_t count);
json_t *tct_profile_list_json(const struct tct_profile_info *infos, size_t count);

#endif
