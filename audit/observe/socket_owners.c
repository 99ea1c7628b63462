/* Sockets by process and by unit: what is told with each of them, and the search for the rest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/observe/processes.h"
#include "audit/observe/processes_private.h"
#include "audit/observe/socket_table_private.h"
#include "core/mem.h"
#include "core/text.h"

enum {
	HOLDERS = 8,        /* processes that are looked at side by side, and a few more */
	HINTED_MAX = 4096,  /* processes of the sockets' own cgroups */
	THOROUGHLY = 20000, /* as many descriptors are looked at even when all are found: others
			       may share them */
};

bool tct_socket_walk_has_unit(struct tct_socket_walk *walk, uint64_t cgroup)
{
	struct tct_known_cgroup *known = &walk->known[cgroup % TCT_KNOWN_CGROUPS];
	char unit[128] = "";

	if (cgroup == 0)
		return false;
	if (known->id != cgroup) {
		(void)tct_cgroups_find(walk->cgroups, cgroup, unit, NULL);
		*known = (struct tct_known_cgroup){ .id = cgroup, .has_unit = unit[0] != '\0' };
	}
	return known->has_unit;
}

static void add_hint(struct tct_socket_walk *walk, uint64_t cgroup)
{
	/* Neighbours in the dump are often alike. */
	for (size_t i = walk->hints_count; i > 0; i--) {
		if (walk->hints[i - 1] == cgroup)
			return;
	}
	/* Processes without a unit are found among all. */
	if (walk->hints_count < TCT_HINTS_MAX && tct_socket_walk_has_unit(walk, cgroup))
		walk->hints[walk->hints_count++] = cgroup;
}

static bool is_waiting(const struct tct_tcp_socket *socket)
{
	/* Closed by its process it would be in another state. */
	return socket->inode == 0 &&
	       (socket->state == TCT_STATE_SYN_RECV || socket->state == TCT_STATE_ESTABLISHED ||
		socket->state == TCT_STATE_CLOSE_WAIT);
}

static struct tct_tally_key key_without_process(struct tct_socket_walk *walk,
						const struct tct_tcp_socket *socket)
{
	uint8_t side = (uint8_t)tct_socket_walk_side(walk, socket);
	const struct tct_listening_socket *listener;

	if (socket->state == TCT_STATE_TIME_WAIT)
		return tct_tally_key_of(TCT_KIND_TIME_WAIT, side, 0);
	if (!is_waiting(socket))
		return tct_tally_key_of(TCT_KIND_CLOSED, side, 0);
	listener = tct_listening_find(&walk->listening, socket);
	if (listener == NULL)
		return tct_tally_key_of(TCT_KIND_NOT_ACCEPTED, side, 0);
	return tct_tally_key_of(TCT_KEY_WAITING, side,
				(uint64_t)(listener - walk->listening.items));
}

/* A request isn't told with a cgroup, but its listener is. */
static uint64_t cgroup_of(struct tct_socket_walk *walk, const struct tct_tcp_socket *socket)
{
	const struct tct_listening_socket *listener = NULL;

	if (socket->cgroup == 0 && is_waiting(socket))
		listener = tct_listening_find(&walk->listening, socket);
	return listener != NULL ? listener->socket.cgroup : socket->cgroup;
}

int tct_socket_owners_take(struct tct_socket_walk *walk, const struct tct_tcp_socket *socket)
{
	uint8_t side = (uint8_t)tct_socket_walk_side(walk, socket);
	uint64_t cgroup = cgroup_of(walk, socket);
	struct tct_tally_key key;

	if (walk->query->by == TCT_BY_UNIT && tct_socket_walk_has_unit(walk, cgroup)) {
		key = tct_tally_key_of(TCT_KEY_CGROUP, side, cgroup);
	} else if (socket->inode != 0) {
		int result = tct_inodes_add(&walk->inodes, side == TCT_SIDE_TO ? 1 : 0,
					    socket->state, socket->inode);

		add_hint(walk, cgroup);
		if (result != -E2BIG)
			return result;
		walk->not_sought++;
		key = tct_tally_key_of(TCT_KIND_NOT_SEEN, side, 0);
	} else {
		key = key_without_process(walk, socket);
	}
	tct_tally_add(&walk->tally, &key, socket->state, 1);
	return 0;
}

