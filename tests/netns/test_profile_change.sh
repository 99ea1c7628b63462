#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# From one shipped profile to another, in one transaction: straight from the old values to the new ones, never through
# what was there before; what only the old one set goes back; and rollback gives the old profile again.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

IPV4=/proc/sys/net/ipv4

# Everything of the namespace that can be read, and what we and others have in files.
everything() {
	(cd /proc/sys/net && grep -rH . core ipv4 2>/dev/null | grep -v -e tcp_fastopen_key -e /neigh/ | LC_ALL=C sort)
	echo "-- drop-in"
	[[ -e $DROP_IN ]] && grep -v -e '^#' -e '^$' "$DROP_IN"
	ls -A /etc/sysctl.d
}
ck_everything() { # FILE WHAT
	everything >"$WORK/now"
	diff -u "$1" "$WORK/now" >"$WORK/diff" || {
		cat "$WORK/diff" >&2
		fail "$2"
	}
}
# The values written to /proc/sys in the last trace (with -y), "key value" a line.
written() {
	sed -n 's|.* write([0-9]*</proc/sys/net/.*/\([^/>]*\)>, "\(.*\)\\n".*|\1 \2|p' "$WORK/trace"
}
# The live values that the last document promises, the same way.
promised() {
	jq -r '.settings[] | select(.live_written) | (.key | split(".") | last) + " " +
		(.after | if type == "array" then map(tostring) | join(" ") else tostring end)' "$WORK/out"
}
# change WORDS...: apply, traced; every live value once, the new one, and nothing else; the drop-in replaced once.
change() {
	traced -y -e trace=openat,write,rename,renameat,renameat2 -- apply "$@" --persist --json
	[[ $code == 0 ]] || fail "apply $*: exit $code"
	json '.changed'
	written | LC_ALL=C sort >"$WORK/written"
	promised | LC_ALL=C sort | diff - "$WORK/written" || fail "apply $*: what was written is what was promised, once each"
	[[ -s $WORK/written ]] || fail "apply $*: nothing was written"
	(($(grep -c 'rename.*99-tcptune.conf"' "$WORK/trace") == 1)) || fail "apply $*: the drop-in is replaced once"
}
key() { tr '\t' ' ' <"/proc/sys/net/$1"; }
line() { sed -n "s/^net\.$1 = //p" $DROP_IN; } # KEY: our drop-in's

# What the host had: its own keepalive, in a file and live; all else as the kernel made it.
printf 'net.ipv4.tcp_keepalive_time = 900\n' >/etc/sysctl.d/10-site.conf
set_value net/ipv4/tcp_keepalive_time 900
set_value net/core/somaxconn 4096
everything >"$WORK/original"

run 0 apply --profile highconn --persist --reason "very many"
everything >"$WORK/highconn"
[[ $(key ipv4/tcp_fin_timeout) == 30 && $(key core/somaxconn) == 16384 && $(key ipv4/tcp_keepalive_time) == 600 ]] ||
	fail "highconn"

# --- to proxy ------------------------------------------------------------------------------------------------------

change --profile proxy --reason "a proxy now"
# Shared keys with other values: straight. Those with the same: not touched. Those of the old profile: as the host had
# them, live and at boot.
json '.settings[] | select(.key == "net.ipv4.tcp_fin_timeout") |
	[.before, .after, .live_written, .persisted, .effect] == [30, 15, true, true, "timer"]'
json '[.settings[] | select(.live_written) | .key] | sort == ["net.core.somaxconn", "net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_tw_reuse"]'
grep -qx 'tcp_keepalive_time 900' "$WORK/written" || fail "the host's own value, not the kernel's"
[[ $(key ipv4/tcp_tw_reuse) == 1 && $(key core/somaxconn) == 4096 && $(key ipv4/ip_local_port_range) == "32768 65535" ]] ||
	fail "proxy"
[[ $(line ipv4.tcp_fin_timeout) == 15 && $(line ipv4.tcp_tw_reuse) == 1 ]] || fail "proxy's lines"
grep -q -e keepalive -e somaxconn $DROP_IN && fail "a line of highconn is left"
[[ -n $(line ipv4.tcp_max_tw_buckets) ]] || fail "a line that both have is gone"
everything >"$WORK/proxy"
run 0 check --json
json '.conforms and .profiles == "proxy"'
run 0 apply --profile proxy --persist --json
json '(.changed | not) and .transaction == null'
run 0 history
grep -q 'proxy.*a proxy now' <(tr -s ' \n' ' ' <"$WORK/out") || fail "history names the profile and the reason"
run 0 history --json
json '[.transactions[] | [.kind, .profiles, .state]] == [["apply", "proxy", "committed"], ["apply", "highconn",
	"committed"]]'
json '.transactions[0].settings[] | select(.key == "net.ipv4.tcp_fin_timeout") |
	.before == 30 and .after == 15 and .baseline == 60'

