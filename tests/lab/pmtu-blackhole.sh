#!/usr/bin/env bash
# A path that swallows large packets and the ICMP that would say so: small ones arrive, full-size ones never.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open pmtu-blackhole

set_sysctl "$SERVER" net.ipv4.tcp_mtu_probing=0
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold --send 200000
cut "$CLIENT" narrow input 'meta length > 1200 drop'
# The clients' questions, and so their ACKs, arrive all the while.
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 40 --hold --talk 80 --exchange 10 --impatient
sleep 4
audit "$SERVER" 1
only_finding pmtu-blackhole '' network
finding_that pmtu-blackhole 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_mtu_probing" and .to == 1)'
finding_that pmtu-blackhole 'any(.never[]; .what | contains("ip_no_pmtu_disc"))'
audit "$CLIENT" 1
no_warnings

lab_pass
