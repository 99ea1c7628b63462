#!/usr/bin/env bash
# Honest clients over a slow path and a listen() backlog that is too small: cookies are sent and come back.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open small-syn-backlog

# What the client sends waits in a queue: so the ACKs of a burst come only after its SYNs, and slowly enough for a busy
# machine to accept them in time.
inside "$CLIENT" tc qdisc add dev lab0 root tbf rate 400kbit burst 4k limit 200k ||
	lab_skip "tc has no tbf here"
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 64 --accept-and-hold
audit "$SERVER" 0
no_warnings

actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 100 --burst 120
CHURN_OUT=$ACTOR_OUT
CHURN=$ACTOR_PID
SENT=$(counter "$SERVER" TcpExtSyncookiesSent)
RECEIVED=$(counter "$SERVER" TcpExtSyncookiesRecv)
audit "$SERVER" 3
SENT=$(($(counter "$SERVER" TcpExtSyncookiesSent) - SENT))
RECEIVED=$(($(counter "$SERVER" TcpExtSyncookiesRecv) - RECEIVED))
expect "cookies" "$SENT" -gt 40
expect "came back" "$RECEIVED" -gt $((SENT / 2))
only_finding syn-cookies-overload '' application
finding_that syn-cookies-overload '.remedy.application | contains("backlog")'
finding_that syn-cookies-overload 'any(.never[]; .what | contains("tcp_max_syn_backlog"))'

audit "$CLIENT" 2
no_warnings
actor_stop "$CHURN"
grep -q 'failed=0 ' "$CHURN_OUT" || fail "some visits failed: $(<"$CHURN_OUT")"

lab_pass