struct search {
	struct tct_socket_walk *walk;
	struct tct_holder holders[HOLDERS];
	size_t holders_next; /* the one that is given up next */
	size_t waiting_left; /* listeners */
	int32_t *first;      /* processes looked at first, ascending */
	size_t first_count;
	size_t told;  /* descriptors */
	bool may_end; /* when all are found */
	bool ended;   /* then others may have them, too */
	bool not_permitted;
	int error; /* there is no /proc to look at, or a tree */
};

static void done_search(struct search *search)
{
	for (size_t i = 0; i < HOLDERS; i++)
		tct_holder_done(&search->holders[i]);
	free(search->first);
}

static void add_counts(struct tct_socket_walk *walk, enum tct_socket_kind kind, uint64_t number,
		       uint32_t counts[TCT_SIDES][TCT_STATE_LIMIT])
{
	static const uint8_t sides[TCT_SIDES] = { TCT_SIDE_ON, TCT_SIDE_TO };

	for (unsigned side = 0; side < TCT_SIDES; side++) {
		struct tct_tally_key key = tct_tally_key_of(
			(uint8_t)kind, walk->query->port != 0 ? sides[side] : TCT_SIDE_NONE,
			number);

		for (unsigned state = 0; state < TCT_STATE_LIMIT; state++)
			tct_tally_add(&walk->tally, &key, state, counts[side][state]);
	}
}

static void flush_holder(struct search *search, struct tct_holder *holder)
{
	if (holder->pid != 0 && holder->used)
		add_counts(search->walk, TCT_KIND_PROCESS, (uint64_t)holder->pid, holder->counts);
}

/* The process's holder; several processes are told side by side. NULL on ENOMEM. */
static struct tct_holder *holder_of(struct search *search, int32_t pid)
{
	struct tct_holder *holder;

	for (size_t i = 0; i < HOLDERS; i++) {
		if (search->holders[i].pid == pid)
			return &search->holders[i];
	}
	holder = &search->holders[search->holders_next];
	search->holders_next = (search->holders_next + 1) % HOLDERS;
	flush_holder(search, holder);
	if (tct_holder_begin(holder, &search->walk->inodes, pid) < 0)
		return NULL;
	return holder;
}

static int compare_waiting(const void *left, const void *right)
{
	const struct tct_waiting *a = left;
	const struct tct_waiting *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->listener > b->listener) - (a->listener < b->listener);
}

