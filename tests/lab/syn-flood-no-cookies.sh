#!/usr/bin/env bash
# The same flood with cookies off: SYNs are dropped, and the cure is named.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open syn-flood-no-cookies

set_sysctl "$SERVER" net.ipv4.tcp_syncookies=0
ip_in "$SERVER" route add 10.9.0.0/16 via "$CLIENT4"
ip_in "$CLIENT" route add blackhole 10.9.0.0/16

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 16 --accept-and-hold
BEFORE=$(counter "$SERVER" TcpExtTCPReqQFullDrop)
actor "$CLIENT" synflood --to "$SERVER4" --port 7000 --rate 500 --count 5000 --spoof-net 10.9.0.0/16
audit "$SERVER" 1
expect "dropped" $(($(counter "$SERVER" TcpExtTCPReqQFullDrop) - BEFORE)) -gt 300
only_finding listener-syn-drops "$SERVER4:7000" attack
finding_that listener-syn-drops '.evidence | any(.value | numbers | . > 300 and . < 700)'
finding_that listener-syn-drops 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_syncookies" and .to == 1)'
finding_explained syncookies-off listener-syn-drops
finding_explained syn-queue-drops listener-syn-drops
finding_absent syn-cookies-active

# The forger's host has no trouble.
audit "$CLIENT" 1
no_warnings

lab_pass
