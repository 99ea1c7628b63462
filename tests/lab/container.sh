#!/usr/bin/env bash
# A control: a container, audited from within and from the host by the pid of its process.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open container

# Namespaces of its own for processes and mounts, too; its first process is the server.
propagation=$(own_propagation) || lab_skip "mount namespaces are refused"
program "$SERVER" setpriv --pdeathsig KILL -- \
	unshare --propagation "$propagation" --mount --pid --fork --kill-child --mount-proc \
	"$TCPLAB" listen --address "$SERVER4" --port 7000 --backlog 128 --echo --keepalive
OUTSIDE=$PROGRAM_PID
container_pid() {
	INSIDE=$(cat "/proc/$OUTSIDE/task/$OUTSIDE/children") && INSIDE=${INSIDE%% *}
	[[ -n $INSIDE ]] && grep -q ^ready "$PROGRAM_OUT"
}
await "the container's server" 5 container_pid
LAB_ACTORS+=("$INSIDE") # unshare itself has no ear for SIGTERM
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 50 --hold --keepalive --talk 300 --exchange 200

audit_at "$SERVER" nsenter --target "$INSIDE" --net --mount --pid -- "$TCPTUNE" audit --json --interval 1
no_warnings
expect "ESTABLISHED from within" "$(json .states.counts.ESTABLISHED)" -eq 50
audit_at "$SERVER" "$TCPTUNE" audit --json --interval 1 --netns "$INSIDE"
no_warnings
expect "ESTABLISHED from outside" "$(json .states.counts.ESTABLISHED)" -eq 50
[[ $(json '.listeners[0].owner.comm') == tcplab ]] || fail "the owner isn't named: $(json .listeners -c)"
audit "$CLIENT" 1
no_warnings

lab_pass
