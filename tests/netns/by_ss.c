#include "tests/netns/by_ss.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void by_ss_count(struct by_ss_groups *groups, const char *name, unsigned state, int64_t count)
{
	size_t i = 0;

	if (count == 0 || state == TCT_STATE_CLOSE)
		return;
	while (i < groups->count && strcmp(groups->items[i].name, name) != 0)
		i++;
	if (i == groups->count) {
		ck_assert_uint_lt(i, BY_SS_GROUPS_MAX);
		groups->items[groups->count++] = (struct by_ss_group){ 0 };
		(void)snprintf(groups->items[i].name, sizeof(groups->items[i].name), "%s", name);
	}
	groups->items[i].states[state] += count;
}

void by_ss_check(const struct by_ss_groups *got, const struct by_ss_groups *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct by_ss_group *group = &wanted->items[i];
		size_t j = 0;

		while (j < got->count && strcmp(got->items[j].name, group->name) != 0)
			j++;
		ck_assert_msg(j < got->count, "there is no '%s'", group->name);
		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			ck_assert_msg(got->items[j].states[state] == group->states[state],
				      "'%s' %s: %lld, by ss %lld", group->name,
				      tct_state_name((enum tct_state)state),
				      (long long)got->items[j].states[state],
				      (long long)group->states[state]);
	}
	for (size_t i = 0; i < got->count; i++) {
		bool found = false;

		for (size_t j = 0; j < wanted->count; j++)
			found |= strcmp(got->items[i].name, wanted->items[j].name) == 0;
		ck_assert_msg(found, "'%s' is not told by ss", got->items[i].name);
	}
}

static void split(char *endpoint, char address[64], unsigned *port)
{
	char *colon = strrchr(endpoint, ':');

	ck_assert_ptr_nonnull(colon);
	*colon = '\0';
	*port = (unsigned)strtoul(colon + 1, NULL, 10);
	if (*endpoint == '[') {
		endpoint++;
		endpoint[strlen(endpoint) - 1] = '\0';
	}
	if (strncmp(endpoint, "::ffff:", 7) == 0)
		endpoint += 7;
	(void)snprintf(address, 64, "%s", *port == 0 ? "" : endpoint);
}

static void parse_line(char *text, struct by_ss_line *line)
{
	static const char *const names[TCT_STATE_LIMIT] = {
		"",          "ESTAB",  "SYN-SENT",   "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",     "CLOSING",
	};
	char state[32];
	char local[80];
	char peer[80];
	char own[64];

	ck_assert_int_eq(sscanf(text, "%31s %*u %*u %79s %79s", state, local, peer), 3);
	*line = (struct by_ss_line){ .state = 1 };
	if (strstr(text, " ino:") != NULL)
		line->inode = (unsigned)strtoul(strstr(text, " ino:") + 5, NULL, 10);
	while (line->state < TCT_STATE_LIMIT && strcmp(names[line->state], state) != 0)
		line->state++;
	ck_assert_msg(line->state < TCT_STATE_LIMIT, "ss says %s", state);
	split(local, own, &line->port);
	split(peer, line->address, &line->peer_port);
}

void by_ss_run(const char *filter, unsigned port, by_ss_name *name, struct by_ss_groups *groups)
{
	char command[160];
	char text[1024];
	FILE *ss;

	(void)snprintf(command, sizeof(command), "ss -taneH %s", filter);
	ss = popen(command, "re");
	ck_assert_ptr_nonnull(ss);
	while (fgets(text, sizeof(text), ss) != NULL) {
		struct by_ss_line line;

		parse_line(text, &line);
		name(groups, &line, port == 0 ? "" : line.port == port ? " on" : " to");
	}
	ck_assert_msg(pclose(ss) == 0, "ss (iproute2) is needed");
	ck_assert_uint_gt(groups->count, 0);
}
