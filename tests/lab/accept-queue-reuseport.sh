#!/usr/bin/env bash
# One of three SO_REUSEPORT listeners stops accepting: the finding is about that one, not its siblings.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open accept-queue-reuseport

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 64 --reuseport --accept-and-hold
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 10 --reuseport --no-accept
STALLED=$ACTOR_PID
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 64 --reuseport --accept-and-hold
# Each connection goes to one of the three by a hash of its addresses and ports.
for ((round = 0; round < 20; round++)); do
	actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 5 --nonblocking --hold
	QUEUES=$(inside "$SERVER" ss -Hltn 'sport = :7000' | awk '{ print $2 }' | sort -n | tr '\n' ' ')
	[[ $QUEUES != "0 0 11 " ]] || break
done
[[ $QUEUES == "0 0 11 " ]] || fail "queues of $QUEUES, not 0 0 11"

audit "$SERVER" 1
only_finding accept-queue-full "7000" application
finding_present accept-queue-full critical queue '== 11' backlog '== 10'
finding_that accept-queue-full ".evidence | any(.value == \"tcplab[$STALLED]\")"

audit "$CLIENT" 1
no_warnings

lab_pass
