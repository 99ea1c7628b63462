#!/usr/bin/env bash
# A flood of SYNs from forged addresses, cookies on: the service lives, and the finding says attack.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open syn-flood-cookies

set_sysctl "$SERVER" net.ipv4.tcp_syncookies=1
# The forged senders are "behind" the client's end, where the answers end.
ip_in "$SERVER" route add 10.9.0.0/16 via "$CLIENT4"
ip_in "$CLIENT" route add blackhole 10.9.0.0/16

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 16 --accept-and-hold
audit "$SERVER" 0
no_warnings

BEFORE=$(counter "$SERVER" TcpExtTCPReqQFullDoCookies)
actor "$CLIENT" synflood --to "$SERVER4" --port 7000 --rate 500 --count 5000 --spoof-net 10.9.0.0/16
# A real client still gets in.
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 5 --hold
audit "$SERVER" 1
expect "cookies" $(($(counter "$SERVER" TcpExtTCPReqQFullDoCookies) - BEFORE)) -gt 300
finding_present syn-cookies-active -
nothing_else syn-cookies-active
finding_that syn-cookies-active '.severity == "warning" or .severity == "critical"'
finding_that syn-cookies-active '.cause == "attack"'
finding_that syn-cookies-active '.evidence | any(.value | numbers | . > 300 and . < 700)'
finding_absent syn-queue-drops
finding_absent syncookies-off
expect "SYN_RECV" "$(json .states.counts.SYN_RECV)" -eq "$(count_state "$SERVER" state syn-recv)"

# With 2 every SYN gets a cookie, so their number says nothing.
set_sysctl "$SERVER" net.ipv4.tcp_syncookies=2
audit "$SERVER" 1
finding_absent syn-cookies-active
finding_absent syn-queue-drops

# The forger's host has no trouble.
audit "$CLIENT" 1
no_warnings

lab_pass
