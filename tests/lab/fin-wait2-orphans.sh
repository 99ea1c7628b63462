#!/usr/bin/env bash
# The server has closed, the clients never do: FIN_WAIT2 without an owner, the case of tcp_fin_timeout.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open fin-wait2-orphans

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-close
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold
await "150 in FIN_WAIT2" 5 states_are "$SERVER" 150 state fin-wait-2
audit "$SERVER" 1
only_finding fin-wait2-orphans '' network
expect "FIN_WAIT2 as ss" "$(json .states.counts.FIN_WAIT2)" -eq 150
# It is the client's fault, and there it says so.
sleep 2.5
audit "$CLIENT" 1 --var close_wait_age=2s
only_finding close-wait-leak tcplab application

lab_pass
