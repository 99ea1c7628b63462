#!/usr/bin/env bash
# tcp_tw_reuse has no effect without timestamps.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open tw-reuse-without-timestamps

set_sysctl "$SERVER" net.ipv4.tcp_tw_reuse=1
audit "$SERVER" 0
finding_absent tw-reuse-without-timestamps

set_sysctl "$SERVER" net.ipv4.tcp_timestamps=0
audit "$SERVER" 0
finding_present tw-reuse-without-timestamps warning
nothing_else tw-reuse-without-timestamps
finding_that tw-reuse-without-timestamps '.cause == "sysctl"'

set_sysctl "$SERVER" net.ipv4.tcp_tw_reuse=0
audit "$SERVER" 0
finding_absent tw-reuse-without-timestamps

lab_pass
