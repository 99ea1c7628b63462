#include "audit/observe/sos_output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const char folder_path[] = "sos_commands/networking";

bool tct_sos_output_flags(const char *name, struct tct_sos_output *output)
{
	const char *program = output->netstat ? "netstat_" : "ss_";
	const char *other = output->netstat ? "sgriluwxMc" : "sluwxdf0468HO";
	bool flags[128] = { false };
	const char *at = name + strlen(program);

	if (strncmp(name, program, strlen(program)) != 0)
		return false;
	for (;;) {
		if (*at++ != '-') /* a filter, or another word */
			return false;
		for (; *at != '\0' && *at != '_'; at++) {
			if (*at <= ' ' || *at > '~' || *at == '.') /* ".tailed" and such */
				return false;
			flags[(unsigned char)*at] = true;
		}
		if (*at++ == '\0')
			break;
	}
	if (!flags['a'] || !flags['n'])
		return false;
	for (; *other != '\0'; other++) {
		/* other protocols beside TCP do no harm */
		if (flags[(unsigned char)*other] &&
		    (strchr("uwx", *other) == NULL || !flags['t']) && strchr("HO", *other) == NULL)
			return false;
	}
	output->extended = flags['e'];
	output->timers = flags['o'];
	output->memory = flags['m'];
	output->info = flags['i'];
	output->processes = flags['p'];
	return true;
}

static int worth(const struct tct_sos_output *output)
{
	return output->extended + output->timers + output->memory + output->info +
	       output->processes;
}

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}

int tct_sos_output_find(const struct tct_root *root, bool netstat, struct tct_sos_output *output)
{
	TCT_AUTOCLOSE int fd = tct_root_openat(root, folder_path, O_RDONLY | O_DIRECTORY, 0);
	TCT_AUTO(close_folder) DIR *folder = NULL;
	char chosen[256] = "";
	int most = -1;

	if (fd < 0)
		return -ENOENT;
	folder = fdopendir(fd);
	if (folder == NULL)
		return -ENOENT;
	fd = -1; /* the folder's now */
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		struct tct_sos_output told = { .netstat = netstat };

		if (!tct_sos_output_flags(entry->d_name, &told) || worth(&told) < most ||
		    (worth(&told) == most && strcmp(entry->d_name, chosen) > 0))
			continue;
		most = worth(&told);
		(void)snprintf(chosen, sizeof(chosen), "%s", entry->d_name);
		*output = told;
	}
	if (most < 0)
		return -ENOENT;
	(void)snprintf(output->path, sizeof(output->path), "%s/%s", folder_path, chosen);
	return 0;
}

/* Numbers of interfaces by name, as the report's `ip` prints them: "2: eth0    inet ...". */
struct interface {
	char name[16];
	uint32_t number;
};

enum { INTERFACES_MAX = 256 };

struct reading {
	const struct tct_root *root;
	struct tct_sos_output *output;
	int (*take)(void *context, const struct tct_sos_socket *socket);
	void *context;
	bool heading;
	bool pending; /* a socket whose lines may go on */
	bool v4_wildcard_seen;
	struct tct_sos_socket socket;
	bool interfaces_read;
	size_t interfaces_count;
	struct interface interfaces[INTERFACES_MAX];
};

static int take_interface(void *context, char *line)
{
	struct reading *reading = context;
	struct interface *interface = &reading->interfaces[reading->interfaces_count];
	const char *at = line;
	const char *word;
	uint64_t number;
	size_t length;

	if (!tct_sos_number(&at, UINT32_MAX, &number) || *at++ != ':' ||
	    reading->interfaces_count == INTERFACES_MAX)
		return 0;
	(void)tct_sos_word(&at, &word);
	length = strcspn(word, " \t@:");
	if (length == 0 || length >= sizeof(interface->name))
		return 0;
	memcpy(interface->name, word, length);
	interface->name[length] = '\0';
	interface->number = (uint32_t)number;
	reading->interfaces_count++;
	return 0;
}

/* 0 if it isn't told. */
static uint32_t find_interface(struct reading *reading, const char *name)
{
	static const char *const paths[] = { "sos_commands/networking/ip_-o_addr",
					     "sos_commands/networking/ip_-d_address" };
	struct tct_sos_lines lines;

	for (size_t i = 0; i < TCT_COUNT(paths) && !reading->interfaces_read; i++)
		reading->interfaces_read = tct_sos_lines_read(reading->root, paths[i],
							      take_interface, reading, &lines) == 0;
	reading->interfaces_read = true;
	for (size_t i = 0; i < reading->interfaces_count; i++) {
		if (strcmp(reading->interfaces[i].name, name) == 0)
			return reading->interfaces[i].number;
	}
	return 0;
}

