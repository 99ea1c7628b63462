#!/usr/bin/env bash
# A program whose sending is held up by peers that don't read: told to it, and nothing of warning.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open buffer-limited-by-peer

# The times are summed over the connections since they began; the default asks for a minute.
SOON=(--var limited_busy_min=2s)

# Those that read are no limit.
actor "$SERVER" listen --address "$SERVER4" --port 7001 --backlog 256 --echo --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7001 --count 50 --hold --keepalive --talk 500 --exchange 2000
sleep 1
audit "$SERVER" 1 "${SOON[@]}"
no_warnings
finding_absent buffer-limited-by-peer

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold --send 4000000
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 12 --hold
sleep 1
audit "$SERVER" 1 "${SOON[@]}"
no_warnings
finding_present buffer-limited-by-peer info
finding_that buffer-limited-by-peer '.subject | startswith("tcplab[")'
finding_that buffer-limited-by-peer '.cause == "application"'
finding_absent buffer-limited

lab_pass
