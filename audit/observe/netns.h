/* Network namespaces: which one we are in, and how to get into another. */
#ifndef TCT_AUDIT_OBSERVE_NETNS_H
#define TCT_AUDIT_OBSERVE_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/root.h"

enum { TCT_NETNS_NAME = 256 }; /* a file's name */

struct tct_netns {
	char name[TCT_NETNS_NAME]; /* as the user gave it; "" = the one we were started in */
	uint64_t inode;            /* 0 = not known (an image) */
	uint64_t cookie;           /* SO_NETNS_COOKIE: unique until reboot; 0 = kernel without it */
	bool initial;              /* the host's first namespace: its tcp_mem is visible */
	/* as --all-netns found it, else not known */
	int32_t pid;    /* one process in it, 0 = none seen */
	char comm[32];  /* of that process, "" = not known */
	char unit[128]; /* its unit or container, "" = not known */
};

/*
 * Enter the namespace NAME (/run/netns/NAME or /var/run/netns/NAME), PID (/proc/PID/ns/net) or PATH
 * (has a '/') for this process; spec NULL = stay. Then tell which one it is. Live host only.
 * Errors: INPUT when it doesn't exist or isn't a network namespace, REFUSED without permission.
 */
int tct_netns_enter(const char *spec, struct tct_netns *netns, struct tct_err *err);

/* Open the namespace that spec names, without entering it. Returns an fd, or as tct_netns_enter. */
int tct_netns_open(const char *spec, struct tct_err *err);

/* Of the namespace that this thread is in: its cookie, and whether it is the host's first one. */
uint64_t tct_netns_cookie(void);
bool tct_netns_is_initial(void);

/*
 * This thread's folder /proc/sys/net/ipv4, or -1; and the same question of it. Beside a thousand
 * namespaces the kernel takes 0.2 ms to find the folder, so open it once.
 */
int tct_netns_keys(void);
bool tct_netns_keys_initial(int keys);

#endif
