#!/usr/bin/env bash
# shellcheck disable=SC2016 # jq has variables of its own
# The Ansible module, one task at a time, with real ansible-core: what it returns, and what it leaves alone.
# shellcheck source-path=SCRIPTDIR source=ansible.sh
. "$(dirname "$0")/ansible.sh"

first='"profile": "'$WORK'/first.yaml", "persist": true'
second='"profile": ["'$WORK'/second.yaml"], "persist": true'

# --- the manual ----------------------------------------------------------------------------------------------------

ansible-doc -t module $MODULE >"$WORK/out" 2>"$WORK/err" || fail "ansible-doc"
ansible-doc -t module $MODULE --json >"$WORK/out" 2>"$WORK/err" || fail "ansible-doc --json"
json '.["'$MODULE'"] | (.doc.options | keys | length) == 17 and .doc.attributes.check_mode.support == "full"'
json '.["'$MODULE'"] | (.return | has("restart_needed")) and (.examples | contains("state: rolled_back"))'
/usr/bin/python3 - "$TCT_SOURCE_DIR/integrations/ansible/plugins/modules/tcptune.py" "$WORK/out" <<'PYTHON' ||
import ast, json, sys
source = open(sys.argv[1]).read()
tree = ast.parse(source, feature_version=(3, 6))
doc = next(iter(json.load(open(sys.argv[2])).values()))['doc']['options']
spec = next(ast.literal_eval(node.value) for node in tree.body
            if isinstance(node, ast.AnnAssign) and node.target.id == 'ARGUMENTS')
assert set(doc) == set(spec), set(doc) ^ set(spec)
for name, option in spec.items():
    for word in ('type', 'choices', 'default', 'elements', 'aliases'):
        assert doc[name].get(word) == option.get(word), (name, word)
PYTHON
	fail "the manual and the arguments differ"

# --- check mode, the first time, the second time -------------------------------------------------------------------

remember
task ok "{$first}" --check --diff
json '.changed and .rc == 1 and .transaction == null and (.settings | length) == 7'
json '.diff[0] | (.before | contains("net.core.somaxconn = 4096\n")) and (.after | contains("net.core.somaxconn = 16384\n"))'
json '.diff[0].after | contains("net.ipv4.ip_local_port_range = 40000 60999\n")'
json '.diff[1].prepared | contains("+net.core.somaxconn = 16384")'
grep -q '^+net.core.somaxconn = 16384$' "$WORK/said" || fail "--diff doesn't show the value"
ck_untouched "check mode"
[[ ! -e /var/lib/tcptune ]] || fail "check mode makes a journal"

"$TCPLAB" listen --address 127.0.0.1 --port 8080 --backlog 4096 --for 60 >"$WORK/listener" 2>&1 &
listener=$!
for _ in {1..50}; do
	ss -Hltn 'sport = :8080' | grep -q . && break
	sleep 0.1
