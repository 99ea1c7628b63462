#!/usr/bin/env bash
# The path to the clients is cut, then the server closes: FIN_WAIT1, its FINs unanswered.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open fin-wait1-pile

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-hold
LISTENER=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold --keepalive
await "150 connections" 5 states_are "$SERVER" 150 state established
cut "$CLIENT" gone input meta l4proto tcp drop
actor_close "$LISTENER"
await "150 in FIN_WAIT1" 5 states_are "$SERVER" 150 state fin-wait-1
# Two retransmissions: after 0.2 and 0.6 s.
sleep 2
audit "$SERVER" 1
only_finding last-ack-pile '' network
finding_that last-ack-pile '.evidence | any(.value == 150)'
expect "FIN_WAIT1 as ss" "$(json .states.counts.FIN_WAIT1)" -eq 150
# The clients hear nothing, and did nothing wrong.
audit "$CLIENT" 1
no_warnings

lab_pass
