#!/usr/bin/env bash
# audit --all-netns: every namespace is found once and under a name that --netns takes back, judged with its own values,
# and named with its findings; what is the host's is not asked of the others; what goes away or may not be entered is
# counted. In network, mount and pid namespaces made here, so that there are no others than ours.
# TCPTUNE: the program; TCPLAB: the lab's actor; TCT_SOURCE_DIR: the checkout.
# shellcheck disable=SC2016,SC2153 # jq has variables of its own; SCRATCH comes from the outer run
# shellcheck source-path=SCRIPTDIR source=world.sh
. "$(dirname "$0")/world.sh"

# audit ARGUMENT...: all namespaces, as JSON, into $out; must exit 0.
audit() {
	"$TCPTUNE" audit --all-netns --json "$@" >"$out" 2>"$err" || fail "audit --all-netns $* exited $?: $(<"$err")"
}

# has JQ-PREDICATE [JQ-OPTION...]: of the last document.
has() {
	jq -e "${@:2}" "$1" "$out" >/dev/null ||
		fail "not so: $* in $(jq -c '[.summary, .not_seen, (.namespaces[] | {netns, summary, states: .states.counts})]' "$out")"
}

# in_one NAME JQ-PREDICATE: of the one namespace of this name.
in_one() {
	has '[.namespaces[] | select(.netns.name == $name)] | length == 1 and (.[0] | '"$2"')' --arg name "$1"
}

make() {
	ip netns add "$1" || fail "netns add $1"
	ip_in "$1" link set lo up || fail "lo of $1"
}

inode_of() {
	stat -Lc %i "$1"
}

# start NAME COMMAND...: tcplab there, until it is ready. Sets actor.
start() {
	: >"$SCRATCH/actor"
	nsenter --net="/run/netns/$1" -- "$TCPLAB" "${@:2}" >"$SCRATCH/actor" 2>&1 &
	actor=$!
	for ((tick = 0; tick < 200; tick++)); do
		grep -q '^ready' "$SCRATCH/actor" && return
		sleep 0.05
	done
	fail "tcplab ${*:2}: $(<"$SCRATCH/actor")"
}

# --- found once each, under a name that is taken back ---------------------------------------------------------------
make web
make db
make empty
: >/run/netns/junk
touch /run/netns/mnt && mount --bind /proc/self/ns/uts /run/netns/mnt
touch /run/netns/zweb && mount --bind /run/netns/web /run/netns/zweb
unshare -n sleep 60 &
held=$!
unshare -n sleep 60 &
twin=$!
for ((tick = 0; tick < 100; tick++)); do
	[[ $(readlink /proc/$held/ns/net) != "$(readlink /proc/self/ns/net)" &&
		$(readlink /proc/$twin/ns/net) != "$(readlink /proc/self/ns/net)" ]] && break
	sleep 0.05
done
make "$twin" # a name that looks like the pid of a process in another namespace
nsenter --net=/run/netns/db sleep 60 &
inside_db=$!
sleep 0.2

audit --interval 0
has '[.namespaces[].netns.name] == $names' --argjson names \
	"$(jq -cn --arg twin "$twin" --arg path "/proc/$twin/ns/net" --arg held "$held" \
		'[$path, $held, $twin, "db", "empty", "web"]')"
has '[.namespaces[].netns.inode] | length == (unique | length)'
has '.namespaces | all(.netns.initial == false)'
in_one "$held" '.netns.pid == ($name | tonumber) and .netns.comm == "sleep"'
in_one db ".netns.pid == $inside_db and .netns.comm == \"sleep\""
in_one web '.netns.pid == null and .netns.comm == null'
while IFS=$'\t' read -r name inode; do
	found=$("$TCPTUNE" audit --interval 0 --json --netns "$name" | jq .host.netns.inode)
	[[ $found == "$inode" ]] || fail "--netns $name is $found, not $inode"
done < <(jq -r '.namespaces[] | [.netns.name, .netns.inode] | @tsv' "$out")

