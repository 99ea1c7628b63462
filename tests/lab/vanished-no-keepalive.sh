#!/usr/bin/env bash
# Peers that lost power, on sockets without keepalive: they stay ESTABLISHED for good.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open vanished-no-keepalive

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 130 --hold --abort
cut "$CLIENT" gone output meta l4proto tcp drop
actor_stop "$ACTOR_PID"
await "nothing left at the client" 5 states_are "$CLIENT" 0 state all
mended "$CLIENT" gone
expect "still ESTABLISHED" "$(count_state "$SERVER" state established)" -eq 130
sleep 2.5
audit "$SERVER" 1 --var idle_after=2s
only_finding keepalive-missing tcplab application
finding_that keepalive-missing '.remedy.application | contains("SO_KEEPALIVE")'
audit "$CLIENT" 1 --var idle_after=2s
no_warnings

lab_pass
