/* Counts by state: derived where the kernel's own counts agree, else by walking every socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/observe/proc_net_tcp.h"
#include "audit/observe/sockets_private.h"
#include "core/clock.h"
#include "core/mem.h"

enum { MANY_SOCKETS = 50000 };

/* A walk over the rare states. */
struct rare_walk {
	struct tct_look *look;
	struct tct_rare_counts rare;
};

/* What is gathered beside the counts. */
static void forget_rare(struct tct_look *look)
{
	look->strange = 0;
	for (size_t i = 0; i < look->listening.items_count; i++)
		look->listening.items[i].syn_recv = look->listening.items[i].syn_recv_resent = 0;
	tct_rare_populations_clear(&look->rare);
}

static bool is_strange(struct tct_look *look, const struct tct_tcp_socket *socket)
{
	if (socket->state != 0 && socket->state < TCT_STATE_LIMIT)
		return false;
	look->strange++;
	return true;
}

/* 0 or -ENOMEM. */
static int gather_rare(struct tct_look *look, const struct tct_tcp_socket *socket)
{
	switch (socket->state) {
	case TCT_STATE_ESTABLISHED:
	case TCT_STATE_CLOSE_WAIT:
		return 0; /* looked at on their own */
	case TCT_STATE_SYN_RECV:
		tct_listening_count_request(&look->listening, socket);
		return 0;
	default:
		return tct_rare_populations_add(&look->rare, &look->listening, socket);
	}
}

static void restart_rare(void *context)
{
	struct rare_walk *walk = context;

	walk->rare = (struct tct_rare_counts){ 0 };
	forget_rare(walk->look);
}

static int visit_rare(void *context, const struct tct_tcp_socket *socket)
{
	struct rare_walk *walk = context;

	if (is_strange(walk->look, socket))
		return 0;
	tct_rare_counts_add(&walk->rare, socket);
	return gather_rare(walk->look, socket);
}

static void restart_bound(void *context)
{
	int64_t *count = context;

	*count = 0;
}

static int visit_bound(void *context, const struct tct_tcp_socket *socket)
{
	int64_t *count = context;

	*count += socket->state == TCT_STATE_CLOSE ? 1 : 0;
	return 0;
}

/*
 * Is it worth a walk to count the sockets that are bound and do nothing? It visits the sockets of
 * all namespaces.
 */
static bool is_worth_bound(struct tct_look *look)
{
	look->bound_uncounted = !look->sockets->options->exact && look->kernel_known &&
				look->kernel.allocated + look->kernel.time_wait > MANY_SOCKETS;
	return !look->bound_uncounted;
}

/* Those that are bound and do nothing, which the kernel keeps elsewhere. 0 or -errno. */
static int count_bound(struct tct_look *look, struct tct_rare_counts *rare)
{
	const struct tct_diag_query query = { .states = TCT_STATES_BOUND };
	int64_t count = 0;
	const struct tct_tcp_visitor visitor = { restart_bound, visit_bound, &count };
	int result = 0;

	if (is_worth_bound(look))
		result = tct_diag_dump(&look->sockets->diag, &query, &visitor);
	rare->counts[TCT_STATE_CLOSE] += count;
	return result;
}

static void restart_all(void *context)
{
	struct tct_look *look = context;

	memset(look->states.counts, 0, sizeof(look->states.counts));
	forget_rare(look);
}

static int visit_all(void *context, const struct tct_tcp_socket *socket)
{
	struct tct_look *look = context;

	if (is_strange(look, socket))
		return 0;
	look->states.counts[socket->state]++;
	return gather_rare(look, socket);
}

