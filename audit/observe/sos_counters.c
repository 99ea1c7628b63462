/* Counters from `nstat -zas` and `netstat -s` of a sosreport. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/observe/sos_text.h"
#include "audit/observe/sosreport.h"
#include "core/mem.h"

static const char nstat_path[] = "sos_commands/networking/nstat_-zas";
static const char netstat_path[] = "sos_commands/networking/netstat_-s";

/*
 * netstat's sentences, '#' for the number, as net-tools 1.60 to 2.10 have them. Counters that
 * aren't here are printed by their names: "TCPTimeouts: 5".
 */
static const struct {
	const char *sentence;
	const char *counter;
} sentences[] = {
	{ "# active connection openings", "Tcp.ActiveOpens" },
	{ "# active connections openings", "Tcp.ActiveOpens" },
	{ "# bad segments received", "Tcp.InErrs" },
	{ "# connection resets received", "Tcp.EstabResets" },
	{ "# connections established", "Tcp.CurrEstab" },
	{ "# failed connection attempts", "Tcp.AttemptFails" },
	{ "# passive connection openings", "Tcp.PassiveOpens" },
	{ "# resets sent", "Tcp.OutRsts" },
	{ "# segments received", "Tcp.InSegs" },
	{ "# segments retransmited", "Tcp.RetransSegs" },
	{ "# segments retransmitted", "Tcp.RetransSegs" },
	{ "# segments send out", "Tcp.OutSegs" },
	{ "# segments sent out", "Tcp.OutSegs" },
	{ "# DSACKs for out of order packets received", "TcpExt.TCPDSACKOfoRecv" },
	{ "# DSACKs received", "TcpExt.TCPDSACKRecv" },
	{ "# DSACKs sent for old packets", "TcpExt.TCPDSACKOldSent" },
	{ "# DSACKs sent for out of order packets", "TcpExt.TCPDSACKOfoSent" },
	{ "# ICMP packets dropped because socket was locked", "TcpExt.LockDroppedIcmps" },
	{ "# ICMP packets dropped because they were out-of-window", "TcpExt.OutOfWindowIcmps" },
	{ "# SACK retransmits failed", "TcpExt.TCPSackRecoveryFail" },
	{ "# SYN cookies received", "TcpExt.SyncookiesRecv" },
	{ "# SYN cookies sent", "TcpExt.SyncookiesSent" },
	{ "# SYNs to LISTEN sockets dropped", "TcpExt.ListenDrops" },
	{ "# SYNs to LISTEN sockets ignored", "TcpExt.ListenDrops" },
	{ "# TCP sockets finished time wait in fast timer", "TcpExt.TW" },
	{ "# TCP sockets finished time wait in slow timer", "TcpExt.TWKilled" },
	{ "# acknowledgments not containing data payload received", "TcpExt.TCPPureAcks" },
	{ "# active connections rejected because of time stamp", "TcpExt.PAWSActive" },
	{ "# bad SACK blocks received", "TcpExt.TCPSACKReneging" },
	{ "# classic Reno fast retransmits failed", "TcpExt.TCPRenoRecoveryFail" },
	{ "# congestion windows fully recovered without slow start", "TcpExt.TCPFullUndo" },
	{ "# congestion windows partially recovered using Hoe heuristic", "TcpExt.TCPPartialUndo" },
	{ "# congestion windows recovered without slow start after partial ack",
	  "TcpExt.TCPLossUndo" },
	{ "# congestion windows recovered without slow start by DSACK", "TcpExt.TCPDSACKUndo" },
	{ "# connections aborted after user close in linger timeout", "TcpExt.TCPAbortOnLinger" },
	{ "# connections aborted due to memory pressure", "TcpExt.TCPAbortOnMemory" },
	{ "# connections aborted due to timeout", "TcpExt.TCPAbortOnTimeout" },
	{ "# connections reset due to early user close", "TcpExt.TCPAbortOnClose" },
	{ "# connections reset due to unexpected data", "TcpExt.TCPAbortOnData" },
	{ "# delayed acks further delayed because of locked socket", "TcpExt.DelayedACKLocked" },
	{ "# delayed acks sent", "TcpExt.DelayedACKs" },
	{ "# fast retransmits", "TcpExt.TCPFastRetrans" },
	{ "# invalid SYN cookies received", "TcpExt.SyncookiesFailed" },
	{ "# other TCP timeouts", "TcpExt.TCPTimeouts" },
	{ "# packet headers predicted", "TcpExt.TCPHPHits" },
	{ "# packets collapsed in receive queue due to low socket buffer",
	  "TcpExt.TCPRcvCollapsed" },
	{ "# packets dropped from out-of-order queue because of socket buffer overrun",
	  "TcpExt.OfoPruned" },
	{ "# packets header predicted", "TcpExt.TCPHPHits" },
	{ "# packets pruned from receive queue", "TcpExt.RcvPruned" },
	{ "# packets pruned from receive queue because of socket buffer overrun",
	  "TcpExt.PruneCalled" },
	{ "# packets rejected in established connections because of timestamp",
	  "TcpExt.PAWSEstab" },
	{ "# packets rejects in established connections because of timestamp", "TcpExt.PAWSEstab" },
	{ "# passive connections rejected because of time stamp", "TcpExt.PAWSPassive" },
	{ "# predicted acknowledgments", "TcpExt.TCPHPAcks" },
	{ "# resets received for embryonic SYN_RECV sockets", "TcpExt.EmbryonicRsts" },
	{ "# retransmits in slow start", "TcpExt.TCPSlowStartRetrans" },
	{ "# time wait sockets recycled by time stamp", "TcpExt.TWRecycled" },
	{ "# timeouts after SACK recovery", "TcpExt.TCPSackFailures" },
	{ "# timeouts after reno fast retransmit", "TcpExt.TCPRenoFailures" },
	{ "# timeouts in loss state", "TcpExt.TCPLossFailures" },
	{ "# times recovered from packet loss by selective acknowledgements",
	  "TcpExt.TCPSackRecovery" },
	{ "# times recovered from packet loss due to fast retransmit", "TcpExt.TCPRenoRecovery" },
	{ "# times the listen queue of a socket overflowed", "TcpExt.ListenOverflows" },
	{ "# times unable to send RST due to no memory", "TcpExt.TCPAbortFailed" },
	{ "# times unabled to send RST due to no memory", "TcpExt.TCPAbortFailed" },
	{ "Detected reordering # times using SACK", "TcpExt.TCPSACKReorder" },
	{ "Detected reordering # times using reno fast retransmit", "TcpExt.TCPRenoReorder" },
	{ "Detected reordering # times using time stamp", "TcpExt.TCPTSReorder" },
	{ "Quick ack mode was activated # times", "TcpExt.DelayedACKLost" },
	{ "TCP ran low on memory # times", "TcpExt.TCPMemoryPressures" },
};

