#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2031,SC2154 # jq has variables of its own
# apply --set on a real kernel: alone, beside a profile, refused, carried on by check, and back again.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

REUSE=net.ipv4.tcp_tw_reuse
CAP=net.core.somaxconn
old_cap=$(</proc/sys/net/core/somaxconn)

live() { # KEY VALUE
	[[ $(tr '\t' ' ' <"/proc/sys/${1//.//}") == "$2" ]] || fail "$1 is $(<"/proc/sys/${1//.//}"), not $2"
}
line() { grep -qx "$1 = $2" $DROP_IN || fail "the drop-in has no line $1 = $2"; }
no_line() { [[ ! -e $DROP_IN ]] || ! grep -q "^$1 " $DROP_IN || fail "the drop-in has a line of $1"; }
says() { grep -qF "$1" "$WORK/err" || fail "stderr doesn't say: $1"; }

# --- what is refused, before anything is written --------------------------------------------------------------------

run 2 apply --set net.ipv4.tcp_rmemm=1 && says "did you mean net.ipv4.tcp_rmem?"
run 2 apply --set "net.ipv4.tcp_rmem=4096 131072" && says "3 numbers are needed"
run 2 apply --set "net.ipv4.tcp_rmem=4096,131072,6291456"
run 2 apply --set "net.ipv4.tcp_rmem=4096 131072 99999999999" && says "tcp_rmem: field [2] is outside"
run 2 apply --set "net.ipv4.tcp_rmem=8192 4096 6291456" && says "must ascend"
run 2 apply --set $CAP=9000 --set net/core/somaxconn=9001 && says "given twice"
run 2 apply --set $CAP && says "KEY=VALUE"
run 2 apply --set net.ipv4.tcp_fastopen_key=1 && says "secret"
run 3 apply --set net.ipv4.tcp_abort_on_overflow=1 --json
json '.refused[0].kind == "never" and .refused[0].key == "net.ipv4.tcp_abort_on_overflow"'
run 3 apply --set net.ipv4.tcp_tw_recycle=1 --json # although no kernel of today has it
json '.refused[0].kind == "never"'
run 3 apply --set $CAP=20 --json && says "$CAP: 20 is outside of 128 to 65535"
json '.refused == [{key: "net.core.somaxconn", kind: "range", reason: "20 is outside of 128 to 65535, what tcptune writes"}]'
run 3 apply --set "net.ipv4.tcp_rmem=4096 131072 1073741825" --dry-run && says "tcp_rmem: field [2], 1073741825 is outside"
run 3 check --set $CAP=20
run 3 apply --set net.ipv4.tcp_timestamps=0 --set $REUSE=1 --persist --json
json '.refused[0].kind == "invariant"'
# The journal is UTF-8: what it could not name again is refused, in a dry run too. check only tells.
cp "$WORK/first.yaml" "$WORK/"$'odd\xff.yaml'
run 2 apply --profile "$WORK/"$'odd\xff.yaml' --persist && says "the path isn't UTF-8"
run 2 apply --profile "$WORK/"$'odd\xff.yaml' --dry-run && says "the path isn't UTF-8"
run 1 check --profile "$WORK/"$'odd\xff.yaml' --json
json '.profiles | endswith("odd\\xff.yaml")'
printf 'variables: { word: "%s" }\n' "'a'" | cat "$WORK/first.yaml" - >"$WORK/word.yaml"
run 2 apply --profile "$WORK/word.yaml" --var $'word="\xff"' && says "word: the text is not UTF-8"
run 2 apply --set $'net.ipv4.tcp_congestion_control=\xff' && says "the text is not UTF-8"
run 2 apply --set $'net.ipv4.tcp_tw_re\xffuse=1' && says "did you mean $REUSE?"
[[ ! -e $JOURNAL ]] || fail "a refusal makes a journal"
ck_state "$WORK/old" "refusals change nothing"

# --- alone ----------------------------------------------------------------------------------------------------------

run 1 apply --set $REUSE=1 --persist --dry-run --json
run 1 check --set $REUSE=1
run 0 apply --set "net/ipv4/tcp_tw_reuse = 1" --persist --json
json '.changed and .transaction == 1 and ([.settings[].key] == ["net.ipv4.tcp_tw_reuse"])'
json '.settings[0] | .after == 1 and .live_written and .persisted and .because == "asked for with --set"'
live $REUSE 1 && line $REUSE 1
run 0 apply --set $REUSE=1 --persist --json
json '(.changed | not) and .transaction == null'
run 0 check --json
json '.conforms and .profiles == null and .sets == {"net.ipv4.tcp_tw_reuse": "1"} and (.settings | length) == 1'
run 0 apply --set net.ipv4.tcp_tw_recycle=0 --persist --json
json '(.changed | not) and .unsupported[0].key == "net.ipv4.tcp_tw_recycle"'
run 0 rollback
ck_state "$WORK/old" "rollback of a single key"

# --- on top of a profile --------------------------------------------------------------------------------------------

run 0 apply "${FIRST[@]}"
state >"$WORK/first"
run 0 apply --set $REUSE=1 --set $CAP=20000 --persist --json
json '([.settings[].key] | sort) == ["net.core.somaxconn", "net.ipv4.tcp_tw_reuse"]'
live $CAP 20000 && line $CAP 20000 && live $REUSE 1
live net.ipv4.tcp_keepalive_time 600 && line net.ipv4.tcp_keepalive_time 600
grep -qx "# Profile: $WORK/first.yaml" $DROP_IN || fail "the drop-in's head names the profile that goes on"
run 0 check --json # the profile and both keys
json ".conforms and .profiles == \"$WORK/first.yaml\" and (.settings | length) == 8 and (.sets | length) == 2"
run 0 history --json
json '.transactions[0] | .additive and (.sets | length) == 2 and (.settings | length) == 2 and .profiles != null'
set_value net/ipv4/tcp_tw_reuse 0
run 1 check
run 1 check --set $REUSE=1
run 0 check --set $CAP=20000
set_value net/ipv4/tcp_tw_reuse 1
# One more key: the first two are carried on.
run 0 apply --set net.ipv4.tcp_keepalive_time=900 --persist
run 0 check --json
json '(.sets | length) == 3 and (.settings | length) == 8'
run 0 rollback
live net.ipv4.tcp_keepalive_time 600
run 0 check --json
json '(.sets | length) == 2'
# Rolled back, they alone go.
run 0 rollback
ck_state "$WORK/first" "rollback of the keys leaves the profile"
run 0 check --json
json '.conforms and .sets == {}'

# The profile's apply undone, what was set since stays, and is all that check asks for.
run 0 apply --set $REUSE=1 --set $CAP=20000 --persist
run 0 history --json
id=$(jq '[.transactions[] | select(.kind == "apply" and .state == "committed" and (.additive | not)) | .id][0]' "$WORK/out")
run 0 rollback "$id"
live $CAP 20000 && live net.ipv4.tcp_keepalive_time 7200 && no_line net.ipv4.tcp_keepalive_time
run 0 check --json
json '.conforms and .profiles == null and (.settings | length) == 2'
set_value net/ipv4/tcp_tw_reuse 0
run 1 check
grep -q '^No: 1 of 2 keys is not as 2 keys set one by one ask, ' "$WORK/out" || fail "what differs from keys alone"
set_value net/ipv4/tcp_tw_reuse 1
run 0 rollback
ck_state "$WORK/old" "then the keys"

# --- beside a profile: together they say what is ours ---------------------------------------------------------------

run 0 apply "${FIRST[@]}" --set $CAP=20000 --set $REUSE=1 --json
json '[.settings[] | select(.key == "net.core.somaxconn")] | .[0].after == 20000'
run 0 check --json
json '.conforms and (.settings | length) == 8 and .sets["net.core.somaxconn"] == "20000"'
run 0 check --profile "$WORK/first.yaml" --set $CAP=20000 --set $REUSE=1
run 1 check --profile "$WORK/first.yaml" --set $CAP=20001
run 0 apply "${FIRST[@]}" --set $CAP=20000 --set $REUSE=1 --json
json '.changed | not'
# Not asked for any more: the one goes back to the profile's, the other to what it was.
run 0 apply "${FIRST[@]}"
ck_state "$WORK/first" "without the keys the profile's state"
run 0 rollback
live $CAP 20000 && live $REUSE 1
run 0 check
reset "a profile with keys"

# Keys that were set alone go back as well, once a profile says what is ours.
run 0 apply --set $REUSE=1 --persist
run 0 apply "${FIRST[@]}"
ck_state "$WORK/first" "a profile takes over"
reset "a profile that took over"

# --- live only ------------------------------------------------------------------------------------------------------

run 0 apply --set $CAP=20000 --json # not the initial namespace: no drop-in
json '.settings[0] | .live_written and (.persisted | not)'
[[ ! -e $DROP_IN ]] || fail "a drop-in of another namespace"
run 0 check
run 0 rollback
live $CAP "$old_cap"
ck_state "$WORK/old" "live only"

# What was asked for with --no-persist is promised live only, whatever else has the drop-in; a line that an earlier apply
# wrote for the key goes on to be promised.
keeps() { # WHAT: the drop-in's lines of the profile, and check says yes; on one key of live only it says so
	run 0 check --json
	json '.conforms and .live_looked and .boot_looked' || fail "$1"
	json '[.settings[] | select(.key == "net.ipv4.tcp_tw_reuse")] | .[0] | .live == 1 and .boot == null and .wanted_boot == null and .reason == "asked for live only"'
}
run 0 apply --set $REUSE=1 --no-persist
run 0 check --json
json '.conforms and (.boot_looked | not)'
run 0 apply "${FIRST[@]}" --set $REUSE=1 # now it is asked for whole
line $REUSE 1
run 0 check --json
json '[.settings[] | select(.reason == "asked for live only")] == []'
reset "first live only, then whole"

run 0 apply "${FIRST[@]}"
run 0 apply --set $REUSE=1 --no-persist
keeps "beside a profile"
run 0 apply --set $CAP=20000 --no-persist
keeps "and a key that the profile has a line of"
json '[.settings[] | select(.key == "net.core.somaxconn")] | .[0] | .wanted == 20000 and .wanted_boot == 16384 and .boot == 16384'
line $CAP 16384
run 0 apply --set net.ipv4.tcp_fin_timeout=25 --persist # carries both on, and neither gets a line
keeps "and one that is persisted"
no_line $REUSE && line $CAP 16384 && line net.ipv4.tcp_fin_timeout 25
set_value net/ipv4/tcp_tw_reuse 0
run 1 check --json
json '[.settings[] | select(.drift != []) | [.key, .drift[]]] == [["net.ipv4.tcp_tw_reuse", "live"]]'
set_value net/ipv4/tcp_tw_reuse 1
sed -i 's/^net.core.somaxconn = .*/net.core.somaxconn = 9/' $DROP_IN
run 1 check --json
json '[.settings[] | select(.drift != []) | [.key, .drift[]]] == [["net.core.somaxconn", "boot"]]'
sed -i 's/^net.core.somaxconn = .*/net.core.somaxconn = 16384/' $DROP_IN
echo "$CAP = 77" >/etc/sysctl.d/zz.conf
run 1 check --json
json '[.settings[] | select(.drift != []) | [.key, .drift[]]] == [["net.core.somaxconn", "shadowed"]]'
rm /etc/sysctl.d/zz.conf
run 0 apply --set $REUSE=1 --persist # asked for whole after all
line $REUSE 1
run 0 check --json
json '[.settings[] | select(.reason == "asked for live only") | .key] == ["net.core.somaxconn"]'
for _ in 1 2 3 4; do run 0 rollback; done
ck_state "$WORK/first" "one by one, back to the profile"
# A whole profile, live only: the one before keeps its lines, and they are looked at.
run 0 apply --profile "$WORK/second.yaml" --no-persist
run 0 check --json
json '.conforms and .boot_looked and ([.settings[] | .reason] | unique == ["asked for live only"])'
sed -i '/tcp_rmem/d' $DROP_IN
run 1 check --json
json '[.settings[] | select(.drift != []) | [.key, .drift[], .reason]] == [["net.ipv4.tcp_rmem", "boot", "boot drift: our line is gone"]]'
echo 'net.ipv4.tcp_rmem = 4096 131072 67108864' >>$DROP_IN
reset "a profile live only"

# --- an operator's later value is a conflict, as ever ----------------------------------------------------------------

run 0 apply --set $CAP=20000 --persist
set_value net/core/somaxconn 30000
run 1 rollback --json
json '.conflicts[0].key == "net.core.somaxconn"'
live $CAP 30000
run 0 rollback --force
ck_state "$WORK/old" "with --force"
echo "ok"
