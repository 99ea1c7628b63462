#!/usr/bin/env bash
# A control: a server whose connections stay open and are used all the time.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open keepalive-busy

lab_devices
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 1024 --echo
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 500 --hold --talk 3000 --exchange 400 --from 10.8.0.1-10.8.0.200
sleep 1
for namespace in "$SERVER" "$CLIENT"; do
	audit "$namespace" 2 --var idle_after=2s
	no_warnings
	expect "ESTABLISHED" "$(json .states.counts.ESTABLISHED)" -eq 500
done

lab_pass