struct reading {
	struct tct_counter_value *values; /* [tct_counters_count]: NOT_LOOKED = not found */
	char section[16];                 /* netstat: "Tcp", "TcpExt" */
	bool extensions_seen;             /* TcpExt was there */
};

/* A number at the start of text, followed by a blank or the end. */
static bool read_value(const char *text, int64_t *value)
{
	char *end;
	intmax_t number;

	if ((*text < '0' || *text > '9') && (*text != '-' || text[1] < '0' || text[1] > '9'))
		return false;
	errno = 0;
	number = strtoimax(text, &end, 10);
	if (errno != 0 || (*end != '\0' && *end != ' ' && *end != '\t'))
		return false;
	*value = number;
	return true;
}

static void set_value(struct reading *reading, const struct tct_counter *counter, const char *text)
{
	struct tct_counter_value *value = &reading->values[tct_counter_index(counter)];

	value->presence = read_value(text, &value->value) ? TCT_PRESENT : TCT_UNPARSED;
}

/* The counter of a line and column as the kernel names them; those of sockstat aren't here. */
static const struct tct_counter *find_counter(const char *line, const char *column)
{
	char name[96];
	int length = snprintf(name, sizeof(name), "%s.%s", line, column);
	const struct tct_counter *counter =
		length > 0 && (size_t)length < sizeof(name) ? tct_counter_find(name) : NULL;

	return counter != NULL && strcmp(counter->name, name) == 0 ? counter : NULL;
}

/* "TcpExtListenOverflows           12                 0.0" */
static int take_nstat_line(void *context, char *line)
{
	static const char *const prefixes[] = { "TcpExt", "IpExt", "Tcp" };
	struct reading *reading = context;
	char *value = line + strcspn(line, " \t");

	if (*value == '\0')
		return 0;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (size_t i = 0; i < TCT_COUNT(prefixes); i++) {
		size_t length = strlen(prefixes[i]);
		const struct tct_counter *counter;

		if (strncmp(line, prefixes[i], length) != 0)
			continue;
		counter = find_counter(prefixes[i], line + length);
		if (counter != NULL) {
			set_value(reading, counter, value);
			return 0;
		}
	}
	return 0;
}

/* "SYNs 12 to" -> "SYNs # to", and the number. False if there is none. */
static bool make_sentence(const char *line, char *sentence, size_t size, const char **number)
{
	size_t digits;
	int length;

	*number = strpbrk(line, "0123456789");
	if (*number == NULL)
		return false;
	digits = strspn(*number, "0123456789");
	length = snprintf(sentence, size, "%.*s#%s", (int)(*number - line), line, *number + digits);
	if (length < 0 || (size_t)length >= size)
		return false;
	/* some versions end some of them with a full stop */
	while (length > 0 && strchr(". \t\r", sentence[length - 1]) != NULL)
		sentence[--length] = '\0';
	return true;
}

