#!/usr/bin/env bash
# A back end vanishes while a program has connections to it that talk, and others that it then closes: one finding, not
# one for each state that they are left in.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open vanished-backend

lab_backend
actor "$BACKEND" listen --address "$BACKEND4" --port 8000 --backlog 512 --echo
actor "$SERVER" connect --to "$BACKEND4" --port 8000 --count 130 --hold --talk 260 --exchange 100
actor "$SERVER" connect --to "$BACKEND4" --port 8000 --count 100 --hold
CLOSING=$ACTOR_PID
sleep 0.5
cut "$BACKEND" gone input meta l4proto tcp drop
actor_close "$CLOSING"
await "100 in FIN_WAIT1" 5 states_are "$SERVER" 100 state fin-wait-1
sleep 9
audit "$SERVER" 1 --var unanswered_age=5s
only_finding ghosts tcplab network
finding_that ghosts '.evidence | any(.value == 130)'
finding_that ghosts '.evidence | any(.value == 100)'
finding_explained last-ack-pile ghosts

lab_pass
