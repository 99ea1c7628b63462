#include "audit/observe/interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"

static const char dev_path[] = "proc/net/dev";
static const char conf_path[] = "proc/sys/net/ipv4/conf";

/* A line is some 150 bytes; thousands of interfaces fit, of which the first are taken. */
enum { DEV_FILE_MAX = 4 << 20 };

void tct_interface_list_done(struct tct_interface_list *list)
{
	free(list->items);
	*list = (struct tct_interface_list){ 0 };
}

/* As dev_valid_name() in net/core/dev.c has it: what a folder of /proc/sys can be called. */
static bool is_name(const char *name)
{
	return *name != '\0' && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && strpbrk(name, "/ \t") == NULL;
}

/* The next number of the line; false at its end, or if it is none. */
static bool next_number(char **text, int64_t *number)
{
	char *end;

	*text += strspn(*text, " \t");
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;

	uintmax_t wide = strtoumax(*text, &end, 10);

	if (errno != 0 || wide > INT64_MAX)
		return false;
	*number = (int64_t)wide;
	*text = end;
	return true;
}

/*
 * "  eth0: 1 2 3 ...": net/core/net-procfs.c, dev_seq_printf_stats(). Received bytes, packets,
 * errors, drops, and four more; the same sent. Old kernels put no blank after the colon. False: not
 * such a line.
 */
static bool take_line(char *line, struct tct_interface *interface)
{
	enum { NUMBERS = 12, RECEIVED = 0, SENT = 8 };
	char *colon = strchr(line, ':');
	char *rest = colon;
	int64_t numbers[NUMBERS];

	if (colon == NULL)
		return false;
	*colon = '\0';
	rest++;
	line += strspn(line, " \t");
	if (!is_name(line))
		return false;
	for (size_t i = 0; i < NUMBERS; i++) {
		if (!next_number(&rest, &numbers[i]))
			return false;
	}
	*interface = (struct tct_interface){
		.mtu_bytes = -1,
		.rp_filter = -1,
		.rx_packets = numbers[RECEIVED + 1],
		.rx_errors = numbers[RECEIVED + 2],
		.rx_dropped = numbers[RECEIVED + 3],
		.tx_errors = numbers[SENT + 2],
		.tx_dropped = numbers[SENT + 3],
	};
	memcpy(interface->name, line, strlen(line));
	return true;
}

int tct_interfaces_read(const struct tct_root *root, struct tct_interface_list *list)
{
	TCT_AUTOFREE char *text = NULL;
	char *rest = NULL;
	int result = tct_root_read(root, dev_path, DEV_FILE_MAX, &text, NULL);

	if (result < 0)
		return result;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		struct tct_interface interface;
		struct tct_interface *added;

		if (!take_line(line, &interface))
			continue; /* the two lines of the head */
		if (list->items_count == TCT_INTERFACES_MAX) {
			list->beyond++;
			continue;
		}
		added = TCT_APPEND(list, items);
		if (added == NULL)
			return -ENOMEM;
		*added = interface;
	}
	return 0;
}

static int64_t filter_in(const struct tct_root *root, int conf, const char *name)
{
	char path[sizeof(conf_path) + IFNAMSIZ + sizeof("//rp_filter")];
	char text[16] = "";
	ssize_t length;

	if (conf >= 0) {
		(void)snprintf(path, sizeof(path), "%s/rp_filter", name);

		TCT_AUTOCLOSE int fd = openat(conf, path, O_RDONLY | O_CLOEXEC);

		length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	} else {
		(void)snprintf(path, sizeof(path), "%s/%s/rp_filter", conf_path, name);
		length = tct_root_read_beginning(root, path, text, sizeof(text));
	}
	if (length <= 0 || text[0] < '0' || text[0] > '9')
		return -1;
	return strtol(text, NULL, 10);
}

/* The larger of the two counts: include/linux/inetdevice.h, IN_DEV_RPFILTER. */
static void look_at_filters(const struct tct_root *root, struct tct_interface_list *list)
{
	/* Found once: among many namespaces the kernel takes its time for each path. In a DIR links
	 * count from its root. */
	TCT_AUTOCLOSE int conf =
		root->live ? tct_root_openat(root, conf_path, O_PATH | O_DIRECTORY, 0) : -1;
	int64_t all = filter_in(root, conf, "all");

	for (size_t i = 0; i < list->items_count; i++) {
		int64_t own = filter_in(root, conf, list->items[i].name);

		if (all >= 0 && own >= 0)
			list->items[i].rp_filter = all > own ? all : own;
	}
}

/* By name in this thread's namespace; /sys would be that of the mount. */
static void look_at_mtus(struct tct_interface_list *list)
{
	TCT_AUTOCLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < list->items_count; i++) {
		struct ifreq request = { 0 };

		memcpy(request.ifr_name, list->items[i].name, sizeof(request.ifr_name));
		if (ioctl(fd, SIOCGIFMTU, &request) == 0)
			list->items[i].mtu_bytes = request.ifr_mtu;
	}
}

static const struct tct_interface *find(const struct tct_interface_list *list, const char *name)
{
	for (size_t i = 0; list != NULL && i < list->items_count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

/* A counter that fell is another interface of the same name, or a driver that was reset. */
static int64_t first_of(int64_t first, int64_t last)
{
	return first <= last ? first : last;
}

static void set_firsts(struct tct_interface *interface, const struct tct_interface *first)
{
	if (first == NULL)
		first = interface;
	interface->rx_packets_first = first_of(first->rx_packets, interface->rx_packets);
	interface->rx_errors_first = first_of(first->rx_errors, interface->rx_errors);
	interface->rx_dropped_first = first_of(first->rx_dropped, interface->rx_dropped);
	interface->tx_errors_first = first_of(first->tx_errors, interface->tx_errors);
	interface->tx_dropped_first = first_of(first->tx_dropped, interface->tx_dropped);
}

static int note_presence(int result, struct tct_observation *observation)
{
	if (result == -ENOENT) {
		observation->interfaces_presence = TCT_NOT_LOOKED;
		return 0;
	}
	observation->interfaces_presence = TCT_UNREADABLE;
	return tct_observation_gap(observation, "interfaces", "/%s: %s", dev_path,
				   strerror(-result));
}

int tct_interfaces_look(const struct tct_root *root, const struct tct_interface_list *first,
			struct tct_observation *observation)
{
	TCT_AUTO(tct_interface_list_done) struct tct_interface_list last = { 0 };
	int result = tct_interfaces_read(root, &last);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return note_presence(result, observation);
	look_at_filters(root, &last);
	if (root->live)
		look_at_mtus(&last);
	for (size_t i = 0; i < last.items_count; i++)
		set_firsts(&last.items[i], find(first, last.items[i].name));
	free(observation->interfaces);
	observation->interfaces = TCT_STEAL(last.items);
	observation->interfaces_count = last.items_count;
	observation->interfaces_capacity = last.items_capacity;
	observation->interfaces_presence = TCT_PRESENT;
	if (last.beyond == 0)
		return 0;
	return tct_observation_gap(observation, "interfaces",
				   "%zu are there, only the first %d were looked at",
				   last.items_count + last.beyond, TCT_INTERFACES_MAX);
}
