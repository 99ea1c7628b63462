#include "audit/observe/state_counts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/counters_read.h"
#include "core/mem.h"

enum { FILE_MAX = 1 << 16 };

/* Take one file's counters. 0 or -errno. */
static int take_file(const struct tct_root *root, const char *path, enum tct_counter_group group,
		     struct tct_counter_value *values)
{
	TCT_AUTOFREE char *text = NULL;
	int result = tct_root_read(root, path, FILE_MAX, &text, NULL);

	if (result == 0)
		tct_counters_parse(group, text, values);
	return result;
}

/* Add a counter to *sum; false if it is not there. */
static bool add(const struct tct_counter_value *values, const char *name, int64_t *sum)
{
	const struct tct_counter *counter = tct_counter_find(name);
	const struct tct_counter_value *value =
		counter != NULL ? &values[tct_counter_index(counter)] : NULL;

	if (value == NULL || value->presence != TCT_PRESENT || value->value < 0)
		return false;
	return !__builtin_add_overflow(*sum, value->value, sum);
}

int tct_kernel_counts_read(const struct tct_root *root, struct tct_kernel_counts *counts)
{
	TCT_AUTOFREE struct tct_counter_value *values = calloc(tct_counters_count, sizeof(*values));
	int result;
	int v6;

	*counts = (struct tct_kernel_counts){ 0 };
	if (values == NULL)
		return -ENOMEM;
	result = take_file(root, "proc/net/sockstat", TCT_GROUP_SOCKSTAT, values);
	if (result < 0)
		return result;
	v6 = take_file(root, "proc/net/sockstat6", TCT_GROUP_SOCKSTAT6, values);
	if (v6 < 0 && v6 != -ENOENT)
		return v6;
	result = take_file(root, "proc/net/snmp", TCT_GROUP_TCP, values);
	if (result < 0)
		return result;
	if (!add(values, "sockstat.TCP.inuse", &counts->inuse) ||
	    (v6 == 0 && !add(values, "sockstat6.TCP6.inuse", &counts->inuse)) ||
	    !add(values, "sockstat.TCP.tw", &counts->time_wait) ||
	    !add(values, "sockstat.TCP.alloc", &counts->allocated) ||
	    !add(values, "Tcp.CurrEstab", &counts->curr_estab) ||
	    !add(values, "Tcp.ActiveOpens", &counts->active_opens) ||
	    !add(values, "Tcp.ActiveOpens", &counts->opens) ||
	    !add(values, "Tcp.PassiveOpens", &counts->opens))
		return -EBADMSG;
	return 0;
}

void tct_rare_counts_add(struct tct_rare_counts *rare, const struct tct_tcp_socket *socket)
{
	bool mini = socket->timer == TCT_TIMER_TIME_WAIT;

	if (socket->state == 0 || socket->state >= TCT_STATE_LIMIT)
		return;
	rare->counts[socket->state]++;
	if (socket->state == TCT_STATE_FIN_WAIT2 && mini)
		rare->minis++;
	else if (socket->state == TCT_STATE_SYN_RECV)
		/* a request isn't in use; a Fast Open child that nobody accepted yet is */
		rare->inuse += socket->full ? 1 : 0;
	else if (socket->state != TCT_STATE_CLOSE)
		rare->inuse++;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* The middle of two readings; of equal ones, just that. */
static int64_t middle(int64_t a, int64_t b)
{
	return a + (b - a) / 2;
}

/*
 * By how much two sources may differ because sockets came and went between them. What closes is at
 * most what was opened, and by how much the counts fell.
 */
static int64_t churn(const struct tct_kernel_counts *before, const struct tct_kernel_counts *after)
{
	return 2 * distance(before->opens, after->opens) + distance(before->inuse, after->inuse) +
	       distance(before->time_wait, after->time_wait) +
	       distance(before->curr_estab, after->curr_estab);
}

bool tct_states_derive(const struct tct_kernel_counts *before,
		       const struct tct_kernel_counts *after, const struct tct_rare_counts *rare,
		       int64_t listeners, int64_t counts[TCT_STATE_LIMIT], char why[160])
{
	int64_t slack = churn(before, after);
	int64_t established = middle(before->inuse, after->inuse) - rare->inuse - listeners;
	int64_t time_wait = middle(before->time_wait, after->time_wait) - rare->minis;
	int64_t told = middle(before->curr_estab, after->curr_estab);
	int64_t apart;

	/* by kernel CLOSE_WAIT is in it */
	if (distance(told - rare->counts[TCT_STATE_CLOSE_WAIT], established) <
	    distance(told, established))
		told -= rare->counts[TCT_STATE_CLOSE_WAIT];
	apart = distance(told, established);
	if (established < -slack || time_wait < -slack || apart > slack) {
		(void)snprintf(why, 160,
			       "the kernel's counts disagree: ESTABLISHED %" PRId64
			       " by sockstat, CurrEstab %" PRId64 ", TIME_WAIT %" PRId64,
			       established, middle(before->curr_estab, after->curr_estab),
			       time_wait);
		return false;
	}
	memcpy(counts, rare->counts, sizeof(rare->counts));
	/* they differ only if sockets came and went; then what other sockets did is not in
	 * CurrEstab */
	counts[TCT_STATE_ESTABLISHED] = told > 0 ? told : 0;
	counts[TCT_STATE_TIME_WAIT] = time_wait > 0 ? time_wait : 0;
	counts[TCT_STATE_LISTEN] = listeners;
	why[0] = '\0';
	return true;
}
