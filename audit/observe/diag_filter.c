/*
 * The program is a chain: the kernel checks it by following every op's `yes` (8 bits) from the
 * start, and a `no` (16 bits) may only lead to a place on that chain. A socket is accepted when the
 * walk comes exactly to the end, refused when it jumps 4 bytes beyond. Source:
 * inet_diag_bc_audit(), inet_diag_bc_run() in net/ipv4/inet_diag.c.
 */
#include "audit/observe/diag_filter.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>

enum {
	OP = sizeof(struct inet_diag_bc_op),
	COMPARE = 2 * OP, /* the op and its port */
	REFUSE = OP,      /* beyond the end */
};

void tct_diag_filter_done(struct tct_diag_filter *filter)
{
	free(filter->code);
	*filter = (struct tct_diag_filter){ 0 };
}

/* Make room for a program of so many bytes; filled from the front by the functions below. */
static int reserve(struct tct_diag_filter *filter, size_t bytes)
{
	*filter = (struct tct_diag_filter){ .code = calloc(1, bytes == 0 ? 1 : bytes) };
	if (filter->code == NULL)
		return -ENOMEM;
	filter->bytes = bytes;
	return 0;
}

static void put(struct tct_diag_filter *filter, size_t at, unsigned code, size_t yes, size_t no)
{
	const struct inet_diag_bc_op op = {
		.code = (uint8_t)code,
		.yes = (uint8_t)yes,
		.no = (uint16_t)no,
	};

	memcpy((char *)filter->code + at, &op, sizeof(op));
}

/* Compare a port; falls through to the next op if it holds, else jumps to `otherwise`. */
static void compare(struct tct_diag_filter *filter, size_t at, unsigned code, uint16_t port,
		    size_t otherwise)
{
	put(filter, at, code, COMPARE, otherwise - at);
	put(filter, at + OP, 0, 0, port);
}

static void jump(struct tct_diag_filter *filter, size_t at, size_t to)
{
	put(filter, at, INET_DIAG_BC_JMP, OP, to - at);
}

int tct_diag_filter_automatic(struct tct_diag_filter *filter)
{
	int result = reserve(filter, OP);

	if (result == 0)
		put(filter, 0, INET_DIAG_BC_AUTO, OP, OP + REFUSE);
	return result;
}

int tct_diag_filter_port(struct tct_diag_filter *filter, uint16_t port)
{
	enum {
		LOCAL = 0,
		LOCAL_UP_TO = LOCAL + COMPARE,
		ACCEPT = LOCAL_UP_TO + COMPARE,
		PEER = ACCEPT + OP,
		PEER_UP_TO = PEER + COMPARE,
		END = PEER_UP_TO + COMPARE,
	};
	int result = reserve(filter, END);

	if (result < 0)
		return result;
	/* not S_EQ: kernels before 4.16 or so don't have it */
	compare(filter, LOCAL, INET_DIAG_BC_S_GE, port, PEER);
	compare(filter, LOCAL_UP_TO, INET_DIAG_BC_S_LE, port, PEER);
	jump(filter, ACCEPT, END);
	compare(filter, PEER, INET_DIAG_BC_D_GE, port, END + REFUSE);
	compare(filter, PEER_UP_TO, INET_DIAG_BC_D_LE, port, END + REFUSE);
	return 0;
}

/*
 * A leaf is "first <= port <= last, then to the end"; a branch is "port >= the right half's first",
 * then the right half, then the left one.
 */
enum {
	LEAF = COMPARE + COMPARE + OP,
	BRANCH = COMPARE,
};

static size_t tree_bytes(size_t count)
{
	return count * LEAF + (count - 1) * BRANCH;
}

static void put_tree(struct tct_diag_filter *filter, size_t at, const struct tct_port_range *ranges,
		     size_t count)
{
	while (count > 1) {
		size_t left = count / 2;
		size_t right = count - left;
		size_t right_at = at + BRANCH;
		size_t left_at = right_at + tree_bytes(right);

		compare(filter, at, INET_DIAG_BC_S_GE, ranges[left].first, left_at);
		put_tree(filter, right_at, ranges + left, right);
		at = left_at;
		count = left;
	}
	compare(filter, at, INET_DIAG_BC_S_GE, ranges[0].first, filter->bytes + REFUSE);
	compare(filter, at + COMPARE, INET_DIAG_BC_S_LE, ranges[0].last, filter->bytes + REFUSE);
	jump(filter, at + COMPARE + COMPARE, filter->bytes);
}

int tct_diag_filter_local_ports(struct tct_diag_filter *filter, const struct tct_port_range *ranges,
				size_t count)
{
	int result;

	if (count > TCT_FILTER_RANGES_MAX)
		return -E2BIG;
	if (count == 0) { /* one that jumps beyond the end */
		result = reserve(filter, OP);
		if (result == 0)
			jump(filter, 0, OP + REFUSE);
		return result;
	}
	result = reserve(filter, tree_bytes(count));
	if (result == 0)
		put_tree(filter, 0, ranges, count);
	return result;
}

bool tct_diag_filter_accepts(const struct tct_diag_filter *filter, uint16_t local_port,
			     uint16_t peer_port, bool automatic)
{
	const char *code = (const char *)filter->code;
	size_t at = 0;

	while (at < filter->bytes) {
		struct inet_diag_bc_op op[2] = { 0 };
		bool yes = false;

		memcpy(op, code + at,
		       filter->bytes - at < sizeof(op) ? filter->bytes - at : sizeof(op));
		if (op[0].code == INET_DIAG_BC_S_GE)
			yes = local_port >= op[1].no;
		else if (op[0].code == INET_DIAG_BC_S_LE)
			yes = local_port <= op[1].no;
		else if (op[0].code == INET_DIAG_BC_D_GE)
			yes = peer_port >= op[1].no;
		else if (op[0].code == INET_DIAG_BC_D_LE)
			yes = peer_port <= op[1].no;
		else if (op[0].code == INET_DIAG_BC_AUTO)
			yes = automatic;
		at += yes ? op[0].yes : op[0].no;
	}
	return at == filter->bytes;
}
