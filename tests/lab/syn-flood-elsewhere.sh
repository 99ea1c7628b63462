#!/usr/bin/env bash
# Two troubles at once: one application has stopped accepting, another is flooded. Neither hides the other: a
# listener whose accept queue is full sends no cookies, so the cookies are never its doing.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open syn-flood-elsewhere

ip_in "$SERVER" route add 10.9.0.0/16 via "$CLIENT4"
ip_in "$CLIENT" route add blackhole 10.9.0.0/16

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 10 --no-accept
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 11 --hold
actor "$SERVER" listen --address "$SERVER4" --port 7001 --backlog 16 --accept-and-hold
actor "$CLIENT" synflood --to "$SERVER4" --port 7001 --rate 500 --count 5000 --spoof-net 10.9.0.0/16
audit "$SERVER" 1
finding_present accept-queue-full critical queue '== 11' backlog '== 10'
finding_present syn-cookies-active
nothing_else accept-queue-full syn-cookies-active
finding_that syn-cookies-active '.cause == "attack"'

lab_pass
