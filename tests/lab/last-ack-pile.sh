#!/usr/bin/env bash
# The client closed, the server closes after the path was cut: LAST_ACK.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open last-ack-pile

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --leak
LISTENER=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold
CALLERS=$ACTOR_PID
await "150 connections" 5 states_are "$SERVER" 150 state established
actor_half_close "$CALLERS"
await "150 in CLOSE_WAIT" 5 states_are "$SERVER" 150 state close-wait
cut "$CLIENT" gone input meta l4proto tcp drop
actor_close "$LISTENER"
await "150 in LAST_ACK" 5 states_are "$SERVER" 150 state last-ack
sleep 2
audit "$SERVER" 1
only_finding last-ack-pile '' network
finding_that last-ack-pile '.evidence | any(.value == 150)'
expect "LAST_ACK as ss" "$(json .states.counts.LAST_ACK)" -eq 150
# The clients have shut down, and their program still waits for the end.
audit "$CLIENT" 1
only_finding fin-wait2-held '' application

lab_pass
