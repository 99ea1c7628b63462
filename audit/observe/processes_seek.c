#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "audit/observe/processes.h"
#include "audit/observe/processes_private.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
	LOOKS_PER_CLOCK = 16, /* one look costs 3 to 7 us: the budget is kept to 0.1 ms */
	PATIENCE = 8,         /* on the clock at most so many times the budget */
	HINTED_ROUNDS = 3,    /* about 11,000 descriptors of each */
};

/* How far one process was looked through. */
struct progress {
	int64_t next;
	int32_t pid;
	bool ended;
};

struct seek {
	struct tct_proc proc;
	struct tct_sought *sought;
	size_t count;
	size_t left;       /* not found yet */
	int64_t budget_ns; /* of processor time, 0 = no limit */
	int64_t start_ns;
	int64_t start_cpu_ns;
	struct tct_search *search;
	struct tct_descriptors piece;
};

static int compare_sought(const void *a, const void *b)
{
	const struct tct_sought *left = a;
	const struct tct_sought *right = b;

	return (left->inode > right->inode) - (left->inode < right->inode);
}

static int compare_pids(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a;
	int32_t right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

/* The process has the socket: the first that has it stays. */
static void note(struct seek *seek, int32_t pid, uint32_t inode)
{
	size_t low = 0;
	size_t high = seek->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seek->sought[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < seek->count && seek->sought[low].inode == inode; low++) {
		if (seek->sought[low].pid != 0)
			continue;
		seek->sought[low].pid = pid;
		seek->search->found++;
		seek->left--;
	}
}

static int64_t cpu_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* On a busy host a small budget of time on the clock would find nothing; what counts is our cost.
 */
static bool is_late(struct seek *seek)
{
	if (seek->budget_ns != 0 && (cpu_ns() - seek->start_cpu_ns >= seek->budget_ns ||
				     tct_now_ns() - seek->start_ns >= seek->budget_ns * PATIENCE))
		seek->search->out_of_time = true;
	return seek->search->out_of_time;
}

/* Look at the piece's descriptors until all is found or time is up. */
static void look_at_piece(struct seek *seek, struct progress *process)
{
	struct tct_descriptors *piece = &seek->piece;

	while (seek->left > 0) {
		uint32_t inode = 0;
		enum tct_descriptor kind = tct_descriptors_next(piece, &inode);

		if (kind == TCT_DESCRIPTOR_END)
			break;
		if (kind == TCT_DESCRIPTOR_REFUSED) {
			seek->search->not_permitted = true;
			process->ended = true;
			return;
		}
		if (kind == TCT_DESCRIPTOR_SOCKET)
			note(seek, process->pid, inode);
		if (++seek->search->looked_at % LOOKS_PER_CLOCK == 0 && is_late(seek))
			return;
	}
	process->next = piece->next;
	process->ended = piece->last;
}

/* One round's share of a process: few descriptors first, then more and more. */
static int look_at_process(struct seek *seek, struct progress *process, unsigned round)
{
	const size_t room = round == 0 ? TCT_DESCRIPTORS_FEW : TCT_DESCRIPTORS_MANY;
	const unsigned pieces = round < 2 ? 1 : 16;

	for (unsigned i = 0; i < pieces && !process->ended; i++) {
		int result;

		if (seek->left == 0 || is_late(seek))
			return 0;
		result = tct_descriptors_read(&seek->piece, &seek->proc, process->pid,
					      process->next, room);
		if (result < 0) {
			process->ended = true;
			if (tct_processes_is_refusal(result))
				seek->search->not_permitted = true;
			else if (!tct_processes_is_ordinary(result))
				return result;
			return 0;
		}
		look_at_piece(seek, process);
		tct_descriptors_done(&seek->piece);
	}
	return 0;
}

/* Rounds over some processes, until they are through; at most `rounds` if that isn't 0. */
static int look_around(struct seek *seek, struct progress *processes, size_t count, unsigned rounds)
{
	bool more = true;

	for (unsigned round = 0; more && (rounds == 0 || round < rounds); round++) {
		more = false;
		for (size_t i = 0; i < count && seek->left > 0 && !is_late(seek); i++) {
			int result = look_at_process(seek, &processes[i], round);

			if (result < 0)
				return result;
			more = more || !processes[i].ended;
		}
		if (seek->left == 0 || seek->search->out_of_time)
			break;
	}
	return 0;
}

/* The hinted processes first, each once, then the others. */
static int arrange(const struct seek *seek, const int32_t *hint, size_t hints,
		   struct progress **processes, size_t *count, size_t *hinted)
{
	TCT_AUTOFREE int32_t *pids = NULL;
	TCT_AUTOFREE int32_t *sorted = NULL;
	TCT_AUTOFREE struct progress *all = NULL;
	size_t pids_count = 0;
	size_t used = 0;
	bool hidden = false;
	int result = tct_proc_list(&seek->proc, &pids, &pids_count, &hidden);

	if (result < 0)
		return result;
	seek->search->not_permitted = hidden;
	all = calloc(pids_count + hints + 1, sizeof(*all));
	sorted = calloc(hints + 1, sizeof(*sorted));
	if (all == NULL || sorted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < hints; i++)
		sorted[i] = hint[i];
	qsort(sorted, hints, sizeof(*sorted), compare_pids);
	for (size_t i = 0; i < hints; i++) {
		if (sorted[i] > 0 && (i == 0 || sorted[i] != sorted[i - 1]))
			all[used++].pid = sorted[i];
	}
	*hinted = used;
	for (size_t i = 0; i < pids_count; i++) {
		if (bsearch(&pids[i], sorted, hints, sizeof(*sorted), compare_pids) == NULL)
			all[used++].pid = pids[i];
	}
	*count = used;
	*processes = TCT_STEAL(all);
	return 0;
}

int tct_processes_seek(const struct tct_root *root, struct tct_sought *sought, size_t count,
		       const int32_t *hint, size_t hints, int64_t budget_ns,
		       struct tct_search *search)
{
	const int64_t start_ns = tct_now_ns();
	TCT_AUTOFREE struct seek *seek = calloc(1, sizeof(*seek));
	TCT_AUTOFREE struct progress *processes = NULL;
	size_t processes_count = 0;
	size_t hinted = 0;
	int result;

	*search = (struct tct_search){ 0 };
	if (seek == NULL)
		return -ENOMEM;
	if (count > 1)
		qsort(sought, count, sizeof(*sought), compare_sought);
	seek->sought = sought;
	seek->count = count;
	seek->search = search;
	seek->budget_ns = budget_ns > 0 ? budget_ns : 0;
	seek->start_ns = start_ns;
	seek->start_cpu_ns = cpu_ns();
	for (size_t i = 0; i < count; i++) {
		sought[i].pid = 0;
		seek->left += sought[i].inode != 0;
	}
	result = tct_proc_open(&seek->proc, root);
	if (result < 0)
		return result;
	result = arrange(seek, hint, hints, &processes, &processes_count, &hinted);
	if (result == 0)
		result = look_around(seek, processes, hinted, HINTED_ROUNDS);
	if (result == 0)
		result = look_around(seek, processes, processes_count, 0);
	tct_proc_done(&seek->proc);
	search->complete =
		seek->left == 0 || (result == 0 && !search->out_of_time && !search->not_permitted);
	search->elapsed_ns = tct_now_ns() - start_ns;
	return result;
}
