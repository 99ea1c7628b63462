#!/usr/bin/env bash
# A control: short connections that the client closes first, so that TIME_WAIT and the ports in it are its own.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open short-lived

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 1024 --echo
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 1000 --exchange 100
sleep 3
for namespace in "$CLIENT" "$SERVER"; do
	audit "$namespace" 1
	no_warnings
done
expect "TIME_WAIT at the client" "$(count_state "$CLIENT" state time-wait)" -gt 2500

lab_pass
