#!/usr/bin/env bash
# Packets from addresses to which this host has another way, or none: its reverse path filter drops them.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open rp-filter-drops

set_sysctl "$SERVER" net.ipv4.conf.all.rp_filter=0
set_sysctl "$SERVER" net.ipv4.conf.lab0.rp_filter=1
set_sysctl "$SERVER" net.ipv4.conf.lo.rp_filter=1
# The way back to them is another interface.
ip_in "$SERVER" route add 10.9.0.0/16 dev lo
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 20 --hold --keepalive
audit "$SERVER" 1
no_warnings

BEFORE=$(counter "$SERVER" TcpExtIPReversePathFilter)
actor "$CLIENT" synflood --to "$SERVER4" --port 7000 --rate 400 --count 4000 --spoof-net 10.9.0.0/16
sleep 0.2
audit "$SERVER" 1
expect "drops" $(($(counter "$SERVER" TcpExtIPReversePathFilter) - BEFORE)) -ge 300
only_finding rp-filter-drops '' network
finding_present rp-filter-strict info
finding_that rp-filter-strict '.subject == "lab0"'
audit "$CLIENT" 1
no_warnings

# A loose filter lets them in: there is a way back.
set_sysctl "$SERVER" net.ipv4.conf.lab0.rp_filter=2
audit "$SERVER" 1
finding_absent rp-filter-drops
finding_absent rp-filter-strict

lab_pass
