#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The transaction when the system refuses: writes that fail or are swallowed, folders that can't be written, full disks,
# another namespace's interrupted transaction.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

run 0 apply "${FIRST[@]}"
state >"$WORK/new"
run 0 rollback

# --- failures ------------------------------------------------------------------------------------------------------

# Written without an error, but not there: strace swallows the write.
inject() { # EXPRESSION PATH WORDS...: the exit code is in $code
	local expression=$1 path=$2
	shift 2
	traced -P "$path" -e inject="$expression" -- "$@"
}
inject write:retval=4:when=1 /proc/sys/net/ipv4/tcp_keepalive_time apply "${FIRST[@]}" --json
[[ $code == 3 ]] || fail "a swallowed write: exit $code"
grep -q 'tcp_keepalive_time: 600 was written without an error, but 7200 is read back' "$WORK/err" ||
	fail "the reason for a swallowed write"
json '.rolled_back and (.changed | not)'
ck_state "$WORK/old" "a swallowed write"
inject write:error=EINVAL:when=1 /proc/sys/net/ipv4/tcp_rmem apply "${FIRST[@]}"
[[ $code == 3 ]] || fail "a refused write: exit $code"
ck_state "$WORK/old" "a refused write"
inject write:retval=1:when=1 /proc/sys/net/ipv4/tcp_rmem apply "${FIRST[@]}"
[[ $code == 3 ]] || fail "a short write: exit $code"
ck_state "$WORK/old" "a short write"
inject write:error=EINTR:when=1 /proc/sys/net/ipv4/tcp_rmem apply "${FIRST[@]}"
[[ $code == 0 ]] || fail "an interrupted write: exit $code"
ck_state "$WORK/new" "an interrupted write"
reset "an interrupted write"

# The way back fails, too: that is exit 4, and it is named.
inject write:error=EIO:when=2+ /proc/sys/net/ipv4/tcp_keepalive_time apply "${FIRST[@]}"
[[ $code == 0 ]] || fail "only the first write counts: exit $code"
traced -P /proc/sys/net/ipv4/tcp_keepalive_time -P /proc/sys/net/ipv4/tcp_invalid_ratelimit \
	-e inject=write:error=EIO:when=2+ -- rollback
[[ $code == 4 ]] || fail "stuck: exit $code"
grep -q 'could not be put back: .*net.ipv4.tcp_' "$WORK/err" || fail "what is stuck is named"
grep -q '^Failed, and not everything could be put back' "$WORK/out" || fail "the outcome of a stuck rollback"
run 0 rollback --force
ck_state "$WORK/old" "after a stuck rollback"

# A folder that can't be written, a full disk below the drop-in, below the journal.
mount --bind /etc/sysctl.d /etc/sysctl.d && mount -o remount,bind,ro /etc/sysctl.d
run 3 apply "${FIRST[@]}"
umount /etc/sysctl.d
ck_state "$WORK/old" "a read-only folder"
fill() { # FOLDER: not a byte left
	head -c 1M /dev/zero >"$1/.fill" 2>/dev/null
	cat /dev/zero >>"$1/.fill" 2>/dev/null
}
mount -t tmpfs -o size=16k tmpfs /etc/sysctl.d
fill /etc/sysctl.d
run 3 apply "${FIRST[@]}"
grep -q 'No space left' "$WORK/err" || fail "the reason for a full disk"
rm /etc/sysctl.d/.fill
ck_state "$WORK/old" "a full disk below the drop-in"
umount /etc/sysctl.d
mkdir "$WORK/journal.d"
cp -a /var/lib/tcptune/. "$WORK/journal.d"
mount -t tmpfs -o size=1m,mode=700 tmpfs /var/lib/tcptune
cp -a "$WORK/journal.d/." /var/lib/tcptune
fill /var/lib/tcptune
refusals=0
for ((i = 0; i < 12; i++)); do # at first the last page has room; then none for the beginning, or for the end
	code=0
	"$TCPTUNE" apply "${FIRST[@]}" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 3 ]] && refusals=$((refusals + 1))
	[[ $code == 0 || $code == 3 ]] || fail "a full disk below the journal: exit $code"
	[[ $code == 0 ]] || grep -q '^Failed: ' "$WORK/out" || fail "the outcome of a full disk below the journal"
	ck_state "$WORK/$([[ $code == 0 ]] && echo new || echo old)" "a full disk below the journal, apply $i"
	[[ $code == 3 && $i -lt 8 ]] && truncate -s -4096 /var/lib/tcptune/.fill
	[[ $code == 0 ]] || continue
	"$TCPTUNE" rollback >"$WORK/out" 2>"$WORK/err" || code=3
	ck_state "$WORK/$([[ $code == 0 ]] && echo old || echo new)" "a full disk below the journal, rollback $i"
	[[ $code == 0 ]] || { truncate -s -8192 /var/lib/tcptune/.fill && run 0 rollback; }
done
((refusals > 1)) || fail "the disk below the journal was never full"
rm /var/lib/tcptune/.fill
run 0 apply "${FIRST[@]}"
ck_state "$WORK/new" "room again"
reset "a full disk below the journal"
umount /var/lib/tcptune
reset "the old journal"

# Another namespace's interrupted transaction is its own to undo, as long as that namespace lives.
if command -v ip >/dev/null && ip netns add blue 2>"$WORK/err"; then
	kill_in_blue() {
		traced -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:signal=KILL:when=1 -- apply "${FIRST[@]}" --netns blue
		[[ $code == 137 ]] || fail "SIGKILL in another namespace: exit $code"
		[[ -e $DROP_IN ]] || fail "killed before the drop-in"
	}
	kill_in_blue
	run 3 apply "${SECOND[@]}"
	grep -q 'tcptune rollback --netns blue' "$WORK/err" || fail "how to undo it"
	run 3 rollback
	run 0 apply --profile "$WORK/first.yaml" # live only: not in its way
	run 0 rollback --netns blue --json
	json '.recovered != null and .changed'
	[[ ! -e $DROP_IN ]] || fail "the drop-in of another namespace's interrupted transaction"
	[[ $(in_netns blue cat /proc/sys/net/core/somaxconn) == 4096 ]] || fail "values of another namespace"
	reset "another namespace"
	kill_in_blue
	ip netns delete blue
	run 0 apply "${FIRST[@]}" --json
	json '.recovered != null'
	ck_state "$WORK/new" "a namespace that is gone"
	reset "a namespace that is gone"
else
	echo "note: no named namespaces here: $(cat "$WORK/err")"
fi
