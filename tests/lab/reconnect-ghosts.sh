#!/usr/bin/env bash
# Devices that lose power and come back: each leaves its old connections behind, open and watched by nobody.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open reconnect-ghosts

# established_nearly COUNT: a device that happens to take its old port again ends its ghost; few do.
established_nearly() {
	(($(count_state "$SERVER" state established) >= $1 - 4))
}

lab_devices
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold
for ((round = 1; round <= 3; round++)); do
	actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 40 --hold --abort --from 10.8.0.1-10.8.0.40
	await "$((round * 40)) connections" 5 established_nearly $((round * 40))
	if ((round == 3)); then
		break
	fi
	# Gone without a word; their side forgets, the server's doesn't hear of it.
	cut "$CLIENT" gone output meta l4proto tcp drop
	actor_stop "$ACTOR_PID"
	await "no sockets at the devices" 5 states_are "$CLIENT" 0 state all
	mended "$CLIENT" gone
done
sleep 2.5
audit "$SERVER" 1 --var ghost_age=2s
# The worst five are told, the rest is counted.
only_findings reconnect-ghosts 5 '10\.8\.0\.[0-9]+' application
finding_that reconnect-ghosts '.severity == "advice"'
finding_that reconnect-ghosts '.title | contains("7000")'
finding_that reconnect-ghosts '.evidence | any(.value == 3)'
finding_that reconnect-ghosts '.remedy.application | contains("SO_KEEPALIVE")'

audit "$CLIENT" 1 --var ghost_age=2s
no_warnings

lab_pass