static void take_sentence(struct reading *reading, const char *line)
{
	char sentence[128];
	const char *number;
	const struct tct_counter *counter;

	if (!make_sentence(line, sentence, sizeof(sentence), &number))
		return;
	for (size_t i = 0; i < TCT_COUNT(sentences); i++) {
		if (strcmp(sentence, sentences[i].sentence) != 0)
			continue;
		counter = tct_counter_find(sentences[i].counter);
		if (counter != NULL && strcmp(counter->line, reading->section) == 0)
			set_value(reading, counter, number);
		return;
	}
}

static void begin_section(struct reading *reading, const char *name, size_t length)
{
	if (length >= sizeof(reading->section))
		length = 0;
	memcpy(reading->section, name, length);
	reading->section[length] = '\0';
	reading->extensions_seen |= strcmp(reading->section, "TcpExt") == 0;
}

/* "Tcp:", "    12 segments received", "    TCPTimeouts: 5" */
static int take_netstat_line(void *context, char *line)
{
	struct reading *reading = context;
	size_t length = strlen(line);
	const struct tct_counter *counter;
	char *colon;

	if (*line != ' ' && *line != '\t') {
		bool heading = length > 1 && line[length - 1] == ':';

		begin_section(reading, line, heading ? length - 1 : 0);
		return 0;
	}
	if (reading->section[0] == '\0')
		return 0;
	line += strspn(line, " \t");
	colon = strchr(line, ':');
	if (colon == NULL) {
		take_sentence(reading, line);
		return 0;
	}
	*colon = '\0';
	counter = find_counter(reading->section, line);
	if (counter != NULL)
		set_value(reading, counter, colon + 1 + strspn(colon + 1, " \t"));
	return 0;
}

/*
 * netstat leaves out what is 0. So a counter that every kernel has is 0 if its section is there; of
 * the others nobody can tell.
 */
static void fill_zeros(struct tct_counter_value *values)
{
	for (size_t i = 0; i < tct_counters_count; i++) {
		const struct tct_counter *counter = &tct_counters[i];

		if (counter->group == TCT_GROUP_TCPEXT && !counter->optional &&
		    values[i].presence == TCT_NOT_LOOKED)
			values[i] = (struct tct_counter_value){ .presence = TCT_PRESENT };
	}
}

static bool is_known(const struct tct_counter_value *values, enum tct_counter_group group)
{
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (tct_counters[i].group == group && values[i].presence == TCT_PRESENT)
			return true;
	}
	return false;
}

/* Read one output into the values that aren't known yet. 0 or -errno. */
static int add_output(const struct tct_root *root, const char *path,
		      int (*take)(void *context, char *line), struct tct_counter_value *values)
{
	TCT_AUTOFREE struct tct_counter_value *found = calloc(tct_counters_count, sizeof(*found));
	struct reading reading = { .values = found };
	struct tct_sos_lines lines;
	int result;

	if (found == NULL)
		return -ENOMEM;
	result = tct_sos_lines_read(root, path, take, &reading, &lines);
	if (result < 0)
		return result;
	if (reading.extensions_seen && !is_known(values, TCT_GROUP_TCPEXT))
		fill_zeros(found);
	for (size_t i = 0; i < tct_counters_count; i++) {
		if (values[i].presence != TCT_PRESENT && found[i].presence != TCT_NOT_LOOKED)
			values[i] = found[i];
	}
	return 0;
}

/* The gaps, in the order in which they matter. 0 or -ENOMEM. */
static int note_losses(const struct tct_counter_value *values, struct tct_observation *gaps)
{
	int result = 0;

	if (!is_known(values, TCT_GROUP_TCP) || !is_known(values, TCT_GROUP_TCPEXT))
		result = tct_observation_gap(gaps, "kernel counters",
					     "neither in proc/net nor told by nstat or netstat -s");
	if (result == 0 && !is_known(values, TCT_GROUP_SOCKSTAT))
		result = tct_observation_gap(gaps, "memory and orphans of TCP",
					     "there is no proc/net/sockstat");
	return result;
}

int tct_sos_counters_read(const struct tct_root *root, struct tct_counter_value *values,
			  struct tct_observation *gaps)
{
	bool files = tct_root_exists(root, "proc/net");
	int result = 0;

	memset(values, 0, tct_counters_count * sizeof(*values));
	if (files)
		result = tct_counters_read(root, 0, values, gaps);
	if (result == 0 &&
	    (!is_known(values, TCT_GROUP_TCP) || !is_known(values, TCT_GROUP_TCPEXT))) {
		result = add_output(root, nstat_path, take_nstat_line, values);
		if (result != -ENOMEM) /* CurrEstab, which nstat leaves out */
			result = add_output(root, netstat_path, take_netstat_line, values);
	}
	if (result == -ENOMEM)
		return result;
	return gaps != NULL ? note_losses(values, gaps) : 0;
}