# One namespace by name: the findings end with how their commands are run inside it.
in_netns web sysctl -qw net.ipv4.tcp_sack=0 || fail "sysctl in web"
"$TCPTUNE" audit --interval 0 --netns web >"$SCRATCH/inside" || fail "audit --netns web exited $?"
grep -q '^  inside  ip netns exec web COMMAND$' "$SCRATCH/inside" || fail "nothing about inside: $(<"$SCRATCH/inside")"
in_netns web sysctl -qw net.ipv4.tcp_sack=1 || fail "sysctl in web"
own=$(inode_of /proc/self/ns/net)
has ".host.netns.inode == $own and (.namespaces | all(.netns.inode != $own))"

# --- what is the host's is not asked of the others; only listeners: no walk, said once -------------------------------
has '.namespaces | all(.not_evaluated | all(.reason | test("initial namespace|sysctl files|not in this kernel|not known here") | not))'
has '.namespaces | all(.not_evaluated | all(.id != "tcp-mem" and .id != "close-wait-leak"))'
has '[.not_seen[] | select(.what | test("half-open"))] | length == 1 and (.[0].what | startswith("6 network namespaces: "))'
in_one empty '.states.method == "derived" and (.states.counts | add == 0)'
audit --interval 0 --exact
has '[.not_seen[] | select(.what | test("half-open"))] == []'
in_one empty '.states.method == "exact"'

# --- judged with its own values, and named ---------------------------------------------------------------------------
in_netns web sysctl -qw net.ipv4.tcp_syncookies=0 || fail "sysctl in web"
start db listen --address 127.0.0.1 --port 8080 --backlog 4 --no-accept
start db connect --to 127.0.0.1 --port 8080 --count 8 --hold --nonblocking
audit --interval 0.4
has '.findings == [] and .summary.critical == 1 and .summary.warning == 1'
in_one web '[.findings[] | .id] == ["syncookies-off"] and .summary.warning == 1'
in_one web '.findings[0].remedy.sysctls == [{key: "net.ipv4.tcp_syncookies", from: 0, to: 1}]'
in_one web '[.settings[] | select(.status == "change") | .key] == ["net.ipv4.tcp_syncookies"]'
in_one db '.findings[0].id == "accept-queue-full" and .findings[0].subject == "127.0.0.1:8080"'
in_one db '.states.counts.LISTEN == 1 and .states.counts.ESTABLISHED > 3 and .interval_seconds >= 0.4'
in_one db '[.listeners[] | [.port, .queue, .backlog]] == [[8080, 5, 4]]'
in_one empty '.findings == [] and .listeners == []'
for pair in "critical 1" "warning 1" "advice 1"; do
	"$TCPTUNE" audit --all-netns --interval 0.2 --fail-on "${pair% *}" --quiet >"$out" 2>"$err"
	[[ $? == "${pair#* }" ]] || fail "--fail-on ${pair% *}: $(<"$out")"
done
grep -q '^critical accept-queue-full in db: 127\.0\.0\.1:8080 has 5 ' "$out" || fail "quiet: $(<"$out")"
grep -q '^warning syncookies-off in web: ' "$out" || fail "quiet: $(<"$out")"
"$TCPTUNE" audit --netns empty --interval 0.2 --fail-on info --quiet >"$out" || fail "empty alone: $(<"$out")"

# --- as text: the worst first, the quiet ones counted, the next command goes there -----------------------------------
COLUMNS=100 "$TCPTUNE" audit --all-netns --interval 0.2 >"$out" 2>"$err" || fail "as text: $(<"$err")"
[[ $(grep -c '^Network namespace ' "$out") == 2 ]] || fail "headings: $(<"$out")"
[[ $(grep -n '^Network namespace db ' "$out" | cut -d: -f1) -lt $(grep -n '^Network namespace web' "$out" | cut -d: -f1) ]] ||
	fail "not the worst first: $(<"$out")"
grep -q '^4 more network namespaces: nothing to report$' "$out" || fail "the quiet ones: $(<"$out")"
grep -q '^next: tcptune audit --netns db$' "$out" || fail "the next command: $(<"$out")"
grep -q '^1 critical, 1 warning, ' "$out" || fail "the sum: $(<"$out")"
grep -q '^  inside  ip netns exec web COMMAND$' "$out" || fail "how to go in: $(<"$out")"
[[ $(grep -c 'half-open and bound sockets' "$out") == 1 ]] || fail "said more than once: $(<"$out")"

