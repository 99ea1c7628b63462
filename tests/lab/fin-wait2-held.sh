#!/usr/bin/env bash
# An application that shuts down for writing and never closes: FIN_WAIT2 with an owner.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open fin-wait2-held

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-hold
LISTENER=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold
CALLERS=$ACTOR_PID
await "150 connections" 5 states_are "$SERVER" 150 state established
actor_half_close "$LISTENER"
await "150 in FIN_WAIT2" 5 states_are "$SERVER" 150 state fin-wait-2
audit "$SERVER" 1
only_finding fin-wait2-held '' application
finding_that fin-wait2-held 'any(.never[]; .what | contains("tcp_fin_timeout"))'
finding_absent fin-wait2-orphans
expect "FIN_WAIT2 as ss" "$(json .states.counts.FIN_WAIT2)" -eq 150
actor_close "$CALLERS"
await "150 in TIME_WAIT" 5 states_are "$SERVER" 150 state time-wait
audit "$SERVER" 1
no_warnings

lab_pass