# --- and back again ------------------------------------------------------------------------------------------------

traced -y -e trace=openat,write -- rollback --json
[[ $code == 0 ]] || fail "rollback of proxy: exit $code"
written | LC_ALL=C sort >"$WORK/written"
promised | LC_ALL=C sort | diff - "$WORK/written" || fail "the way back is straight, too"
grep -qx 'tcp_fin_timeout 30' "$WORK/written" || fail "to highconn's value, not the kernel's"
ck_everything "$WORK/highconn" "rollback of proxy gives highconn"
run 0 check --json
json '.conforms and .profiles == "highconn"'
run 0 rollback
ck_everything "$WORK/original" "rollback of highconn gives what the host had"
run 0 history --json
json '[.transactions[] | [.kind, .profiles, .state]] == [["rollback", "highconn", "committed"], ["rollback", "proxy",
	"committed"], ["apply", "proxy", "rolled-back"], ["apply", "highconn", "rolled-back"]]'

# --- a failure, and a kill, in the middle: the old profile whole ---------------------------------------------------

run 0 apply --profile highconn --persist
traced -P $IPV4/tcp_tw_reuse -e inject=write:error=EIO:when=1 -- apply --profile proxy --persist
[[ $code == 3 ]] || fail "a failure in the middle: exit $code"
ck_everything "$WORK/highconn" "a failure in the middle"
run 0 check
traced -P $IPV4/tcp_tw_reuse -e inject=write:signal=KILL:when=1 -- apply --profile proxy --persist
((code != 0)) || fail "it was not killed"
[[ $(key ipv4/tcp_fin_timeout) == 15 ]] || fail "it was killed too early"
run 0 rollback --json
json '.recovered != null'
ck_everything "$WORK/highconn" "killed in the middle"
run 0 rollback
ck_everything "$WORK/original" "after a kill"

# --- several profiles ----------------------------------------------------------------------------------------------

run 0 apply --profile highconn --profile proxy --persist
[[ $(key ipv4/tcp_fin_timeout) == 15 && $(key core/somaxconn) == 16384 && $(key ipv4/tcp_tw_reuse) == 1 ]] ||
	fail "both: the sharper bound of each"
everything >"$WORK/both"
change --profile proxy
[[ $(cut -d ' ' -f 1 "$WORK/written" | tr '\n' ' ') == "somaxconn tcp_keepalive_intvl tcp_keepalive_probes tcp_keepalive_time " ]] ||
	fail "from both to one of them: only what the other had"
ck_everything "$WORK/proxy" "from both to proxy"
change --profile synflood --profile proxy
grep -qx 'somaxconn 16384' "$WORK/written" || fail "somaxconn comes again"
change --profile highconn --profile proxy
[[ $(grep -c somaxconn "$WORK/written") == 0 ]] || fail "a key that both pairs have is not written"
ck_everything "$WORK/both" "both again"
for ((i = 0; i < 4; i++)); do run 0 rollback; done
ck_everything "$WORK/original" "four rollbacks"

# --- a value set by hand in between: the new baseline --------------------------------------------------------------

run 0 apply --profile highconn --persist
set_value net/ipv4/tcp_keepalive_time 300 # only highconn's
set_value net/ipv4/tcp_fin_timeout 10     # proxy is content with it
set_value net/ipv4/tcp_tw_reuse 0         # nobody's so far
everything >"$WORK/by_hand"
change --profile proxy
cut -d ' ' -f 1 "$WORK/written" | grep -q -e '^tcp_keepalive_time$' -e '^tcp_fin_timeout$' &&
	fail "what was set by hand is written"
[[ $(key ipv4/tcp_keepalive_time) == 300 && $(key ipv4/tcp_fin_timeout) == 10 ]] || fail "what was set by hand stays"
[[ $(key ipv4/tcp_tw_reuse) == 1 ]] || fail "proxy's own key"
run 0 check
run 0 rollback --json
json '.conflicts == []'
ck_everything "$WORK/by_hand" "rollback of proxy leaves what was set by hand"
run 1 rollback --json
json '[.conflicts[].key] | sort == ["net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_time"]'
set_value net/ipv4/tcp_keepalive_time 900
set_value net/ipv4/tcp_fin_timeout 60
set_value net/ipv4/tcp_tw_reuse 2
ck_everything "$WORK/original" "but for the conflicts everything went back"

# --- live values only ----------------------------------------------------------------------------------------------

run 0 apply --profile highconn --no-persist
run 0 apply --profile proxy --no-persist --json
json '.drop_in == null'
[[ ! -e $DROP_IN && $(key ipv4/tcp_fin_timeout) == 15 && $(key core/somaxconn) == 4096 ]] || fail "live values only"
run 0 rollback
run 0 rollback
ck_everything "$WORK/original" "the end"
