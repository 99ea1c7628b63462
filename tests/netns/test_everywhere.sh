#!/usr/bin/env bash
# sockets --all-netns: the sum, what each namespace has, and who in which one uses a port that two of them use.
# snapshot --all-netns: judged by another host, it gives the report that audit --all-netns gave; diff compares the
# namespaces by name. In network, mount and pid namespaces made here, so that there are no others than ours.
# TCPTUNE: the program; TCPLAB: the lab's actor; TCT_SOURCE_DIR: the checkout.
# shellcheck disable=SC2016,SC2153 # jq has variables of its own; SCRATCH comes from the outer run
# shellcheck source-path=SCRIPTDIR source=world.sh
. "$(dirname "$0")/world.sh"

# sockets ARGUMENT...: all namespaces, as JSON, into $out; must exit 0.
sockets() {
	"$TCPTUNE" sockets --all-netns --json "$@" >"$out" 2>"$err" || fail "sockets $* exited $?: $(<"$err")"
}

# has JQ-PREDICATE [JQ-OPTION...]: of the last document.
has() {
	jq -e "${@:2}" "$1" "$out" >/dev/null || fail "not so: $* in $(jq -c . "$out" | cut -c1-4000)"
}

# start NAME COMMAND...: tcplab there, until it is ready; "" = here. Sets actor.
start() {
	local inside=()
	[[ -z $1 ]] || inside=(nsenter --net="/run/netns/$1" --)
	: >"$SCRATCH/actor"
	"${inside[@]}" "$TCPLAB" "${@:2}" >"$SCRATCH/actor" 2>&1 &
	actor=$!
	for ((tick = 0; tick < 200; tick++)); do
		grep -q '^ready' "$SCRATCH/actor" && return
		sleep 0.05
	done
	fail "tcplab ${*:2}: $(<"$SCRATCH/actor")"
}

for name in web db idle empty; do
	ip netns add "$name" || fail "netns add $name"
	ip_in "$name" link set lo up || fail "lo of $name"
done
declare -A server client
for name in web db; do
	count=$([[ $name == web ]] && echo 5 || echo 3)
	start "$name" listen --address 127.0.0.1 --port 8080 --backlog 64 --accept-and-hold
	server[$name]=$actor
	start "$name" connect --to 127.0.0.1 --port 8080 --count "$count" --hold
	client[$name]=$actor
done
start idle listen --address 127.0.0.1 --port 9090 --backlog 64
start "" listen --address 127.0.0.1 --port 7070 --backlog 64
sleep 0.3

# --- by state: the sum, and each namespace ---------------------------------------------------------------------------
counts='[.namespaces[] | [.netns.name, .states.ESTABLISHED, .states.LISTEN, .total]]'
for exact in "" --exact; do
	sockets $exact
	has '.states.counts.ESTABLISHED == 16 and .states.counts.LISTEN == 4 and .total == 20'
	has "$counts"' | .[1:] == [["db", 6, 1, 7], ["empty", 0, 0, 0], ["idle", 0, 1, 1], ["web", 10, 1, 11]]'
	has '.namespaces[0].netns.inode == .host.netns.inode and .namespaces[0].total == 1'
	has '(.namespaces | map(.total) | add) == .total and (.rows | all(has("netns") | not))'
done
has '.not_seen == [] and .states.method == "exact"'
sockets
has '[.not_seen[] | select(.what == "2 network namespaces: half-open and bound sockets")] | length == 1'
# who asks for half-open ones gets them counted
sockets --state SYN_RECV,CLOSE
has '.total == 0 and .not_seen == []'
sockets --state LISTEN
has '.total == 4 and ([.namespaces[].total] | add) == 4'

