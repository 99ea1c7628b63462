#!/usr/bin/env bash
# Destinations of a proxy vanish with requests in flight: it retransmits to nobody.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open ghosts

lab_backend
actor "$BACKEND" listen --address "$BACKEND4" --port 8000 --backlog 256 --echo
actor "$SERVER" connect --to "$BACKEND4" --port 8000 --count 130 --hold --talk 260 --exchange 100
sleep 0.5
audit "$SERVER" 1
no_warnings
cut "$BACKEND" gone input meta l4proto tcp drop
# Five retransmissions take about seven seconds.
sleep 9
audit "$SERVER" 1 --var unanswered_age=5s
only_finding ghosts tcplab network
finding_that ghosts '.evidence | any(.value == 130)'
finding_that ghosts '.remedy.application | contains("TCP_USER_TIMEOUT")'
audit "$BACKEND" 1
no_warnings

lab_pass
