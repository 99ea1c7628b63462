#!/usr/bin/env bash
# Without window scaling no connection has more than 64 KiB in flight.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open window-scaling-off

audit "$SERVER" 0
finding_absent window-scaling-off
set_sysctl "$SERVER" net.ipv4.tcp_window_scaling=0
audit "$SERVER" 0
finding_present window-scaling-off critical
nothing_else window-scaling-off
finding_that window-scaling-off '.cause == "sysctl"'
finding_that window-scaling-off 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_window_scaling" and .to == 1)'
# It is this namespace's, not the neighbour's.
audit "$CLIENT" 0
finding_absent window-scaling-off

lab_pass
