#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# What is around the process: outputs that are closed or full, readers that go away, signals, little memory, few files, odd
# environments and reasons, a wall clock that is wrong.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=../hard.sh
. "$(dirname "$0")/../hard.sh"

run 0 apply "${FIRST[@]}"
state >"$WORK/new"
reset "the first look"

applied() { # WHAT: it is, wholly; back again
	ck_state "$WORK/new" "$1"
	nothing_open "$1"
	reset "$1"
}

# --- outputs -------------------------------------------------------------------------------------------------------

# The transaction is done, only its report is lost: the exit code is that of what was done.
lost() { # WHAT OUTCOME: what standard error says; EXPECTED is the exit code
	[[ $code == "${EXPECTED-0}" ]] || fail "$1: exit $code"
	one_line "^tcptune: $2; only the report is lost: .*; see tcptune history\$" "$1"
}
onto() { # FILE WORDS...: its exit code is in $code
	code=0
	"$TCPTUNE" "${@:2}" >"$1" 2>"$WORK/err" || code=$?
}
for words in "--json" "--format text"; do
	# shellcheck disable=SC2086 # words
	onto /dev/full apply "${FIRST[@]}" $words
	id=$("$TCPTUNE" history --json | jq '.transactions[0].id')
	lost "a full output, $words" "transaction $id is done"
	[[ $("$TCPTUNE" history --json | jq -r '.transactions[0].state') == committed ]] || fail "a full output: the journal"
	applied "a full output, $words"
done
code=0
"$TCPTUNE" apply "${FIRST[@]}" --json >&- 2>"$WORK/err" || code=$?
id=$((id + 2)) # that before was rolled back
lost "a closed output" "transaction $id is done"
ck_state "$WORK/new" "a closed output"
onto /dev/full apply "${FIRST[@]}"
lost "nothing to do, and a full output" "all that was to be done is done"
set_value net/ipv4/tcp_fin_timeout 25
onto /dev/full rollback --json
EXPECTED=1 lost "a full output of a rollback" "transaction $id is undone"
set_value net/ipv4/tcp_fin_timeout 60
ck_state "$WORK/old" "a full output of a rollback"
onto /dev/full apply "${FIRST[@]}" --confirm-within 60
id=$((id + 2))
lost "a full output, and it waits" "transaction $id is done, and waits to be confirmed until 20.*Z"
onto /dev/full confirm
lost "a full output of a confirmation" "transaction $id is kept"
applied "a full output of a confirmation"
# A dry run is its report, and nothing else.
onto /dev/full apply "${FIRST[@]}" --dry-run
[[ $code == 2 ]] || fail "a full output of a dry run: exit $code"
one_line "^tcptune: can.t write the output: No space left on device\$" "a full output of a dry run"
# None of the three is open: files that are opened meanwhile must not take their places.
code=0
"$TCPTUNE" apply "${FIRST[@]}" --json <&- >&- 2>&- || code=$?
[[ $code == 0 ]] || fail "no files at all: exit $code"
grep -q '"schema"' $JOURNAL /run/tcptune.lock $DROP_IN && fail "the output went into a file of ours"
applied "no files at all"
"$TCPTUNE" apply "${FIRST[@]}" >/dev/null 2>/dev/full || fail "full standard error: exit $?"
applied "full standard error"
# A refusal stays one.
run 0 apply "${FIRST[@]}"
chmod 666 $DROP_IN
echo "net.ipv4.tcp_sack = 0" >>$DROP_IN
code=0
"$TCPTUNE" apply "${SECOND[@]}" --json >/dev/full 2>"$WORK/err" || code=$?
[[ $code == 3 ]] || fail "a refusal on a full output: exit $code"
run 0 rollback --force
# Readers that go away.
for reader in true "head -c 1"; do
	"$TCPTUNE" apply "${FIRST[@]}" --json 2>"$WORK/err" | $reader >/dev/null
	[[ ${PIPESTATUS[0]} == 0 ]] || fail "a reader that went away ($reader)"
	[[ ! -s $WORK/err ]] || fail "a reader that went away ($reader) is told"
	applied "a reader that went away ($reader)"
