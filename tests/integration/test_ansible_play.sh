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

# --- confirm -------------------------------------------------------------------------------------------------------

# The collection's playbook: somebody answers, so it is kept; nobody does, so it is taken back, and the play fails.
run 0 rollback
ck_state "$WORK/old" "everything is back"
canary=(tcptune.tcptune.canary -e ansible_become=false -e ansible_host=127.0.0.1 -e port=8081 -e restart=false -e answer_within=2)
listen 8081
play 0 "${canary[@]}" -e "profile=$WORK/second.yaml" -e 'reason=CHG-1'
[[ $(</proc/sys/net/core/somaxconn) == 32768 ]] || fail "what was confirmed isn't kept"
run 0 history --json
json '.transactions[0].kind == "confirm" and .transactions[1].reason == "CHG-1" and .transactions[1].state == "committed"'
kill "$listener"
wait "$listener" 2>/dev/null
values >"$WORK/kept"
play 2 "${canary[@]}" -e "profile=$WORK/first.yaml"
grep -q 'localhost .*failed=1 .*rescued=1' "$WORK/out" || fail "the canary's recap"
values | cmp -s - "$WORK/kept" || fail "nobody answered, and it isn't taken back"
run 0 history --json
json '.transactions[0] | .kind == "rollback" and .reason == "the service did not answer"'

# The module: what waits, what is refused meanwhile, check mode, and what is confirmed already.
first='"profile": "'$WORK'/first.yaml", "confirm_within": 60'
module ok "{$first}" check
json '.changed and .waiting.seconds == 60'
module failed '{"state": "confirmed"}' check # what waited last was taken back
json '.msg | contains("was taken back")'
module failed '{"state": "confirmed"}'
json '.rc == 3'
module ok "{$first}"
json '.changed and .waiting.seconds == 60 and .waiting.until != null'
module ok '{"state": "checked"}'
json '.waiting.transaction > 0'
module failed "{$first}"
json '.rc == 3 and .refused[0].kind == "pending"'
remember
module ok '{"state": "confirmed"}' check
json .changed
module failed '{"state": "confirmed", "transaction": 1}' check
json '.msg == "transaction 1 was not confirmed in time, or was taken back"'
module failed '{"state": "confirmed", "transaction": 99}' check
json '.msg == "there is no apply 99"'
begin_elsewhere
module ok '{"state": "confirmed", "netns": "'$elsewhere'"}' check
json '.changed | not'
end_elsewhere
ck_untouched "check mode of confirm"
module ok '{"state": "confirmed", "wait": 5}'
json '.changed and .confirmed == .transaction - 1'
remember
module ok '{"state": "confirmed"}'
json '(.changed | not) and .transaction == null'
ck_untouched "what is confirmed already"

# Too late: the host has put it back by itself, and confirm is refused with the reason.
module ok '{"settings": {"net.ipv4.tcp_fin_timeout": 20}, "confirm_within": 1}'
json .changed
for _ in {1..50}; do
	[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) != 20 ]] && break
	sleep 0.1
done
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 30 ]] || fail "it isn't put back when the time is over"
module failed '{"state": "confirmed"}' check
json '(.changed | not) and (.msg | contains("was not confirmed in time"))'
module failed '{"state": "confirmed"}'
json '.rc == 3 and (.msg | length) > 0'

echo "playbooks: rescued, restarted, confirmed, taken back"
