#!/usr/bin/env bash
# Connections turned away while we look: the rate is of this second, and overflows from before are no evidence.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open listen-overflows

overflows_beyond() {
	(($(counter "$SERVER" TcpExtListenOverflows) > $1))
}

# crowded: 5 fit; the other 40 send a SYN every second, and each is turned away.
crowded() {
	local before
	before=$(counter "$SERVER" TcpExtListenOverflows)
	actor "$SERVER" listen --address "$SERVER4" --port "$1" --backlog 4 --no-accept
	LISTENER=$ACTOR_PID
	actor "$CLIENT" connect --to "$SERVER4" --port "$1" --count 45 --nonblocking --hold
	CALLERS=$ACTOR_PID
	await "the first overflows" 5 overflows_beyond "$before"
}

# The listener is seen full, so there is one finding, and it names the listener.
crowded 7000
BEFORE=$(counter "$SERVER" TcpExtListenOverflows)
audit "$SERVER" 2
AFTER=$(counter "$SERVER" TcpExtListenOverflows)
expect "overflows in the interval" $((AFTER - BEFORE)) -gt 10
finding_present accept-queue-full critical queue '== 5' backlog '== 4'
nothing_else accept-queue-full
finding_explained listen-overflows accept-queue-full
actor_stop "$CALLERS"
actor_stop "$LISTENER"

# The counter stays where it is: what overflowed before we looked is no finding.
audit "$SERVER" 1
finding_absent listen-overflows
no_warnings

# The application is gone when we look again: nobody to name, but the overflows were there. Two rounds of SYNs
# come before its end, so a slow start of the audit does no harm.
crowded 7001
(
	sleep 2.2
	kill "$LISTENER"
) &
audit "$SERVER" 3
finding_present listen-overflows critical
nothing_else listen-overflows listener-overflows
finding_that listen-overflows '.subject == null'
finding_that listen-overflows '.evidence | any(.value | numbers | . > 5 and . < 200)'
finding_that listen-overflows 'any(.never[]; .what | contains("tcp_abort_on_overflow"))'
finding_absent accept-queue-full

lab_pass
