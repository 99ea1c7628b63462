#include "tests/unit/watch_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { RULES_MOST = 300 };

static struct tct_rule rules[RULES_MOST]; /* each test has a process of its own */

void world_open(struct world *world)
{
	*world = (struct world){ .now_ns = 1000 * SECOND_NS };
	world->observation = tct_observation_new();
	world->history = calloc(1, sizeof(*world->history));
	ck_assert(world->observation != NULL && world->history != NULL);
	world->report.observation = world->observation;
	world->observation->interval_ns = SECOND_NS;
	world->observation->states.method = TCT_METHOD_EXACT;
	world->observation->listeners_presence = TCT_PRESENT;
	strcpy(world->observation->host.hostname, "web1");
	strcpy(world->observation->host.kernel, "6.18.44");
	world->observation->host.netns.initial = true;
	for (size_t i = 0; i < tct_counters_count; i++)
		world->observation->counters[i].presence = TCT_PRESENT;
}

void world_close(struct world *world)
{
	world_no_findings(world);
	free(world->report.findings);
	free(world->history);
	tct_observation_free(world->observation);
}

void world_counter(struct world *world, const char *name, int64_t first, int64_t last)
{
	const struct tct_counter *counter = tct_counter_find(name);

	ck_assert_msg(counter != NULL, "%s is in the table", name);
	world->observation->counters[tct_counter_index(counter)] = (struct tct_counter_reading){
		.presence = TCT_PRESENT,
		.first = first,
		.last = last,
	};
}

struct tct_listener *world_listener(struct world *world, const char *address, uint16_t port,
				    uint32_t queue, uint32_t backlog)
{
	struct tct_listener *listener = TCT_APPEND(world->observation, listeners);

	ck_assert_ptr_nonnull(listener);
	*listener = (struct tct_listener){
		.family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET,
		.port = port,
		.queue = queue,
		.queue_first = queue,
		.backlog = backlog,
	};
	strcpy(listener->address, address);
	return listener;
}

static const struct tct_rule *rule_of(const char *id)
{
	size_t i = 0;

	while (i < RULES_MOST && rules[i].id != NULL && strcmp(rules[i].id, id) != 0)
		i++;
	ck_assert(i < RULES_MOST);
	if (rules[i].id == NULL) {
		rules[i].id = strdup(id);
		ck_assert_ptr_nonnull(rules[i].id);
	}
	return &rules[i];
}

void world_finding(struct world *world, const char *id, enum tct_severity severity,
		   const char *subject, const char *title)
{
	struct tct_finding *finding = TCT_APPEND(&world->report, findings);

	ck_assert_ptr_nonnull(finding);
	*finding = (struct tct_finding){
		.rule = rule_of(id),
		.severity = severity,
		.title = strdup(title),
		.subject = subject != NULL ? strdup(subject) : NULL,
	};
	world->report.by_severity[severity]++;
}

void world_no_findings(struct world *world)
{
	for (size_t i = 0; i < world->report.findings_count; i++) {
		free(world->report.findings[i].title);
		free(world->report.findings[i].subject);
		free(world->report.findings[i].application);
	}
	world->report.findings_count = 0;
	memset(world->report.by_severity, 0, sizeof(world->report.by_severity));
}

void world_add(struct world *world, double seconds)
{
	world->now_ns += (int64_t)(seconds * 1e9);
	tct_watch_history_add(world->history, &world->report, world->now_ns);
}

struct tct_watch_view world_view(const struct world *world)
{
	return (struct tct_watch_view){
		.report = &world->report,
		.history = world->history,
		.now_ns = world->now_ns,
		.taken_at_ns = INT64_C(1764110000) * SECOND_NS,
		.interval_ns = SECOND_NS,
	};
}

char *world_screen(const struct tct_watch_view *view, unsigned width, unsigned height, bool utf8)
{
	struct tct_text text = { 0 };
	struct tct_frame frame = { .out = &text, .width = width, .height = height, .utf8 = utf8 };

	tct_watch_screen(&frame, view);
	ck_assert(!text.failed);
	return tct_text_take(&text);
}