# --- going away --------------------------------------------------------------------------------------------------------
# Held open, a namespace outlives its process.
"$TCPTUNE" audit --all-netns --interval 1 --json >"$out" 2>"$err" &
audit=$!
sleep 0.5
kill "$held"
wait "$held" 2>/dev/null
wait "$audit" || fail "while a process ends: $(<"$err")"
in_one "$held" '.summary.critical == 0'
has '[.not_seen[] | select(.reason | test("gone"))] == []'
# Without descriptors to spare it is opened again, and is gone.
unshare -n sleep 60 &
held=$!
sleep 0.3
(
	ulimit -n 65
	exec "$TCPTUNE" audit --all-netns --interval 1 --json
) >"$out" 2>"$err" &
audit=$!
sleep 0.5
kill "$held"
wait "$held" 2>/dev/null
wait "$audit" || fail "while a process ends: $(<"$err")"
has '[.namespaces[] | select(.netns.name == $name)] == []' --arg name "$held"
has '[.not_seen[] | select(.what == "1 network namespace" and (.reason | test("gone")))] | length == 1'
has '[.namespaces[].netns.name] | index("web") and index("db") and index("empty")'

# --- a plain user sees his own, and how much he doesn't see ------------------------------------------------------------
cp "$TCPTUNE" "$SCRATCH/tcptune" && chmod 755 "$SCRATCH/tcptune"
setpriv --reuid 65534 --regid 65534 --clear-groups -- "$SCRATCH/tcptune" audit --all-netns --interval 0 --json \
	>"$out" 2>"$err" || fail "a plain user: $(<"$err")"
has '.namespaces == [] and .states.method != null'
has '[.not_seen[] | select((.what | test("network namespaces$")) and (.reason | test("Operation not permitted")))] | length == 1'
has '[.not_seen[] | select(.reason | test("[0-9]+ processes may not be looked at"))] | length == 1'

# --- a rule on what only the host has is judged once ---------------------------------------------------------------------
cat >"$SCRATCH/host.yaml" <<'YAML'
schema: tcptune.profile.v1
name: host
summary: a rule on a key that every namespace can read and only the host has
extends: [base]
rules:
  - id: the-hosts
    when: sysctl(net.core.rmem_max) > 0
    severity: info
    cause: sysctl
    title: "net.core.rmem_max is {sysctl(net.core.rmem_max)}"
    why: for the test
  - id: of-both
    when: sysctl(net.core.rmem_max) > 0 and sysctl(net.ipv4.tcp_sack) == 1
    severity: info
    cause: sysctl
    title: "and net.ipv4.tcp_sack is {sysctl(net.ipv4.tcp_sack)}"
    why: for the test
  - id: keys
    each: key
    when: out_of_range
    severity: info
    cause: sysctl
    title: "{key} is {now}"
    why: for the test
YAML
in_netns empty sysctl -qw net.ipv4.tcp_retries1=200 || fail "sysctl in empty"
audit --interval 0 --profile "$SCRATCH/host.yaml"
has '[.findings[].id] | index("the-hosts") and index("of-both")'
has '.namespaces | all([.findings[].id] | (index("the-hosts") | not) and index("of-both"))'
in_one empty '[.findings[] | select(.id == "keys") | .subject] | index("net.ipv4.tcp_retries1")'
in_one web '[.findings[] | select(.id == "keys") | .subject] | index("net.ipv4.tcp_retries1") | not'

# --- refused -------------------------------------------------------------------------------------------------------------
for with in "--netns web" "--root $SCRATCH"; do
	# shellcheck disable=SC2086 # an option and its value
	"$TCPTUNE" audit --all-netns $with >"$out" 2>"$err"
	[[ $? == 2 && $(wc -l <"$err") == 1 && ! -s $out ]] || fail "with $with: $(<"$err")"
done

if python3 -c 'import jsonschema' 2>/dev/null; then
	audit --interval 0.2
	python3 - "$TCT_SOURCE_DIR/docs/schemas/tcptune.audit.v1.schema.json" "$out" <<'PY' || fail "not valid by its schema"
import json, sys
import jsonschema
schema, document = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
assert len(document["namespaces"]) >= 4
jsonschema.validators.validator_for(schema)(schema).validate(document)
PY
fi
kill "$twin" "$inside_db" "$actor" 2>/dev/null
echo "all namespaces, each by its own values"
