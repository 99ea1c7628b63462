#!/usr/bin/env bash
# A listener for IPv6 only stops accepting; the one for IPv4 on the same port is well and is not blamed.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open accept-queue-v6only

actor "$SERVER" listen --address 0.0.0.0 --port 7000 --backlog 128 --accept-and-hold
actor "$SERVER" listen --address :: --v6only --port 7000 --backlog 10 --no-accept
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 30 --hold
actor "$CLIENT" connect --to "$SERVER6" --port 7000 --count 15 --nonblocking --hold
await "11 waiting, 30 taken" 5 states_are "$SERVER" 41 state established
expect "queue as ss" "$(inside "$SERVER" ss -Hltn6 'sport = :7000' | awk '{ print $2 }')" -eq 11

audit "$SERVER" 1
only_finding accept-queue-full '\[::\]:7000' application
finding_that accept-queue-full '.severity == "critical"'
finding_present accept-queue-full critical queue '== 11' backlog '== 10'

# Four callers wait for an answer: no reason to blame the client's host.
audit "$CLIENT" 1
no_warnings

lab_pass
