#!/usr/bin/env bash
# Connection tracking, NAT and the per-CPU counters on a real kernel, in a network namespace made here: what nft puts
# there is what audit sees.
# TCPTUNE: the program to test
set -uo pipefail
: "${TCPTUNE:?}"
export LC_ALL=C.UTF-8 COLUMNS=200

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

if [[ ${1-} != inside ]]; then
	PATH=$PATH:/usr/sbin:/sbin
	for tool in jq nft ip unshare; do
		command -v "$tool" >/dev/null || {
			echo "SKIPPED: $tool is needed"
			exit 77
		}
	done
	unshare -n true 2>/dev/null || {
		echo "SKIPPED: namespaces of our own are refused here"
		exit 77
	}
	PATH=$PATH unshare -n "$BASH" "$0" inside
	exit
fi

# see FILTER: what audit says
see() {
	"$TCPTUNE" audit --json --interval 0 | jq -c "$1"
}

# ck FILTER WANTED WHAT
ck() {
	local got
	got=$(see "$1") || fail "$3: audit failed"
	[[ $got == "$2" ]] || fail "$3: $1 is $got, not $2"
}

# column NAME: the sum over the CPUs in /proc/net/stat/nf_conntrack
column() {
	local at=0 sum=0 words name
	read -ra words </proc/net/stat/nf_conntrack
	for name in "${words[@]}"; do
		[[ $name == "$1" ]] && break
		at=$((at + 1))
	done
	while read -ra words; do
		sum=$((sum + 16#${words[at]}))
	done < <(tail -n +2 /proc/net/stat/nf_conntrack)
	echo "$sum"
}

ip link set lo up || fail "lo"

# --- NAT ------------------------------------------------------------------------------------------------------------
ck .environment.nat '{"presence":"present","seen":false,"evidence":null}' "an empty namespace"
nft -f - <<'NFT' || { echo "SKIPPED: nft is refused here"; exit 77; }
table ip web {
	chain input { type filter hook input priority 0; ct state established accept; }
	chain translate { masquerade; }
}
NFT
ck .environment.nat.seen false "filters only"
nft 'add chain ip web post { type nat hook postrouting priority 100; }' || fail "nft"
ck .environment.nat.seen false "a nat chain without rules"
nft add rule ip web post jump translate || fail "nft"
ck .environment.nat '{"presence":"present","seen":true,"evidence":"nf_tables: a nat chain with rules"}' "a rule in it"
"$TCPTUNE" audit --verbose --interval 0 | grep -q 'NAT: nf_tables: a nat chain with rules$' || fail "the text of it"
before=$(nft list ruleset)
see . >/dev/null
[[ $(nft list ruleset) == "$before" ]] || fail "looking changed the rules"
if command -v setpriv >/dev/null; then
	# one who may not ask: that is said, and is no gap
	said=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$TCPTUNE" audit --json --interval 0 |
		jq -c '[.environment.nat.presence, .environment.nat.seen, [.not_seen[] | select(.reason | test("nft|NAT|nf_"))]]')
	[[ $said == '["unreadable",null,[]]' ]] || fail "as a plain user: $said"
fi
nft flush ruleset
nft 'add table inet both; add chain inet both pre { type nat hook prerouting priority -100; }' || fail "nft"
ck .environment.nat.seen false "a nat chain without rules for both families"
nft 'add rule inet both pre tcp dport 81 redirect to :8080' || fail "nft"
ck .environment.nat.seen true "a rule for both families"
nft flush ruleset
ck .environment.nat.seen false "all gone"

# --- connection tracking --------------------------------------------------------------------------------------------
[[ -e /proc/net/stat/nf_conntrack ]] || {
	ck .conntrack.drops null "without connection tracking"
	echo "no connection tracking in this kernel"
	exit 0
}
ck .conntrack.drops 0 "nothing dropped"
ck .conntrack.count 0 "nothing tracked"
# A connection attempt that isn't tracked, to a closed port: the reset is, and belongs to nothing.
nft -f - <<'NFT' || fail "nft"
table ip web {
	chain out { type filter hook output priority -300; tcp dport 9 notrack; }
	chain pre { type filter hook prerouting priority -300; tcp dport 9 notrack; }
	chain input { type filter hook input priority 0; ct state established accept; }
}
NFT
before=$(column invalid)
(for ((i = 0; i < 60; i++)); do
	: <>/dev/tcp/127.0.0.1/9
	sleep 0.05
done) 2>/dev/null &
resets=$!
rate=$("$TCPTUNE" audit --json --interval 1 | jq '.rates["conntrack.invalid"] // 0 | floor')
kill "$resets" 2>/dev/null
wait "$resets" 2>/dev/null
((rate >= 1)) || fail "resets that belong to nothing: $rate a second"
(($(column invalid) > before)) || fail "the kernel counted no reset: the test proves nothing"
# A connection that is tracked.
echo x >/dev/udp/127.0.0.1/10
count=$(see .conntrack.count)
((count >= 1)) || fail "a tracked connection: $count"
ck .environment.nat.seen false "a tracked connection"
# One that was translated, by a rule that is gone again.
nft 'add chain ip web to { type nat hook output priority -100; }' || fail "nft"
nft add rule ip web to udp dport 81 redirect to :8081 || fail "nft"
echo x >/dev/udp/127.0.0.1/81
nft flush ruleset
ck .environment.nat.seen false "a translated connection, but no rule any more"
if grep -q dport=81 /proc/net/nf_conntrack 2>/dev/null; then
	# what this kernel lists, as a captured host's
	tree=$(mktemp -d) || fail "mktemp"
	trap 'rm -rf "$tree"' EXIT
	mkdir -p "$tree/proc/net"
	cat /proc/net/nf_conntrack >"$tree/proc/net/nf_conntrack"
	found=$("$TCPTUNE" audit --root "$tree" --json | jq -r .environment.nat.evidence)
	[[ $found == "/proc/net/nf_conntrack: a translated connection" ]] || fail "a translated connection: $found"
	grep -v dport=81 /proc/net/nf_conntrack >"$tree/proc/net/nf_conntrack" || fail "the others are gone"
	found=$("$TCPTUNE" audit --root "$tree" --json | jq -r .environment.nat.evidence)
	[[ $found == null ]] || fail "connections that aren't translated: $found"
else
	echo "no list of connections in this kernel"
fi
ck .conntrack.max "$(</proc/sys/net/netfilter/nf_conntrack_max)" "the limit"
ck .conntrack.insert_failed "$(column insert_failed)" "entries not taken in"

# --- the whole host's -----------------------------------------------------------------------------------------------
# The same numbers in every namespace: what this one's loopback takes in, another one sees, too.
taken() {
	unshare -n "$TCPTUNE" audit --json --interval 0 | jq .softnet.processed
}
before=$(taken)
for ((i = 0; i < 100; i++)); do
	: <>/dev/tcp/127.0.0.1/10
done 2>/dev/null
after=$(taken)
((after - before >= 200)) || fail "softnet, seen from another namespace: $before, then $after"
ck .memory.scope '"host"' "memory"
ck '.memory | [.tcp_mem_bytes.max, .orphans_max]' '[null,null]' "limits of the initial namespace"
ck '.memory.used_bytes | type' '"number"' "the memory that is used"
echo "NAT, connection tracking and the host's counters are seen as they are"