static bool is_wildcard(const struct tct_tcp_socket *socket)
{
	static const uint32_t zero[4];

	return memcmp(socket->local, zero, sizeof(zero)) == 0;
}

/* What tcp_info comes to, once all of a whole connection's lines are read. */
static void settle_info(const struct tct_sos_output *output, struct tct_sos_socket *told)
{
	struct tct_tcp_socket *socket = &told->socket;
	int64_t *const times[] = { &socket->busy_us, &socket->rwnd_limited_us,
				   &socket->sndbuf_limited_us };

	/* A time of 0 ms is left out; before the first answer it means nothing. */
	if (output->idle_told) {
		socket->idle_ms = told->last_received_ms < told->last_ack_ms
					  ? told->last_received_ms
					  : told->last_ack_ms;
		socket->last_data_ms = told->last_received_ms;
		socket->last_sent_ms = told->last_sent_ms;
	}
	if (told->flight_told)
		socket->in_flight_bytes =
			told->unacked > 0 && socket->send_queue > told->notsent_bytes
				? (int64_t)(socket->send_queue - told->notsent_bytes)
				: 0;
	for (size_t i = 0; i < TCT_COUNT(times); i++) {
		if (output->busy_told && *times[i] < 0)
			*times[i] = 0;
	}
}

static int flush(struct reading *reading)
{
	struct tct_sos_socket *told = &reading->socket;
	struct tct_tcp_socket *socket = &told->socket;
	struct tct_sos_output *output = reading->output;
	bool mini = socket->state == TCT_STATE_TIME_WAIT || socket->timer == TCT_TIMER_TIME_WAIT;

	if (!reading->pending)
		return 0;
	reading->pending = false;
	if (socket->family == AF_UNSPEC)
		/* An ss that prints "*" for IPv4 too prints nowhere 0.0.0.0. */
		socket->family =
			told->v6only_told || reading->v4_wildcard_seen ? AF_INET6 : AF_INET;
	else if (socket->family == AF_INET && is_wildcard(socket))
		reading->v4_wildcard_seen = true;
	socket->full = !mini && socket->state != TCT_STATE_SYN_RECV;
	output->idle_told |= told->last_told;
	output->drops_told |= socket->drops >= 0;
	output->busy_told |= socket->busy_us >= 0;
	if (told->info_told && !mini && socket->state != TCT_STATE_LISTEN &&
	    socket->state != TCT_STATE_SYN_SENT)
		settle_info(output, told);
	if (told->interface[0] != '\0')
		socket->interface = find_interface(reading, told->interface);
	return reading->take(reading->context, told);
}

static int take_line(void *context, char *line)
{
	struct reading *reading = context;
	struct tct_sos_socket socket;
	enum tct_sos_line kind = reading->output->netstat ? tct_netstat_line(line, &socket)
							  : tct_ss_line(line, &socket);
	int result = 0;

	if (kind == TCT_SOS_HEADING)
		reading->heading = true;
	if (!reading->heading) {
		/* A warning may stand above the heading, sockets can't. */
		if (kind == TCT_SOS_SOCKET || kind == TCT_SOS_MORE)
			return -EBADMSG;
		return 0;
	}
	if (kind == TCT_SOS_MORE) {
		if (reading->pending)
			tct_ss_details(line, &reading->socket);
		return 0;
	}
	result = flush(reading);
	if (kind == TCT_SOS_MALFORMED)
		reading->output->malformed++;
	if (kind != TCT_SOS_SOCKET || result != 0)
		return result;
	reading->socket = socket;
	reading->pending = true;
	return 0;
}

int tct_sos_output_read(const struct tct_root *root, struct tct_sos_output *output,
			int (*take)(void *context, const struct tct_sos_socket *socket),
			void *context)
{
	TCT_AUTOFREE struct reading *reading = calloc(1, sizeof(*reading));
	struct tct_sos_lines lines;
	int result;

	if (reading == NULL)
		return -ENOMEM;
	output->malformed = 0;
	*reading = (struct reading){ .root = root,
				     .output = output,
				     .take = take,
				     .context = context };
	result = tct_sos_lines_read(root, output->path, take_line, reading, &lines);
	if (result == 0)
		result = flush(reading);
	if (result == 0 && !reading->heading)
		result = -EBADMSG;
	output->beginning_missing = result == -EBADMSG;
	return result;
}