done
(trap '' PIPE && "$TCPTUNE" apply "${FIRST[@]}" | true)
applied "a reader that went away, the signal ignored"

# --- signals ---------------------------------------------------------------------------------------------------------

# In the middle of the live values: held back until the transaction is whole.
for signal in TERM HUP INT QUIT USR1 PIPE XFSZ IO RTMIN; do
	under_strace -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:delay_enter=300000:when=1 \
		"$TCPTUNE" apply "${FIRST[@]}" >"$WORK/out" 2>"$WORK/err" &
	tracer=$!
	for ((i = 0; i < 500; i++)); do
		[[ -e $DROP_IN ]] && break
		sleep 0.01
	done
	pid=$(<"/proc/$tracer/task/$tracer/children")
	kill -s "$signal" "${pid%% *}" || fail "SIG$signal"
	wait "$tracer" 2>/dev/null
	ck_state "$WORK/new" "SIG$signal in the middle"
	nothing_open "SIG$signal in the middle"
	reset "SIG$signal in the middle"
done

# --- little of everything --------------------------------------------------------------------------------------------

# scarce WHAT ULIMIT'S-OPTION FROM STEP TO: with ever more of it, until it is enough; less than that is told, and nothing
# has happened.
scarce() {
	local what=$1 option=$2 from=$3 step=$4 to=$5 limit code told=0
	for ((limit = from; limit <= to; limit += step)); do
		code=0
		(ulimit "$option" "$limit" && exec "$TCPTUNE" apply "${FIRST[@]}" --json) >"$WORK/out" 2>"$WORK/err" || code=$?
		case $code in
		0)
			ck_state "$WORK/new" "$what: $limit"
			echo "$what: $limit is enough"
			((told > 0)) || fail "$what: $limit was enough at once"
			reset "$what"
			return
			;;
		3) # refused: in one line; or found out in the middle, and put back
			told=$((told + 1))
			[[ $(wc -l <"$WORK/err") == 1 ]] || fail "$what: $limit: not one line"
			;;
		2) [[ -s $WORK/err ]] || fail "$what: $limit: nothing is said" ;;
		126 | 127) ;; # not even the program could be loaded
		*) fail "$what: $limit: exit $code" ;;
		esac
		ck_state "$WORK/old" "$what: $limit, exit $code"
		nothing_open "$what: $limit"
	done
	fail "$what: $to wasn't enough"
}
if [[ -z ${TCT_SANITIZED-} ]]; then # which needs much of both
	scarce "memory (KiB)" -v 4000 64 400000
	scarce "open files" -n 4 1 40
fi

# --- words -----------------------------------------------------------------------------------------------------------

long=$(printf '%0100000d' 0)
run 0 apply "${FIRST[@]}" --reason "$long"
[[ $(grep -c '^# Reason: 0*$' $DROP_IN) == 1 ]] || fail "a long reason is not one comment"
(($(awk '{ if (length > most) most = length } END { print most }' $DROP_IN) < 600)) || fail "a long reason is not cut"
run 0 check
run 0 history
applied "a long reason"
for reason in "$(printf 'ä%.0s' {1..50000})" $'\x1b]0;title\a\x7f\x80\xff' $' \t\n ' "'; rm -rf / #" '%s%n$(id)`id`'; do
	run 0 apply "${FIRST[@]}" --reason "$reason"
	run 0 history --json
	jq -e '.transactions[0].state == "committed"' "$WORK/out" >/dev/null || fail "the journal with a strange reason"
	grep -v -e '^#' -e '^$' -e '^net\.[a-z0-9_.]* = [0-9 ]*$' $DROP_IN && fail "a line from a reason"
	LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' $DROP_IN $JOURNAL && fail "control characters from a reason"
	applied "a strange reason"
done

