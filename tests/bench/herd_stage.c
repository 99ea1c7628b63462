/* Where the herd lives: nameless namespaces, addresses without number, limits of their own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/bench/herd.h"

/* A "local" route makes every address of a network the namespace's own. */
#define HERD_SERVERS "10.64.0.0/10"
#define HERD_CLIENTS "10.128.0.0/9"
enum {
	HERD_FIRST_SERVER = 0x0a400001,
	HERD_FIRST_CLIENT = 0x0a800001,
	HERD_MOST_WORD = 64,
};

static const char herd_one_end[] = "link set lo up\n"
				   "route add local " HERD_SERVERS " dev lo\n"
				   "route add local " HERD_CLIENTS " dev lo\n";

static const char herd_server_end[] = "link set lo up\n"
				      "address add 172.31.255.1/30 dev herd0\n"
				      "link set herd0 up\n"
				      "route add local " HERD_SERVERS " dev lo\n"
				      "route add " HERD_CLIENTS " via 172.31.255.2\n";

static const char herd_client_end[] = "link set lo up\n"
				      "address add 172.31.255.2/30 dev herd0\n"
				      "link set herd0 up\n"
				      "route add local " HERD_CLIENTS " dev lo\n"
				      "route add " HERD_SERVERS " via 172.31.255.1\n";

struct sockaddr_in herd_listener_address(const struct herd_options *options, unsigned listener)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(options->port),
		.sin_addr = { .s_addr = htonl((uint32_t)HERD_FIRST_SERVER + listener) },
	};
}

struct in_addr herd_client_address(unsigned client)
{
	return (struct in_addr){ .s_addr = htonl((uint32_t)HERD_FIRST_CLIENT + client) };
}

void herd_enter(int namespace_fd)
{
	if (setns(namespace_fd, CLONE_NEWNET) < 0)
		lab_exit(LAB_EXIT_FAILED, "setns: %s", strerror(errno));
}

/* Enter a new namespace; its descriptor is closed on exec, and by the kernel in the end. */
static int herd_new_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		lab_exit(LAB_EXIT_REFUSED, "a network namespace: %s", strerror(errno));
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		lab_exit(LAB_EXIT_FAILED, "/proc/self/ns/net: %s", strerror(errno));
	return fd;
}

/* Write one of the own namespace's values. A kernel without it: false. */
static bool herd_set(const char *key, const char *value)
{
	char path[HERD_MOST_WORD * 2];
	TCT_AUTOCLOSE int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		lab_exit(LAB_EXIT_FAILED, "%s: %s", path, strerror(errno));
	return true;
}

/* Run `ip -batch` in the namespace that the process is in. */
static void herd_ip(const char *commands)
{
	char program[] = "ip";
	char option[] = "-batch";
	char standard_input[] = "-";
	char *const words[] = { program, option, standard_input, NULL };
	TCT_AUTOCLOSE int batch = memfd_create("herd", 0);
	posix_spawn_file_actions_t actions;
	int error, status;
	pid_t pid;

	if (batch < 0 || write(batch, commands, strlen(commands)) != (ssize_t)strlen(commands) ||
	    lseek(batch, 0, SEEK_SET) < 0)
		lab_exit(LAB_EXIT_FAILED, "memfd: %s", strerror(errno));
	error = posix_spawn_file_actions_init(&actions);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, batch, STDIN_FILENO);
	if (!error)
		error = posix_spawnp(&pid, program, &actions, NULL, words, environ);
	if (error)
		lab_exit(LAB_EXIT_FAILED, "ip: %s", strerror(error));
	(void)posix_spawn_file_actions_destroy(&actions);
	if (waitpid(pid, &status, 0) != pid || status)
		lab_exit(LAB_EXIT_FAILED, "ip -batch failed");
}

/* The limits that would stop a herd; each belongs to the namespace alone. */
static void herd_set_limits(void)
{
	(void)herd_set("core/somaxconn", "4000000");
	(void)herd_set("ipv4/tcp_max_syn_backlog", "4000000");
	(void)herd_set("ipv4/ip_local_port_range", "10000 65535");
	(void)herd_set("ipv4/tcp_max_tw_buckets", "4000000");
}

static void herd_join(const struct herd_stage *stage)
{
	char commands[256];

	herd_enter(stage->server);
	(void)snprintf(commands, sizeof(commands),
		       "link add herd0 type veth peer name herd0 netns /proc/%d/fd/%d\n",
		       (int)getpid(), stage->client);
	herd_ip(commands);
	herd_ip(herd_server_end);
	herd_enter(stage->client);
	herd_ip(herd_client_end);
}

void herd_stage_init(struct herd_stage *stage, const struct herd_options *options)
{
	/* Only a child of this one has a hash of sockets of its own; nobody stays here. */
	TCT_AUTOCLOSE int outer = herd_new_namespace();
	char buckets[HERD_MOST_WORD];

	(void)snprintf(buckets, sizeof(buckets), "%u", options->buckets);
	if (!herd_set("ipv4/tcp_child_ehash_entries", buckets) && options->buckets)
		(void)fprintf(stderr,
			      "tcpherd: this kernel has one hash of sockets for all namespaces\n");
	stage->server = herd_new_namespace();
	herd_set_limits();
	if (options->kind == HERD_BOTH) {
		stage->client = stage->server;
		herd_ip(herd_one_end);
	} else {
		herd_enter(outer);
		stage->client = herd_new_namespace();
		herd_set_limits();
		herd_join(stage);
	}
	stage->looked_at = options->kind == HERD_PROXY ? stage->client : stage->server;
	herd_enter(stage->looked_at);
}

void herd_take_census(struct herd_census *census)
{
	FILE *file = fopen("/proc/thread-self/net/sockstat", "re");
	char line[256];
	bool found = false;

	if (!file)
		lab_exit(LAB_EXIT_FAILED, "sockstat: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
		if (sscanf(line, "TCP: inuse %u orphan %*u tw %u", &census->in_use,
			   &census->time_wait) == 2)
			found = true;
	}
	(void)fclose(file);
	if (!found)
		lab_exit(LAB_EXIT_FAILED, "sockstat: no line TCP");
}