done
task ok "{$first, \"reason\": \"-ticket 42\"}" --diff
json '.changed and .rc == 0 and .transaction == 1 and (.rolled_back | not) and .recovered == null'
json '.settings[] | select(.key == "net.core.somaxconn") | .before == 4096 and .after == 16384 and .live_written'
json '.drop_in.after_sha256 | length == 64'
json '(.refused + .unsupported + .shadowed + .conflicts) == []'
json '.waiting == null and (.diff | length) == 2'
json '.restart_needed[] | select(.port == 8080) | .backlog == 4096'
kill "$listener"
wait "$listener" 2>/dev/null
[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "somaxconn"
run 0 history --json
json '.transactions[0] | .reason == "-ticket 42" and .user == "root"'

remember
task ok "{$first, \"reason\": \"another\"}" --diff
json '(.changed | not) and .transaction == null and .settings == [] and .diff == []'
ck_untouched "the second run"
task ok "{$first}" --check
json '(.changed | not) and .rc == 0'

# --- refused: the task fails with the reason, and nothing is written -------------------------------------------------

cat >"$WORK/never.yaml" <<'YAML'
schema: tcptune.profile.v1
name: never
summary: What a blog says
settings:
  net.ipv4.tcp_abort_on_overflow: { set: 1, because: a blog says so }
YAML
task failed "{\"profile\": \"$WORK/never.yaml\"}"
json '.rc == 3 and (.changed | not) and .refused[0].kind == "never"'
json '.msg | startswith("refused, nothing was changed: net.ipv4.tcp_abort_on_overflow: ")'
task failed "{\"profile\": \"$WORK/never.yaml\"}" --check
json '.rc == 3'
echo 'net.core.somaxconn = 300' >/etc/sysctl.d/99-zz.conf
remember
task failed "{$second}"
json '.rc == 3 and .refused[0].kind == "shadowed" and (.msg | contains("/etc/sysctl.d/99-zz.conf:1"))'
ck_untouched "a refused apply"
task ok "{$second, \"allow_shadowed\": true}"
json '.changed and .shadowed[0].file == "/etc/sysctl.d/99-zz.conf"'
json '.warnings[0] | startswith("net.core.somaxconn: /etc/sysctl.d/99-zz.conf:1 overrides")'
rm /etc/sysctl.d/99-zz.conf

# --- checked, rolled back ------------------------------------------------------------------------------------------

module ok '{"state": "checked"}'
json '(.changed | not) and .conforms and .rc == 0'
set_value net/ipv4/tcp_tw_reuse 0
module ok "{\"state\": \"checked\", \"profile\": \"$WORK/second.yaml\"}"
json '(.changed | not) and (.conforms | not) and .rc == 1 and (has("diff") | not)'

remember
module failed '{"state": "rolled_back"}' check
json '.msg | contains("net.ipv4.tcp_tw_reuse is 0, tcptune wrote 1")'
ck_untouched "check mode of a rollback"
module ok '{"state": "rolled_back", "force": true, "transaction": 2, "reason": "it was worse"}'
json '.changed and .undid == 2 and (.diff[0].after | contains("net.core.somaxconn = 16384\n"))'
module ok '{"state": "rolled_back"}' check
json '.changed'
module ok '{"state": "rolled_back"}'
json '.changed and .undid == 1'
ck_state "$WORK/old" "everything is back"
remember
module ok '{"state": "rolled_back"}'
json '(.changed | not) and .undid == null'
ck_untouched "nothing to take back"

# --- single keys ---------------------------------------------------------------------------------------------------

keys='"settings": {"net.ipv4.tcp_tw_reuse": 1, "net.ipv4.tcp_rmem": [4096, 131072, 8388608]}, "persist": true'
module ok "{$keys}" check
json '.changed and (.settings | length) == 2'
ck_state "$WORK/old" "check mode of single keys"
module ok "{$keys}"
json '.changed and ([.settings[].key] == ["net.ipv4.tcp_rmem", "net.ipv4.tcp_tw_reuse"])'
[[ $(tr '\t' ' ' </proc/sys/net/ipv4/tcp_rmem) == '4096 131072 8388608' ]] || fail "tcp_rmem"
module ok "{$keys}"
json '.changed | not'
module ok '{"state": "checked", "settings": {"net.ipv4.tcp_tw_reuse": true}}'
json .conforms
module failed '{"settings": {"net.ipv4.tcp_abort_on_overflow": 1}}'
json '.rc == 3 and .refused[0].kind == "never"'
module ok '{"state": "rolled_back"}'
ck_state "$WORK/old" "single keys are back"

# --- another tcptune at work ---------------------------------------------------------------------------------------

exec {lock}>/run/tcptune.lock
flock "$lock"
module failed "{$first}"
json '.rc == 5 and (.msg | contains("another tcptune is at work")) and (.changed | not)'
(
	sleep 4
	exec {lock}>&-
) &
holder=$!
exec {lock}>&-
module ok "{$first, \"wait\": 60}"
json '.changed'
wait "$holder"
reset "waiting"

# --- killed in the middle: check mode only tells of it ---------------------------------------------------------------

traced -e inject=rename,renameat,renameat2:signal=KILL -- apply "${FIRST[@]}"
remember
module ok "{$first}" check
json '.changed and .warnings == ["transaction \(.recovered) had been interrupted; that would be put right first"]'
module ok '{"state": "confirmed"}' check
json .changed
ck_untouched "check mode beside an interrupted transaction"
module ok "{$first}"
json '.changed and .warnings == ["transaction \(.recovered) had been interrupted; it was put right first"]'
reset "an interrupted transaction"

# --- somewhere else ------------------------------------------------------------------------------------------------

begin_elsewhere
module ok "{\"profile\": \"$WORK/second.yaml\", \"netns\": \"$elsewhere\"}"
json '.changed and .drop_in == null'
[[ $(nsenter -t $elsewhere -n cat /proc/sys/net/core/somaxconn) == 32768 ]] || fail "somaxconn elsewhere"
end_elsewhere
ck_state "$WORK/old" "another namespace is another one"
mkdir -p "$WORK/image/etc"
module ok "{\"profile\": \"$WORK/second.yaml\", \"root\": \"$WORK/image\", \"boot\": \"both\"}"
json '.changed and ([.settings[].live_written] | any | not)'
[[ -s $WORK/image$DROP_IN && -s $WORK/image$JOURNAL ]] || fail "the image has no drop-in and journal"
ck_state "$WORK/old" "an image is not this host"

# --- wrong words ---------------------------------------------------------------------------------------------------

module failed '{}'
json '.msg | contains("profile, settings")'
module failed '{"profile": []}'
json '.msg == "state=applied needs at least one of profile and settings"'
module failed '{"state": "checked", "reason": "why not", "wait": 1}'
json '.msg == "state=checked has no use for reason, wait"'
module failed '{"profile": "no-such", "boot": "both"}'
json '.rc == 2 and (.msg | contains("no-such"))'
module failed "{$first, \"netns\": \"1\", \"root\": \"/\"}"
json '.msg | contains("mutually exclusive")'
module failed "{$first, \"executable\": \"/nowhere/tcptune\"}"
json '.msg | contains("/nowhere/tcptune")'
module failed '{"settings": {"net.ipv4.tcp_tw_reuse": null}, "variables": {"a": {}}}'
json '.msg == "settings: net.ipv4.tcp_tw_reuse has no value; variables: a is a mapping"'
module ok "{$first, \"reason\": \"\"}" check
json .changed

# Another program, or a tcptune of another age: no success, whatever its exit code.
for said in '' '[1, 2]' '{"changed": false}' '{"schema": "tcptune.apply.v2", "changed": false}'; do
	printf '#!/bin/sh\ncat <<"END"\n%s\nEND\n' "$said" >"$WORK/bin/another"
	chmod +x "$WORK/bin/another"
	module failed "{$first, \"executable\": \"another\"}"
	json '(.msg | contains("bin/another gave no document that this module knows")) and (.changed | not)'
done
ck_state "$WORK/old" "wrong words change nothing"

echo "the Ansible module does what it says"
