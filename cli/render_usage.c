/* How much of the host's limits is in use, and by whom: a line each. */
#include <netinet/in.h>

#include "audit/judge/usage.h"
#include "cli/render.h"
#include "core/mem.h"

enum {
	LABEL = 17,
	WORTH_PERCENT = 50, /* of a limit: from here on it is told without --verbose */
};

/* The lines; the heading comes with the first one. */
struct lines {
	const struct tct_page *page;
	bool verbose;
	bool begun;
};

static void put_line(struct lines *lines, const char *label, const struct tct_text *text)
{
	if (!lines->begun)
		tct_page_heading(lines->page, "Limits", NULL);
	lines->begun = true;
	tct_page_paragraph(lines->page, 2, label, LABEL, TCT_STYLE_PLAIN, tct_text_string(text));
}

/* -1 = not known, or no limit. */
static int percent_of(int64_t used, int64_t limit)
{
	double percent;

	if (used < 0 || limit <= 0)
		return -1;
	percent = (double)used * 100 / (double)limit;
	return percent > 999 ? 999 : (int)percent;
}

static void add_percent(struct tct_text *text, int percent)
{
	if (percent >= 0)
		tct_text_addf(text, " (%d %%)", percent);
}

/* "10.0.0.2:443", "[2001:db8::1]:443" */
static void add_endpoint(struct tct_text *text, const struct tct_destination *to)
{
	if (to->family == AF_INET6)
		tct_text_addf(text, "[%s]:%u", to->address, (unsigned)to->port);
	else
		tct_text_addf(text, "%s:%u", to->address, (unsigned)to->port);
}

/* "; none is left in 40 s at this rate" */
static void add_time_left(struct tct_text *text, const struct tct_observation *observation,
			  const struct tct_destination *most)
{
	int64_t growth_ppm;
	int64_t left_ns;
	char number[TCT_NUMBER_TEXT];

	if (tct_usage_ports_growth(observation, most, &growth_ppm, &left_ns) && left_ns >= 0)
		tct_text_addf(text, "; none is left in %s at the present rate",
			      tct_text_nanoseconds(left_ns, number));
}

static void put_ports(struct lines *lines, const struct tct_observation *observation)
{
	const struct tct_outgoing *outgoing = &observation->outgoing;
	const struct tct_destination *most =
		outgoing->presence == TCT_PRESENT && outgoing->destinations_count > 0
			? &outgoing->destinations[0]
			: NULL;
	int percent = most != NULL ? percent_of(most->used, outgoing->ports_usable) : -1;
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (!lines->verbose && percent < WORTH_PERCENT)
		return;
	if (outgoing->ports_usable >= 0)
		tct_text_addf(&text, "%s usable", tct_text_count(outgoing->ports_usable, number));
	if (most != NULL) {
		tct_text_addf(&text, "%smost used: %s -> ", text.length > 0 ? "; " : "",
			      most->source);
		add_endpoint(&text, most);
		tct_text_addf(&text, " %s%s", outgoing->whole ? "" : "~",
			      tct_text_count(most->used, number));
		add_percent(&text, percent);
		if (!outgoing->whole)
			tct_text_addf(&text, ", from %s of the ports",
				      tct_text_count(outgoing->ports_looked_at, number));
		add_time_left(&text, observation, most);
	} else if (outgoing->presence == TCT_PRESENT) {
		tct_text_addf(&text, "%snone is in use", text.length > 0 ? "; " : "");
	} else if (outgoing->why_not[0] != '\0') {
		tct_text_addf(&text, "%s%s", text.length > 0 ? "; " : "", outgoing->why_not);
	}
	if (text.length > 0)
		put_line(lines, "ephemeral ports", &text);
}

/* "; 31 packets dropped so far, 26 while we looked"; one and more: what is counted. */
static void add_count(struct tct_text *text, const struct tct_observation *observation,
		      const char *counter, const char *one, const char *more)
{
	int64_t total = tct_usage_counter(observation, counter);
	int64_t growth = tct_usage_growth(observation, counter);
	char number[TCT_NUMBER_TEXT];

	if (total < 0)
		return;
	tct_text_addf(text, "; %s %s", tct_text_count(total, number), total == 1 ? one : more);
	if (growth > 0)
		tct_text_addf(text, ", %s of them while we looked", tct_text_count(growth, number));
}

