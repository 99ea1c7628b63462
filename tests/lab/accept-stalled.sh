#!/usr/bin/env bash
# An application that has stopped accepting, with eight of 128 places taken: no counter moves, and nobody is served.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open accept-stalled

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 128 --echo
STALLED=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 10 --hold --keepalive
await "10 accepted" 5 states_are "$SERVER" 10 state established
audit "$SERVER" 1
no_warnings

# It hangs: clients still get through the handshake, and wait.
actor_pause "$STALLED"
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 8 --hold --keepalive
await "8 more" 5 states_are "$SERVER" 18 state established
BEFORE=$(counter "$SERVER" TcpExtListenDrops)
# After half a second it may be a pause ...
audit "$SERVER" 0.5
only_finding accept-stalled "$SERVER4:7000" application
finding_present accept-stalled advice
# ... but those who wait for longer make it certain, however short the look is.
sleep 2
audit "$SERVER" 1
only_finding accept-stalled "$SERVER4:7000" application
finding_present accept-stalled warning "one has waited at least" '>= 2'
finding_that accept-stalled '.evidence | any(.value == 8)'
finding_that accept-stalled '.remedy.sysctls == []'
expect "drops" "$(counter "$SERVER" TcpExtListenDrops)" -eq "$BEFORE"
audit "$CLIENT" 1
no_warnings

# Clients that gave up are in CLOSE_WAIT, but nobody can close what was never accepted: it is the same trouble.
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 110 --close-after 0.2
await "110 in CLOSE_WAIT" 5 states_are "$SERVER" 110 state close-wait
sleep 2.5
audit "$SERVER" 1 --var close_wait_age=2s
only_finding accept-stalled "$SERVER4:7000" application
finding_absent close-wait-leak

# Eight that wait for a moment are none of its kind.
actor_pause "$STALLED"
queue_is_empty() {
	[[ $(inside "$SERVER" ss -Hltn "sport = :7000" | awk '{ print $2 }') == 0 ]]
}
await "an empty queue" 5 queue_is_empty
audit "$SERVER" 1
no_warnings

lab_pass
