#!/usr/bin/env bash
# An application that listens and never accepts: its queue overruns, and the finding names the listener and says
# who set the limit, the application or somaxconn.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091,SC2016
. "$(dirname "$0")/lib.sh"

lab_open accept-queue-full

# accept_queue PORT: queue and backlog as ss sees them, "11 10"
accept_queue() {
	inside "$SERVER" ss -Hltn "sport = :$1" | awk '{ print $2, $3 }'
}

accept_queue_is() {
	[[ $(accept_queue "$1") == "$2" ]]
}

# stalled ADDRESS PORT BACKLOG LIMIT CONNECTS: a listener with CONNECTS callers and nobody to take them
stalled() {
	local queue=$(($5 > $4 + 1 ? $4 + 1 : $5))
	actor "$SERVER" listen --address "$1" --port "$2" --backlog "$3" --no-accept
	LISTENER=$ACTOR_PID
	actor "$CLIENT" connect --to "$1" --port "$2" --count "$5" --nonblocking --hold
	CALLERS=$ACTOR_PID
	await "a queue of $queue" 5 accept_queue_is "$2" "$queue $4"
}

cleared() {
	actor_stop "$CALLERS"
	actor_stop "$LISTENER"
}

# listed PORT FIELD: of the audit's list of listeners
listed() {
	json '.listeners[] | select(.port == $port) | .[$field]' --argjson port "$1" --arg field "$2"
}

# The last place is still free at queue == backlog: the kernel holds one more.
stalled "$SERVER4" 7000 10 10 10
audit "$SERVER" 0
finding_absent accept-queue-full
cleared

# The application's listen() argument is the limit.
stalled "$SERVER4" 7001 10 10 40
audit "$SERVER" 1
finding_present accept-queue-full critical queue '== 11' backlog '== 10'
nothing_else accept-queue-full
finding_that accept-queue-full '.cause == "application"'
finding_that accept-queue-full ".subject | tostring | contains(\"$SERVER4:7001\")"
expect "queue listed" "$(listed 7001 queue)" -eq 11
expect "backlog listed" "$(listed 7001 backlog)" -eq 10
expect "ESTABLISHED, not accepted" "$(json .states.counts.ESTABLISHED)" -eq 11
finding_present app-backlog-small
finding_absent backlog-capped
# The callers who found no room are still sending SYNs, and have no other trouble.
audit "$CLIENT" 0
expect "SYN_SENT as ss" "$(json .states.counts.SYN_SENT)" -eq "$(count_state "$CLIENT" state syn-sent)"
expect "callers outside" "$(json .states.counts.SYN_SENT)" -eq 29
finding_absent accept-queue-full
cleared

# somaxconn is the limit.
set_sysctl "$SERVER" net.core.somaxconn=16
stalled "$SERVER4" 7002 64 16 50
audit "$SERVER" 1
finding_present accept-queue-full critical queue '== 17' backlog '== 16'
nothing_else accept-queue-full
finding_present backlog-capped
finding_absent app-backlog-small
cleared

# The same over IPv6.
set_sysctl "$SERVER" net.core.somaxconn=4096
stalled "$SERVER6" 7003 5 5 30
audit "$SERVER" 1
finding_present accept-queue-full critical queue '== 6' backlog '== 5'
nothing_else accept-queue-full
finding_that accept-queue-full ".subject | tostring | contains(\"[$SERVER6]:7003\")"
cleared

lab_pass