static int compare_inode(const void *left, const void *right)
{
	const struct tct_waiting *a = left;
	const struct tct_waiting *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

/* Of several the lowest, most often the parent; but 1 only holds listeners for others. */
static void see_listener(struct search *search, int32_t pid, uint32_t inode)
{
	struct tct_socket_walk *walk = search->walk;
	const struct tct_waiting wanted = { .inode = inode };
	struct tct_waiting *found = NULL;

	if (walk->waiting_count > 0)
		found = bsearch(&wanted, walk->waiting, walk->waiting_count, sizeof(*walk->waiting),
				compare_inode);
	if (found == NULL)
		return;
	if (found->pid == 0)
		search->waiting_left--;
	if (found->pid <= 1 || (pid != 1 && pid < found->pid))
		found->pid = pid;
}

static bool all_found(const struct search *search)
{
	return search->walk->inodes.left == 0 && search->waiting_left == 0;
}

static int visit_descriptor(void *context, int32_t pid, uint32_t inode)
{
	struct search *search = context;
	struct tct_holder *holder = holder_of(search, pid);

	if (holder == NULL)
		return -ENOMEM;
	tct_inodes_see(&search->walk->inodes, holder, inode);
	see_listener(search, pid, inode);
	search->told++;
	search->ended = search->may_end && search->told > THOROUGHLY && all_found(search);
	return search->ended ? 1 : 0;
}

/* Of the siblings of a listener the one with the longest accept queue. */
static uint32_t inode_of(const struct tct_listening *listening, size_t first)
{
	const struct tct_tcp_socket *place = &listening->items[first].socket;
	const struct tct_tcp_socket *longest = place;

	for (size_t i = first + 1; i < listening->items_count; i++) {
		const struct tct_tcp_socket *sibling = &listening->items[i].socket;

		if (sibling->local_port != place->local_port || sibling->family != place->family ||
		    memcmp(sibling->local, place->local, sizeof(place->local)) != 0)
			break;
		if (sibling->receive_queue > longest->receive_queue)
			longest = sibling;
	}
	return longest->inode;
}

/* Every listener that connections wait for. */
static int list_waiting(struct search *search)
{
	struct tct_socket_walk *walk = search->walk;
	size_t kept = 0;

	for (size_t i = 0; i < tct_tally_count(&walk->tally); i++) {
		const struct tct_tally_key *key = &tct_tally_groups(&walk->tally)[i].key;
		struct tct_waiting *waiting;

		if (key->kind != TCT_KEY_WAITING)
			continue;
		waiting = TCT_APPEND(walk, waiting);
		if (waiting == NULL)
			return -ENOMEM;
		waiting->listener = (size_t)tct_tally_number(key);
		waiting->inode = inode_of(&walk->listening, waiting->listener);
	}
	if (walk->waiting_count > 1)
		qsort(walk->waiting, walk->waiting_count, sizeof(*walk->waiting), compare_waiting);
	/* With connections on both sides of a port it is there twice. */
	for (size_t i = 0; i < walk->waiting_count; i++) {
		if (walk->waiting[i].inode != 0 &&
		    (kept == 0 || walk->waiting[kept - 1].inode != walk->waiting[i].inode))
			walk->waiting[kept++] = walk->waiting[i];
	}
	walk->waiting_count = kept;
	search->waiting_left = kept;
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	int32_t a = *(const int32_t *)left;
	int32_t b = *(const int32_t *)right;

	return (a > b) - (a < b);
}

/* The processes in the sockets' own cgroups. 0 or -ENOMEM. */
static int list_first(struct search *search)
{
	struct tct_socket_walk *walk = search->walk;
	size_t kept = 0;

	if (walk->hints_count == 0)
		return 0;
	search->first = calloc(HINTED_MAX, sizeof(*search->first));
	if (search->first == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < walk->hints_count; i++)
		search->first_count += tct_cgroups_processes(walk->cgroups, walk->hints[i],
							     search->first + search->first_count,
							     HINTED_MAX - search->first_count);
	if (search->first_count > 1)
		qsort(search->first, search->first_count, sizeof(*search->first), compare_pids);
	for (size_t i = 0; i < search->first_count; i++) {
		if (kept == 0 || search->first[kept - 1] != search->first[i])
			search->first[kept++] = search->first[i];
	}
	search->first_count = kept;
	return 0;
}

static int look_at(struct search *search, const int32_t *pids, size_t count)
{
	struct tct_search told = { 0 };
	int result = tct_processes_walk(search->walk->query->root, pids, count, visit_descriptor,
					search, &told);

	search->not_permitted |= told.not_permitted;
	return result;
}

/* Is the process in the network namespace that is looked at? False if that can't be told. */
static bool is_neighbour(const struct search *search, const struct tct_proc *proc, int32_t pid)
{
	char path[32];
	char wanted[40];
	char link[40];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	(void)snprintf(wanted, sizeof(wanted), "net:[%llu]",
		       (unsigned long long)search->walk->observation->host.netns.inode);
	length = readlinkat(proc->fd, path, link, sizeof(link) - 1);
	if (length < 0)
		return false;
	link[length] = '\0';
	return strcmp(link, wanted) == 0;
}

/*
 * All processes but those that were looked at already; first those in the sockets' own network
 * namespace: others have its sockets only if somebody passed them on.
 */
static int look_at_others(struct search *search)
{
	TCT_AUTO(tct_proc_done) struct tct_proc proc = { .fd = -1 };
	TCT_AUTOFREE int32_t *pids = NULL;
	size_t count = 0;
	size_t neighbours = 0;
	size_t kept = 0;
	bool hidden = false;
	int result = tct_proc_open(&proc, search->walk->query->root);

	if (result == 0)
		result = tct_proc_list(&proc, &pids, &count, &hidden);
	if (result < 0)
		return result;
	search->not_permitted |= hidden;
	for (size_t i = 0; i < count; i++) {
		if (search->first_count > 0 &&
		    bsearch(&pids[i], search->first, search->first_count, sizeof(*search->first),
			    compare_pids) != NULL)
			continue;
		pids[kept] = pids[i];
		if (is_neighbour(search, &proc, pids[kept])) {
			int32_t moved = pids[neighbours];

			pids[neighbours++] = pids[kept];
			pids[kept] = moved;
		}
		kept++;
	}
	result = look_at(search, pids, neighbours);
	if (result == 0 && all_found(search) && search->told > THOROUGHLY)
		search->ended = true;
	search->may_end = true;
	return result < 0 || search->ended ? result
					   : look_at(search, pids + neighbours, kept - neighbours);
}

/* 0 or -ENOMEM. */
static int look(struct search *search)
{
	int result = 0;

	if (!search->walk->query->root->live) {
		search->error = -ENOTSUP;
		return 0;
	}
	if (search->first_count > 0)
		result = look_at(search, search->first, search->first_count);
	search->ended = all_found(search) && search->told > THOROUGHLY;
	if (result == 0 && !search->ended)
		result = look_at_others(search);
	if (result < 0 && result != -ENOMEM)
		search->error = result;
	return result == -ENOMEM ? result : 0;
}

static int note(const struct search *search)
{
	struct tct_observation *observation = search->walk->observation;
	const struct tct_socket_walk *walk = search->walk;
	size_t left = walk->inodes.left + search->waiting_left;
	char most[TCT_NUMBER_TEXT];
	char number[TCT_NUMBER_TEXT];
	int result = 0;

	if (walk->not_sought > 0)
		result = tct_observation_gap(observation, "the processes of some sockets",
					     "sought for the first %s only, %s are left",
					     tct_text_count(TCT_INODES_MAX, most),
					     tct_text_count(walk->not_sought, number));
	if (result < 0)
		return result;
	if (search->error == -ENOTSUP)
		return tct_observation_gap(observation, "processes", "a directory tree has none");
	if (search->error < 0)
		return tct_observation_gap(observation, "processes", "/proc: %s",
					   strerror(-search->error));
	if (left > 0 && search->not_permitted)
		return tct_observation_gap(
			observation, "the processes of some sockets",
			"not permitted: it takes root (CAP_SYS_PTRACE) to look at "
			"other users' descriptors");
	if (left > 0)
		return tct_observation_gap(
			observation, "the processes of some sockets",
			"none has them: the kernel's own, passed on, or closed meanwhile");
	if (search->ended)
		return tct_observation_gap(observation, "further processes that share a socket",
					   "not looked for once each socket's process was found");
	return 0;
}

static int64_t total_of_processes(const struct tct_socket_walk *walk)
{
	int64_t total = 0;

	for (size_t i = 0; i < tct_tally_count(&walk->tally); i++) {
		if (tct_tally_groups(&walk->tally)[i].key.kind == TCT_KIND_PROCESS)
			total += tct_tally_groups(&walk->tally)[i].total;
	}
	return total;
}

int tct_socket_owners_find(struct tct_socket_walk *walk, struct tct_socket_table *table)
{
	TCT_AUTO(done_search) struct search search = { .walk = walk };
	uint32_t unseen[TCT_SIDES][TCT_STATE_LIMIT];
	int result = list_waiting(&search);

	if (result == 0)
		result = tct_inodes_sort(&walk->inodes);
	if (result == 0)
		result = list_first(&search);
	if (result == 0 && (walk->inodes.count > 0 || walk->waiting_count > 0))
		result = look(&search);
	if (result < 0)
		return result;
	for (size_t i = 0; i < HOLDERS; i++)
		flush_holder(&search, &search.holders[i]);
	table->shared =
		total_of_processes(walk) - (int64_t)(walk->inodes.count - walk->inodes.left);
	if (table->shared < 0)
		table->shared = 0;
	tct_inodes_unseen(&walk->inodes, unseen);
	add_counts(walk, TCT_KIND_NOT_SEEN, 0, unseen);
	result = note(&search);
	tct_inodes_done(&walk->inodes);
	return result;
}
