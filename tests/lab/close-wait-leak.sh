#!/usr/bin/env bash
# An application that reads the peer's FIN and never closes.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open close-wait-leak

close_waits_are() {
	[[ $(count_state "$SERVER" state close-wait) == "$1" ]]
}

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --leak

# One less than the threshold, and old enough.
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 99 --close-after 0.2
await "99 in CLOSE_WAIT" 5 close_waits_are 99
sleep 2.5
audit "$SERVER" 0 --var close_wait_age=2s
finding_absent close-wait-leak

actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 61 --close-after 0.2
await "160 in CLOSE_WAIT" 5 close_waits_are 160
# Enough of them, but none is ten seconds old: that may still be an application about to close.
audit "$SERVER" 0
finding_absent close-wait-leak
sleep 3.5
audit "$SERVER" 1 --var close_wait_age=2s
only_finding close-wait-leak 'tcplab' application
finding_that close-wait-leak '.severity == "warning" or .severity == "critical"'
finding_that close-wait-leak '.evidence | any(.value == 160)'
finding_that close-wait-leak '.remedy.sysctls == []'
expect "CLOSE_WAIT as ss" "$(json .states.counts.CLOSE_WAIT)" -eq "$(count_state "$SERVER" state close-wait)"

# The other end did its part: nothing to blame there.
audit "$CLIENT" 0 --var close_wait_age=2s
finding_absent close-wait-leak
no_warnings
expect "FIN_WAIT2 as ss" "$(json .states.counts.FIN_WAIT2)" -eq "$(count_state "$CLIENT" state fin-wait-2)"
expect "FIN_WAIT2" "$(json .states.counts.FIN_WAIT2)" -eq 160

lab_pass
