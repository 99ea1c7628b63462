#!/usr/bin/env bash
# A control: very many idle clients, and keepalive watches each.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open idle-keepalive

lab_devices
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 4096 --accept-and-hold --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 3000 --hold --keepalive --from 10.8.0.1-10.8.0.250
await "3000 connections" 5 states_are "$SERVER" 3000 state established
sleep 2.5
for namespace in "$SERVER" "$CLIENT"; do
	audit "$namespace" 1 --var idle_after=2s
	no_warnings
	expect "ESTABLISHED" "$(json .states.counts.ESTABLISHED)" -eq 3000
done

lab_pass
