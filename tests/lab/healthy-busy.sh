#!/usr/bin/env bash
# The control: two hosts that are busy and well. Any warning is a false alarm.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open healthy-busy

# Many devices: the client's namespace answers for a whole network.
ip_in "$CLIENT" route add local 10.8.0.0/24 dev lo
ip_in "$SERVER" route add 10.8.0.0/24 via "$CLIENT4"

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 4096 --echo --keepalive
actor "$SERVER" listen --address :: --port 7001 --backlog 4096 --echo --keepalive
actor "$CLIENT" listen --address "$CLIENT4" --port 7002 --backlog 4096 --echo --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 400 --hold --keepalive --from 10.8.0.1-10.8.0.200
actor "$CLIENT" connect --to "$SERVER6" --port 7001 --count 150 --hold --keepalive
actor "$SERVER" connect --to "$CLIENT4" --port 7002 --count 150 --hold --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 300 --exchange 200 --keepalive --from 10.8.0.1-10.8.0.200
CHURN_OUT=$ACTOR_OUT
CHURN=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER6" --port 7001 --churn 50 --exchange 1000 --keepalive
actor "$SERVER" connect --to "$CLIENT4" --port 7002 --churn 100 --exchange 50 --keepalive
sleep 1

for namespace in "$SERVER" "$CLIENT"; do
	BEFORE=$(count_state "$namespace" state time-wait)
	audit "$namespace" 2
	AFTER=$(count_state "$namespace" state time-wait)
	no_warnings
	# What stands still is exact; what moves lies between what ss saw before and after.
	TIME_WAIT=$(json .states.counts.TIME_WAIT)
	expect "TIME_WAIT from ss before" "$TIME_WAIT" -ge "$BEFORE"
	expect "TIME_WAIT to ss after" "$TIME_WAIT" -le "$AFTER"
	expect "ESTABLISHED from" "$(json .states.counts.ESTABLISHED)" -ge 700
	expect "ESTABLISHED to" "$(json .states.counts.ESTABLISHED)" -le 760
	expect "CLOSE_WAIT" "$(json .states.counts.CLOSE_WAIT)" -le 30
	expect "LISTEN" "$(json .states.counts.LISTEN)" -eq "$(count_state "$namespace" state listening)"
done

# With the churn ended everything stands still, and both families are counted to the socket.
for pid in "${LAB_ACTORS[@]:6}"; do
	actor_stop "$pid"
done
kill -0 "$CHURN" 2>/dev/null && fail "the churn didn't end"
CHURNED=$(sed -n 's/^opened=[0-9]* completed=\([0-9]*\) failed=0 .*/\1/p' "$CHURN_OUT")
expect "visits without a failure" "${CHURNED:-0}" -gt 900
sleep 0.5
for namespace in "$SERVER" "$CLIENT"; do
	audit "$namespace" 0
	for state in ESTABLISHED TIME_WAIT FIN_WAIT2 CLOSE_WAIT SYN_SENT LISTEN; do
		filter=${state,,}
		filter=${filter//_/-}
		filter=${filter/fin-wait2/fin-wait-2}
		filter=${filter/#listen/listening}
		expect "$state as ss" "$(json ".states.counts.$state")" -eq "$(count_state "$namespace" state "$filter")"
	done
done

lab_pass