env -i "$TCPTUNE" apply "${FIRST[@]}" >"$WORK/out" 2>"$WORK/err" || fail "without an environment: exit $?"
applied "without an environment"
for sudo in $'alice\nkernel.panic = 1' "$(printf '%05000d' 0)" $'\xc3\x28\x1b[31m' "" "../../etc/shadow" '"}'; do
	SUDO_USER=$sudo run 0 apply "${FIRST[@]}"
	run 0 history --json
	user=$(jq -r '.transactions[0].user' "$WORK/out")
	[[ ${#user} -lt 150 && $user != *[[:cntrl:]]* ]] || fail "SUDO_USER '$sudo' gives '$user'"
	[[ -z $sudo && $user == root || -n $sudo && $user == *" (root)" ]] || fail "SUDO_USER '$sudo' gives '$user'"
	applied "SUDO_USER '$sudo'"
done
mv /etc/passwd /etc/passwd.away
: >/etc/passwd
name="uid 0"
getent passwd 0 >/dev/null && name=root # nss-systemd makes one
run 0 apply "${FIRST[@]}"
[[ $("$TCPTUNE" history --json | jq -r '.transactions[0].user') == "$name" ]] || fail "a user without a name"
mv /etc/passwd.away /etc/passwd
applied "a user without a name"

# The journal is text: a path that isn't can't be kept, and the name of a namespace need not be.
latin=$WORK/$'caf\xe9'.yaml
cp "$WORK/first.yaml" "$latin"
for words in apply "apply --dry-run"; do
	# shellcheck disable=SC2086 # words
	refused 2 "^tcptune: .*/caf.*\.yaml: the path isn.t UTF-8" "$words, a path in Latin-1" $words --profile "$latin"
	ck_state "$WORK/old" "$words, a path in Latin-1"
done
mkdir /run/netns
: >/run/netns/$'caf\xe9'
mount --bind /proc/self/ns/net /run/netns/$'caf\xe9' || fail "a namespace's name"
run 0 apply "${FIRST[@]}" --netns $'caf\xe9'
applied "a namespace with a name in Latin-1"
umount /run/netns/$'caf\xe9'

# --- the wall clock --------------------------------------------------------------------------------------------------

# Order comes from the journal's numbers; what a clock says is only told.
: "${SHIFTED_CLOCK:?the library with the clock}"
at() { # SECONDS WORDS...
	local code=0
	(
		[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
		TCT_CLOCK=$1 LD_PRELOAD=$SHIFTED_CLOCK exec "$TCPTUNE" "${@:2}"
	) >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 0 ]] || fail "at $1: tcptune ${*:2}: exit $code"
}
for clocks in "1700000000 1000000000" "0 4294967296" "4294967296 0" "1700000000 1700000000" "7258118400 -1"; do
	read -r former latter <<<"$clocks"
	at "$former" apply "${FIRST[@]}"
	at "$latter" apply "${SECOND[@]}" --json
	second=$(jq .transaction "$WORK/out")
	at "$latter" check
	at "$former" history --json
	json ".transactions[0].id == $second and .transactions[1].id == $second - 1"
	[[ $(jq -r '.transactions[1].time' "$WORK/out") == "$(date -u -d "@$former" +%FT%TZ)" ]] || fail "the time $former in the history"
	[[ $(jq -r '.transactions[0].time' "$WORK/out") == "$(date -u -d "@$latter" +%FT%TZ)" ]] || fail "the time $latter in the history"
	at "$latter" history
	at "$former" rollback --json # the newest by number
	json ".undid == $second"
	ck_state "$WORK/new" "clocks $clocks"
	at "$latter" rollback --json
	json ".undid == $second - 1"
	ck_state "$WORK/old" "clocks $clocks, the rest"
done
# Interrupted in a future that was none.
(
	export TCT_CLOCK=7258118400 LD_PRELOAD=$SHIFTED_CLOCK
	[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0:detect_leaks=0"
	strace -f -o "$WORK/trace" -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:signal=KILL:when=1 \
		"$TCPTUNE" apply "${FIRST[@]}" >"$WORK/out" 2>"$WORK/err"
) 2>/dev/null
[[ -e $DROP_IN ]] || fail "killed before the drop-in"
run 0 apply "${FIRST[@]}" --json
json '.recovered != null'
applied "interrupted in the future"
