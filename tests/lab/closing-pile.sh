#!/usr/bin/env bash
# Both ends close at once and the last ACKs are lost: CLOSING.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open closing-pile

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-hold
LISTENER=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold
CALLERS=$ACTOR_PID
await "150 connections" 5 states_are "$SERVER" 150 state established
# The FINs cross: neither arrives before the other was sent.
cut "$CLIENT" deaf input 'tcp flags & fin == fin drop'
cut "$SERVER" deaf input 'tcp flags & fin == fin drop'
actor_close "$LISTENER"
actor_close "$CALLERS"
await "150 in FIN_WAIT1" 5 states_are "$SERVER" 150 state fin-wait-1
await "150 in FIN_WAIT1 at the client" 5 states_are "$CLIENT" 150 state fin-wait-1
# Now the client's FINs come through; nothing of the server's does.
cut "$CLIENT" gone input meta l4proto tcp drop
mended "$SERVER" deaf
await "150 in CLOSING" 5 states_are "$SERVER" 150 state closing
sleep 1
audit "$SERVER" 1
only_finding last-ack-pile '' network
finding_that last-ack-pile '.evidence | any(.value == 150)'
expect "CLOSING as ss" "$(json .states.counts.CLOSING)" -eq 150
# Seen from the client, too, the peer is silent.
audit "$CLIENT" 1
only_finding last-ack-pile '' network

lab_pass