static void put_conntrack(struct lines *lines, const struct tct_observation *observation,
			  const struct tct_usage *usage)
{
	int percent = percent_of(usage->conntrack_count, usage->conntrack_max);
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (usage->conntrack_count < 0 ||
	    (!lines->verbose && percent < WORTH_PERCENT &&
	     tct_usage_growth(observation, "conntrack.drop") <= 0 &&
	     tct_usage_growth(observation, "conntrack.early_drop") <= 0))
		return;
	tct_text_addf(&text, "%s connections", tct_text_count(usage->conntrack_count, number));
	if (usage->conntrack_max > 0)
		tct_text_addf(&text, " of at most %s",
			      tct_text_count(usage->conntrack_max, number));
	else if (usage->conntrack_max == 0)
		tct_text_add(&text, ", without a limit");
	add_percent(&text, percent);
	if (usage->conntrack_buckets >= 0)
		tct_text_addf(&text, ", %s buckets",
			      tct_text_count(usage->conntrack_buckets, number));
	add_count(&text, observation, "conntrack.drop", "packet dropped so far",
		  "packets dropped so far");
	add_count(&text, observation, "conntrack.early_drop", "entry thrown out early",
		  "entries thrown out early");
	put_line(lines, "conntrack", &text);
}

static void put_memory(struct lines *lines, const struct tct_host *host,
		       const struct tct_usage *usage)
{
	int percent = percent_of(usage->memory_used_bytes, usage->memory_pressure_bytes);
	int orphans = percent_of(usage->orphans, usage->orphans_max);
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (!lines->verbose && percent < WORTH_PERCENT && orphans < WORTH_PERCENT)
		return;
	if (usage->memory_used_bytes >= 0)
		tct_text_addf(&text, "%s in all TCP sockets of the host",
			      tct_text_bytes(usage->memory_used_bytes, number));
	if (usage->memory_used_bytes >= 0 && usage->memory_pressure_bytes >= 0) {
		tct_text_addf(&text, ", pressure from %s",
			      tct_text_bytes(usage->memory_pressure_bytes, number));
		add_percent(&text, percent);
		tct_text_addf(&text, ", at most %s",
			      tct_text_bytes(usage->memory_max_bytes, number));
	}
	if (usage->orphans >= 0)
		tct_text_addf(&text, "%s%s orphan%s", text.length > 0 ? "; " : "",
			      tct_text_count(usage->orphans, number),
			      usage->orphans == 1 ? "" : "s");
	if (usage->orphans >= 0 && usage->orphans_max >= 0) {
		tct_text_addf(&text, " of at most %s", tct_text_count(usage->orphans_max, number));
		add_percent(&text, orphans);
	}
	if (text.length > 0 && usage->memory_pressure_bytes < 0 &&
	    tct_host_looked_at(host) == TCT_SOURCE_LIVE && !host->netns.initial)
		tct_text_add(&text, "; the limits are seen in the initial namespace only");
	if (text.length > 0)
		put_line(lines, "memory", &text);
}

static void put_softnet(struct lines *lines, const struct tct_observation *observation)
{
	int64_t processed = tct_usage_counter(observation, "softnet.processed");
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	char number[TCT_NUMBER_TEXT];

	if (processed < 0 ||
	    (!lines->verbose && tct_usage_growth(observation, "softnet.dropped") <= 0))
		return;
	tct_text_addf(&text, "%s packets taken in by the whole host",
		      tct_text_count(processed, number));
	add_count(&text, observation, "softnet.dropped", "dropped so far, before TCP saw it",
		  "dropped so far, before TCP saw them");
	add_count(&text, observation, "softnet.time_squeeze", "time out of budget",
		  "times out of budget");
	put_line(lines, "softnet", &text);
}

static void put_environment(struct lines *lines, const struct tct_environment *seen)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };

	if (!lines->verbose)
		return;
	if (seen->presence == TCT_PRESENT) {
		if (seen->container[0] != '\0')
			tct_text_addf(&text, "container: %s", seen->container);
		else
			tct_text_add(&text, "no container");
		if (seen->hypervisor[0] != '\0')
			tct_text_addf(&text, "; virtual machine: %s", seen->hypervisor);
		else
			tct_text_add(&text, "; no virtual machine");
	}
	if (seen->nat_presence == TCT_PRESENT && seen->nat)
		tct_text_addf(&text, "%sNAT: %s", text.length > 0 ? "; " : "", seen->nat_evidence);
	else if (seen->nat_presence == TCT_PRESENT)
		tct_text_addf(&text, "%sno NAT here", text.length > 0 ? "; " : "");
	else if (seen->nat_presence == TCT_UNREADABLE)
		tct_text_addf(&text, "%sNAT: may not be looked at", text.length > 0 ? "; " : "");
	if (text.length > 0)
		put_line(lines, "environment", &text);
}

void tct_render_usage(const struct tct_page *page, bool verbose, const struct tct_report *report)
{
	const struct tct_observation *observation = report->observation;
	struct lines lines = { .page = page, .verbose = verbose };
	struct tct_usage usage;

	tct_usage_of(report, &usage);
	put_ports(&lines, observation);
	put_conntrack(&lines, observation, &usage);
	put_memory(&lines, &observation->host, &usage);
	put_softnet(&lines, observation);
	put_environment(&lines, &observation->environment);
}
