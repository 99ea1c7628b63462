#!/usr/bin/env bash
# shellcheck disable=SC2016 # jq has variables of its own
# The Ansible module in playbooks: rollback in rescue, a handler for what must be restarted, and the collection's own
# playbook, which keeps an apply only if the service still answers.
# shellcheck source-path=SCRIPTDIR source=ansible.sh
. "$(dirname "$0")/ansible.sh"

play() { # EXPECTED_EXIT PLAYBOOK WORDS...
	local expected=$1 code=0
	shift
	ansible-playbook -i localhost, -c local -e "work=$WORK" "$@" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == "$expected" ]] || fail "ansible-playbook $*: exit $code, not $expected"
}

listen() { # PORT: with the limit of this moment
	"$TCPLAB" listen --address 127.0.0.1 --port "$1" --backlog 65535 --for 120 >"$WORK/listener" 2>&1 &
	listener=$!
	for _ in {1..50}; do
		ss -Hltn "sport = :$1" | grep -q . && return
		sleep 0.1
	done
	fail "nobody listens on $1: $(cat "$WORK/listener")"
}

# The first time the listener keeps an old limit; when the play is run again nothing changes, so no handler either.
listen 8080
play 0 "$(dirname "$0")/play.yml"
grep -q 'localhost .*changed=4 .*failed=0 .*rescued=2' "$WORK/out" || fail "the play's recap"
run 0 history --json
json '[.transactions[] | [.id, .kind]] == [[3, "apply"], [2, "rollback"], [1, "apply"]]'
json '.transactions[1] | .reason == "it did not answer" and .undoes == 1'
[[ $(<"$WORK/restarted") == 8080 ]] || fail "the handler: $(cat "$WORK/restarted")"
[[ $(</proc/sys/net/core/somaxconn) == 32768 ]] || fail "somaxconn"
kill "$listener"
wait "$listener" 2>/dev/null

echo "playbooks: rescued, restarted"
