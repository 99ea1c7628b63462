#!/usr/bin/env bash
# The first keepalive probe comes after a middlebox has forgotten the connection; only judged when one is named.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open keepalive-slow

audit "$SERVER" 0
[[ -z $(finding keepalive-slow) ]] || fail "keepalive-slow without a middlebox"
audit "$SERVER" 0 --var middlebox_idle=350s
finding_present keepalive-slow
nothing_else keepalive-slow
finding_that keepalive-slow '.evidence | any(.value == 7200)'
set_sysctl "$SERVER" net.ipv4.tcp_keepalive_time=60
audit "$SERVER" 0 --var middlebox_idle=350s
finding_absent keepalive-slow

lab_pass
