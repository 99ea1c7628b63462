#!/usr/bin/env bash
# Half-open connections whose final ACK doesn't come, fewer than the listener's limit: no cookies yet, a way back that
# is broken.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open syn-recv-stuck

# The SYN-ACKs end at the client's host.
ip_in "$SERVER" route add 10.9.0.0/16 via "$CLIENT4"
ip_in "$CLIENT" route add blackhole 10.9.0.0/16
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 64 --accept-and-hold
actor "$SERVER" listen --address "$SERVER4" --port 7001 --backlog 64 --accept-and-hold

actor "$CLIENT" synflood --to "$SERVER4" --port 7000 --rate 500 --count 40 --spoof-net 10.9.0.0/16
await "40 half-open" 5 states_are "$SERVER" 40 state syn-recv
# The first SYN-ACK comes again after a second.
sleep 1.5
BEFORE=$(count_state "$SERVER" state syn-recv)
audit "$SERVER" 1
AFTER=$(count_state "$SERVER" state syn-recv)
only_finding syn-recv-stuck "$SERVER4:7000" network
finding_that syn-recv-stuck '.evidence | any(.value == 40)'
finding_that syn-recv-stuck '.remedy.sysctls == []'
# None comes, but after a few seconds the kernel drops some, for the queue is more than half full.
expect "SYN_RECV from ss after" "$(json .states.counts.SYN_RECV)" -ge "$AFTER"
expect "SYN_RECV to ss before" "$(json .states.counts.SYN_RECV)" -le "$BEFORE"

lab_pass
