#!/usr/bin/env bash
# Connections to an address that nobody answers for: SYN_SENT.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open connect-failing

ip_in "$CLIENT" route add 10.99.0.0/24 via "$SERVER4"
ip_in "$SERVER" route add blackhole 10.99.0.0/24
cut "$SERVER" hole input ip daddr 10.99.0.0/24 drop
actor "$CLIENT" connect --to 10.99.0.7 --port 7000 --count 120 --nonblocking --hold
await "120 in SYN_SENT" 5 states_are "$CLIENT" 120 state syn-sent
sleep 3
audit "$CLIENT" 1
only_finding connect-failing '10\.99\.0\.7.*7000' network
finding_that connect-failing '.remedy.sysctls == []'
finding_that connect-failing '.remedy.commands | any(contains("tcpdump"))'
expect "SYN_SENT as ss" "$(json .states.counts.SYN_SENT)" -eq 120
audit "$SERVER" 1
no_warnings

lab_pass
