#!/usr/bin/env bash
# Short connections that the server closes first: plenty of TIME_WAIT there, and nothing wrong with that.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open time-wait-churn

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 1024 --accept-and-close
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 1000 --peer-closes
sleep 3
for namespace in "$SERVER" "$CLIENT"; do
	audit "$namespace" 1
	no_warnings
done
expect "TIME_WAIT at the server" "$(count_state "$SERVER" state time-wait)" -gt 2500
expect "TIME_WAIT at the client" "$(count_state "$CLIENT" state time-wait)" -eq 0

lab_pass
