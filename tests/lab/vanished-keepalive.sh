#!/usr/bin/env bash
# The same with keepalive: a timer watches the connections, and ends them. Nothing to say.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open vanished-keepalive

set_sysctl "$SERVER" net.ipv4.tcp_keepalive_time=3 net.ipv4.tcp_keepalive_intvl=1 net.ipv4.tcp_keepalive_probes=2
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 130 --hold --abort
cut "$CLIENT" gone output meta l4proto tcp drop
actor_stop "$ACTOR_PID"
await "nothing left at the client" 5 states_are "$CLIENT" 0 state all
# Nothing of that host arrives any more, not even a RST in answer to a probe.
sleep 2
audit "$SERVER" 0 --var idle_after=1s
expect "still ESTABLISHED" "$(json .states.counts.ESTABLISHED)" -eq 130
no_warnings
await "the end of them" 8 states_are "$SERVER" 0 state established
audit "$SERVER" 1 --var idle_after=1s
no_warnings
audit "$CLIENT" 1 --var idle_after=1s
no_warnings

lab_pass
