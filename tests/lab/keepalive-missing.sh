#!/usr/bin/env bash
# Many idle clients on sockets that never asked for keepalive; and the same with it.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open keepalive-missing

established_are() {
	[[ $(count_state "$SERVER" state established) == "$1" ]]
}

# clients COUNT OPTION...: that many, idle, on port 7000
clients() {
	local count=$1
	shift
	actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-hold "$@"
	LISTENER=$ACTOR_PID
	actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count "$count" --hold "$@"
	CLIENTS=$ACTOR_PID
	await "$count connections" 5 established_are "$count"
}

cleared() {
	actor_stop "$CLIENTS"
	actor_stop "$LISTENER"
	await "no connections" 5 established_are 0
}

clients 130 --keepalive
sleep 2.5
audit "$SERVER" 0 --var idle_after=2s
finding_absent keepalive-missing
audit "$CLIENT" 0 --var idle_after=2s
finding_absent keepalive-missing
cleared

clients 130
# Idle, but not for an hour.
audit "$SERVER" 0
finding_absent keepalive-missing
sleep 3.5
for namespace in "$SERVER" "$CLIENT"; do
	audit "$namespace" 0 --var idle_after=2s
	finding_present keepalive-missing warning
	nothing_else keepalive-missing
	finding_that keepalive-missing '.cause == "application"'
	finding_that keepalive-missing '.evidence | any(.value == 130)'
	finding_that keepalive-missing '.remedy.application | contains("SO_KEEPALIVE")'
	finding_that keepalive-missing '.never | length > 0'
done
expect "ESTABLISHED" "$(json .states.counts.ESTABLISHED)" -eq 130
cleared

# Fewer than are worth a warning.
clients 90
sleep 2.5
audit "$SERVER" 0 --var idle_after=2s
finding_absent keepalive-missing
cleared

# Connections within the host don't cross the boxes that forget, whichever of its addresses they use.
actor "$SERVER" listen --address :: --port 7001 --backlog 512 --accept-and-hold
actor "$SERVER" connect --to 127.0.0.1 --port 7001 --count 130 --hold
actor "$SERVER" connect --to "$SERVER4" --port 7001 --count 130 --hold
sleep 2.5
audit "$SERVER" 0 --var idle_after=2s
finding_absent keepalive-missing

# Those from outside count in both families, IPv4 through a dual-stack listener too.
actor "$CLIENT" connect --to "$SERVER6" --port 7001 --count 60 --hold
actor "$CLIENT" connect --to "$SERVER4" --port 7001 --count 60 --hold
sleep 3.5
audit "$SERVER" 0 --var idle_after=2s
finding_present keepalive-missing warning
nothing_else keepalive-missing
finding_that keepalive-missing '.evidence | any(.value == 120)'
expect "ESTABLISHED as ss" "$(json .states.counts.ESTABLISHED)" -eq "$(count_state "$SERVER" state established)"

lab_pass