/* Walk every socket. 0 or -errno. */
static int count_all(struct tct_look *look)
{
	const struct tct_diag_query query = {
		.states = (TCT_STATES_ALL & ~TCT_STATES_LISTEN) |
			  (is_worth_bound(look) ? TCT_STATES_BOUND : 0),
	};
	const struct tct_tcp_visitor visitor = { restart_all, visit_all, look };
	int result;

	if (look->from_proc)
		result = tct_proc_net_tcp_read(look->sockets->options->root, &visitor,
					       &look->malformed);
	else
		result = tct_diag_dump(&look->sockets->diag, &query, &visitor);
	look->states.method = TCT_METHOD_EXACT;
	look->states.counts[TCT_STATE_LISTEN] = (int64_t)look->listening.items_count;
	return result;
}

static void say_why(struct tct_look *look, const char *why, int code)
{
	if (code == 0)
		(void)snprintf(look->states.why_exact, sizeof(look->states.why_exact), "%s", why);
	else
		(void)snprintf(look->states.why_exact, sizeof(look->states.why_exact), "%s: %s",
			       why, strerror(code));
}

/* There are listeners and nothing else, and requests are not worth a walk to the caller. */
static bool has_only_listeners(const struct tct_look *look)
{
	return look->sockets->options->thrifty && look->kernel.time_wait == 0 &&
	       look->kernel.inuse == (int64_t)look->listening.items_count;
}

/* Returns 1 = derived, 0 = all must be walked (why_exact says why), -errno. */
static int derive(struct tct_look *look)
{
	const struct tct_root *root = look->sockets->options->root;
	struct rare_walk walk = { .look = look };
	const struct tct_diag_query query = { .states = TCT_STATES_RARE };
	const struct tct_tcp_visitor visitor = { restart_rare, visit_rare, &walk };
	struct tct_kernel_counts before;
	int result = tct_kernel_counts_read(root, &before);

	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		say_why(look, "the kernel's own counts can't be read", -result);
		return 0;
	}
	look->kernel = before;
	look->kernel_known = true;
	look->skipped = has_only_listeners(look);
	if (look->skipped) {
		look->states.counts[TCT_STATE_LISTEN] = (int64_t)look->listening.items_count;
		look->states.method = TCT_METHOD_DERIVED;
		return 1;
	}
	result = tct_look_begin_connections(look);
	if (result == 0)
		result = tct_diag_dump(&look->sockets->diag, &query, &visitor);
	if (result == 0)
		result = count_bound(look, &walk.rare);
	if (result < 0)
		return result;
	result = tct_kernel_counts_read(root, &look->kernel);
	if (result < 0) {
		look->kernel_known = false;
		say_why(look, "the kernel's own counts can't be read", -result);
		return result == -ENOMEM ? result : 0;
	}
	if (!tct_states_derive(&before, &look->kernel, &walk.rare,
			       (int64_t)look->listening.items_count, look->states.counts,
			       look->states.why_exact))
		return 0;
	look->states.method = TCT_METHOD_DERIVED;
	return 1;
}

bool tct_look_has_nothing(struct tct_look *look)
{
	const struct tct_observe_options *options = look->sockets->options;

	if (!options->thrifty || look->sockets->diag.way == TCT_DIAG_REFUSED ||
	    tct_kernel_counts_read(options->root, &look->kernel) < 0)
		return false;
	look->kernel_known = true;
	look->skipped = look->kernel.inuse == 0 && look->kernel.time_wait == 0;
	return look->skipped;
}

int tct_look_count_states(struct tct_look *look)
{
	int64_t started = tct_now_ns();
	int result;

	if (tct_look_has_nothing(look)) {
		look->states.method = TCT_METHOD_DERIVED;
		look->states.elapsed_ns = tct_now_ns() - started;
		return 0;
	}
	result = tct_look_find_listeners(look);
	if (result < 0)
		return result;
	if (look->from_proc) {
		result = count_all(look);
	} else {
		if (look->sockets->options->exact)
			say_why(look, "asked for", 0);
		else
			result = derive(look);
		if (result == 0)
			result = count_all(look);
	}
	/* /proc/net/tcp counts how often a request waited in vain, not what was sent again */
	look->listening.requests_known = !look->from_proc;
	look->states.elapsed_ns = tct_now_ns() - started;
	return result < 0 ? result : 0;
}