# --- one port, two namespaces ------------------------------------------------------------------------------------------
sockets --port 8080
has '.by == "process" and .total == 18'
has '[.rows[] | [.netns.name, .process.pid, .side, .total]] | sort == ($rows | sort)' --argjson rows \
	"[[\"web\", ${server[web]}, \"on\", 6], [\"web\", ${client[web]}, \"to\", 5],
	[\"db\", ${server[db]}, \"on\", 4], [\"db\", ${client[db]}, \"to\", 3]]"
sockets --by port
has '[.rows[] | [.netns.name, .name, .total]] | .[0:2] == [["web", "on 8080", 6], ["web", "to 8080", 5]]'
has '[.rows[] | select(.name == "on 9090") | .netns.name] == ["idle"]'
sockets --by peer --top 2
has '[.rows[] | [.netns.name, .address, .total]] == [["web", "127.0.0.1", 10], ["db", "127.0.0.1", 6]]'
has '.truncated == 4 and .unlisted == 0 and .total == 20' # no peer: four listeners
inode=$(stat -Lc %i /run/netns/web)
has ".rows[0].netns.inode == $inode"
"$TCPTUNE" sockets --port 8080 --netns web --json | jq -c '[.rows[] | [.process.pid, .side, .total]]' >"$SCRATCH/alone"
sockets --port 8080
jq -c '[.rows[] | select(.netns.name == "web") | [.process.pid, .side, .total]]' "$out" | cmp - "$SCRATCH/alone" ||
	fail "web by itself is another"

# --- as text -------------------------------------------------------------------------------------------------------------
COLUMNS=100 "$TCPTUNE" sockets --all-netns >"$out" || fail "as text"
grep -qE '^  web +11 +10 +1$' "$out" || fail "web's line: $(<"$out")"
grep -q '^  3 more network namespaces have nothing but listeners\.$' "$out" || fail "the quiet ones: $(<"$out")"
grep -q '^next: tcptune sockets --by port --all-netns$' "$out" || fail "the next command: $(<"$out")"
COLUMNS=100 "$TCPTUNE" sockets --all-netns --port 8080 >"$out" || fail "as text"
grep -qE "^  web +tcplab\[${server[web]}\] +on 8080 +6 " "$out" || fail "web's server: $(<"$out")"

# --- a plain user sees his own, and how many he may not enter -------------------------------------------------------------
cp "$TCPTUNE" "$SCRATCH/tcptune" && chmod 755 "$SCRATCH/tcptune"
setpriv --reuid 65534 --regid 65534 --clear-groups -- "$SCRATCH/tcptune" sockets --all-netns --json >"$out" 2>"$err" ||
	fail "a plain user: $(<"$err")"
has '.total == 1 and (.namespaces | length == 1)'
has '[.not_seen[] | select((.what | test("^4 network namespaces$")) and (.reason | test("not permitted")))] | length == 1'

# --- saved, and judged where these namespaces are not ----------------------------------------------------------------------
in_netns web sysctl -qw net.ipv4.tcp_syncookies=0 || fail "sysctl in web"
# plain FILE: a report without its times and source, and without numbers of the host that others move meanwhile
plain() {
	jq 'del(.host.source, .host.taken_at, .host.uptime_seconds, .memory, .softnet) |
		del(.. | objects | .elapsed_seconds?)' "$1"
}
for profile in base highconn longlived; do
	"$TCPTUNE" snapshot --all-netns --interval 0 -o "$SCRATCH/$profile.json" --quiet || fail "no snapshot"
	"$TCPTUNE" audit --all-netns --interval 0 --profile "$profile" --json >"$SCRATCH/live" || fail "$profile, live"
	unshare -n -u sh -c 'hostname tcpt-another && exec "$@"' sh \
		"$TCPTUNE" audit --snapshot "$SCRATCH/$profile.json" --profile "$profile" --json >"$SCRATCH/saved" ||
		fail "$profile, saved"
	[[ $(jq '[.namespaces[] | select(.netns.name == "web") | .findings[].id] | index("syncookies-off")' \
		"$SCRATCH/saved") == 0 ]] || fail "$profile: web's finding"
	diff <(plain "$SCRATCH/live") <(plain "$SCRATCH/saved") || fail "$profile: another report"
done
"$TCPTUNE" sockets --snapshot "$SCRATCH/base.json" --json >"$out" || fail "sockets of a snapshot"
has '.states.counts.ESTABLISHED == 16 and .host.source == "snapshot"'
has "$counts"' | .[1:] == [["db", 6, 1, 7], ["empty", 0, 0, 0], ["idle", 0, 1, 1], ["web", 10, 1, 11]]'

# --- and compared by name ----------------------------------------------------------------------------------------------------
in_netns web sysctl -qw net.ipv4.tcp_syncookies=1 || fail "sysctl in web"
in_netns db sysctl -qw net.ipv4.tcp_syncookies=0 || fail "sysctl in db"
ip netns del empty || fail "netns del empty"
ip netns add more || fail "netns add more"
kill "$(ip netns pids idle)"
sleep 0.3
"$TCPTUNE" snapshot --all-netns --interval 0 -o "$SCRATCH/after.json" --quiet || fail "no snapshot"
"$TCPTUNE" diff "$SCRATCH/base.json" "$SCRATCH/after.json" --json >"$out" || fail diff
has '[.new[] | [.netns, .id]] == [["db", "syncookies-off"]] and [.fixed[] | [.netns, .id]] == [["web", "syncookies-off"]]'
has '.namespaces == {new: ["more"], gone: ["empty"]}'
has '[.listeners[] | [.netns, .port, .b]] == [["idle", 9090, null]]'
"$TCPTUNE" diff "$SCRATCH/base.json" "$SCRATCH/after.json" --quiet --fail-on warning >"$out"
[[ $? == 1 && $(<"$out") == "new warning syncookies-off in db: "* ]] || fail "--quiet: $(<"$out")"
# The audits say the same; one that was not of all is compared as such.
"$TCPTUNE" snapshot --interval 0 -o "$SCRATCH/one.json" --quiet || fail "no snapshot"
"$TCPTUNE" diff "$SCRATCH/base.json" "$SCRATCH/one.json" --json >"$out" || fail diff
has '.namespaces == null and [.unclear[] | [.netns, .id]] == [["web", "syncookies-off"]] and .fixed == []'

if python3 -c 'import jsonschema' 2>/dev/null; then
	"$TCPTUNE" diff "$SCRATCH/base.json" "$SCRATCH/after.json" --json >"$SCRATCH/diff"
	sockets --by process
	"$TCPTUNE" audit --snapshot "$SCRATCH/base.json" --json >"$SCRATCH/audit"
	"$TCPTUNE" sockets --all-netns --json >"$SCRATCH/states"
	for pair in "sockets $out" "sockets $SCRATCH/states" "diff $SCRATCH/diff" "audit $SCRATCH/audit" \
		"snapshot $SCRATCH/base.json"; do
		python3 - "$TCT_SOURCE_DIR/docs/schemas/tcptune.${pair% *}.v1.schema.json" "${pair#* }" <<'PY' || fail "not valid: $pair"
import json, sys
import jsonschema
schema, document = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
jsonschema.validators.validator_for(schema)(schema).validate(document)
PY
	done
fi
mapfile -t left < <(jobs -p)
kill "${left[@]}" 2>/dev/null
echo "sockets of all namespaces, live and saved"
