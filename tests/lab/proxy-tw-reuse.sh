#!/usr/bin/env bash
# A control: a proxy whose ports are nearly all in TIME_WAIT, and tcp_tw_reuse=1 lets connect() take them.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open proxy-tw-reuse

set_sysctl "$CLIENT" "net.ipv4.ip_local_port_range=40000 40099" net.ipv4.tcp_tw_reuse=0
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --echo
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 100 --count 97 --exchange 100
await "97 of 100 ports in TIME_WAIT" 10 states_are "$CLIENT" 97 state time-wait
# Each port rests for a second before it may be taken: thirty a second need few of them.
sleep 1.2
set_sysctl "$CLIENT" net.ipv4.tcp_tw_reuse=1
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 30 --exchange 100
CHURN_OUT=$ACTOR_OUT
CHURN=$ACTOR_PID
BEFORE=$(counter "$CLIENT" TcpExtTWRecycled)
audit "$CLIENT" 2
no_warnings
expect "ports taken again" $(($(counter "$CLIENT" TcpExtTWRecycled) - BEFORE)) -gt 20
expect "TIME_WAIT" "$(count_state "$CLIENT" state time-wait)" -ge 85
audit "$SERVER" 2
no_warnings
actor_stop "$CHURN"
grep -q 'failed=0 ' "$CHURN_OUT" || fail "some connects failed: $(<"$CHURN_OUT")"

lab_pass
