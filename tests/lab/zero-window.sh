#!/usr/bin/env bash
# Peers that never read: their windows are closed, our data waits.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open zero-window

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold --send 4000000
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 40 --hold --rcvbuf 8192
sleep 4
expect "data waiting" "$(inside "$SERVER" ss -Htn state established | awk '$2 > 0' | wc -l)" -eq 40
audit "$SERVER" 1 --var zero_window_age=2s
only_finding zero-window-stuck tcplab application
finding_that zero-window-stuck '.evidence | any(.value == 40)'
# Those who don't read are the ones to look at, but no host-wide trouble.
audit "$CLIENT" 1
no_warnings

lab_pass
