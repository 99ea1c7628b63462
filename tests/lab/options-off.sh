#!/usr/bin/env bash
# What every handshake should offer, switched off one by one; and a port range whose ends are both even.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open options-off

set_sysctl "$SERVER" net.ipv4.tcp_sack=0
audit "$SERVER" 0
only_finding sack-off '' sysctl
set_sysctl "$SERVER" net.ipv4.tcp_sack=1

set_sysctl "$SERVER" net.ipv4.tcp_timestamps=0
audit "$SERVER" 0
only_finding timestamps-off '' sysctl
# Where this has no effect for want of timestamps, that is the one finding.
set_sysctl "$SERVER" net.ipv4.tcp_tw_reuse=1
audit "$SERVER" 0
only_finding tw-reuse-without-timestamps '' sysctl
finding_absent timestamps-off
set_sysctl "$SERVER" net.ipv4.tcp_timestamps=1

audit "$SERVER" 0
finding_absent port-parity
set_sysctl "$SERVER" "net.ipv4.ip_local_port_range=32768 61000"
audit "$SERVER" 0
no_warnings
finding_present port-parity info
finding_that port-parity 'any(.remedy.sysctls[]; .to == [32768, 60999])'

lab_pass
