#!/usr/bin/env bash
# A control: clients, a proxy, a backend; connections that stay and connections that come and go.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open proxy-pair

lab_backend
actor "$BACKEND" listen --address "$BACKEND4" --port 8000 --backlog 1024 --echo --keepalive
actor "$SERVER" relay --address "$SERVER4" --port 7000 --onward "$BACKEND4:8000" --backlog 1024 --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 150 --hold --keepalive --talk 500 --exchange 300
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 200 --exchange 200 --keepalive
CHURN_OUT=$ACTOR_OUT
CHURN=$ACTOR_PID
sleep 1
for namespace in "$SERVER" "$BACKEND" "$CLIENT"; do
	audit "$namespace" 1
	no_warnings
done
actor_stop "$CHURN"
grep -q 'failed=0 ' "$CHURN_OUT" || fail "some visits failed: $(<"$CHURN_OUT")"

lab_pass
