#!/usr/bin/env bash
# tcp_max_tw_buckets made small, as blogs advise, on a server that closes first.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open time-wait-overflow

time_waits_are() {
	[[ $(count_state "$SERVER" state time-wait) == "$1" ]]
}

audit "$SERVER" 0
finding_absent tw-buckets-low

set_sysctl "$SERVER" net.ipv4.tcp_max_tw_buckets=64
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 1024 --accept-and-close
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 300 --peer-closes
await "64 in TIME_WAIT" 5 time_waits_are 64
BEFORE=$(counter "$SERVER" TcpExtTCPTimeWaitOverflow)
audit "$SERVER" 1
expect "overflows" $(($(counter "$SERVER" TcpExtTCPTimeWaitOverflow) - BEFORE)) -gt 150
finding_present tw-overflow warning
nothing_else tw-overflow
finding_that tw-overflow '.evidence | any(.value | numbers | . > 150 and . < 450)'
finding_that tw-overflow 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_max_tw_buckets" and .to > 64)'
finding_explained tw-buckets-low tw-overflow
expect "TIME_WAIT" "$(json .states.counts.TIME_WAIT)" -eq 64

# One look sees no overflow, but it sees the limit.
audit "$SERVER" 0
finding_present tw-buckets-low warning
nothing_else tw-buckets-low
finding_that tw-buckets-low '.evidence | any(.value == 64)'
finding_that tw-buckets-low 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_max_tw_buckets" and .to > 64)'

# The client's namespace has a limit of its own, and is well.
audit "$CLIENT" 1
finding_absent tw-overflow
finding_absent tw-buckets-low

# Negative is no limit at all.
set_sysctl "$SERVER" net.ipv4.tcp_max_tw_buckets=-1
audit "$SERVER" 1
finding_absent tw-overflow
finding_absent tw-buckets-low

lab_pass
