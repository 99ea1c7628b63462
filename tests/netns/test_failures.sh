#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The transaction when the system refuses: writes that fail or are swallowed, another
# namespace's interrupted transaction. Where nothing can be written: test_hard_folders.sh.
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

# An interrupted transaction of which one value can't be put back: the others are, and it stays open.
for key in somaxconn ../ipv4/tcp_fin_timeout ../ipv4/tcp_rmem; do
	traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply "${FIRST[@]}"
	[[ $code == 137 ]] || fail "killed before the commit record: exit $code"
	mount --bind "$WORK/first.yaml" "/proc/sys/net/core/$key" || fail "can't hide a value"
	run 4 rollback
	grep -q "the interrupted transaction .* can't be undone: net\..*${key##*/}: " "$WORK/err" || fail "what is stuck"
	umount "/proc/sys/net/core/$key"
	values | diff - <(sed '/^--/,$d' "$WORK/old") | grep '^<' >"$WORK/left"
	[[ $(wc -l <"$WORK/left") == 1 && $(<"$WORK/left") == *"${key##*/}"* ]] || fail "${key##*/} kept others back"
	[[ ! -e $DROP_IN ]] || fail "${key##*/} kept the drop-in"
	run 0 rollback --json
	json '.recovered != null'
	ck_state "$WORK/old" "the one that was stuck"
done

# Nor can the drop-in be taken away: not everything is as it was, so that is no refusal.
traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply "${FIRST[@]}"
[[ $code == 137 ]] || fail "killed before the commit record: exit $code"
run 0 audit --interval 0
grep -q "^Transaction [0-9]* was interrupted; 'tcptune rollback' puts it right" "$WORK/out" || fail "audit tells it"
run 0 audit --interval 0 --json
json '.interrupted > 0'
run 1 rollback --dry-run
grep -q 'no value' "$WORK/out" && fail "a dry run doesn't know that no value would change"
traced -P /etc/sysctl.d -e inject=unlinkat:error=EIO -- rollback --json
[[ $code == 4 ]] || fail "a drop-in that stays: exit $code"
grep -q "the interrupted transaction [0-9]* can't be undone: .*$DROP_IN: " "$WORK/err" || fail "what stays is named"
json '.changed and ([.settings[].live_written] | all)'
run 0 rollback
ck_state "$WORK/old" "a drop-in that stayed"
run 0 audit --interval 0 --json
json '.interrupted == null'

# Refused, but what was interrupted is undone before: that was written.
traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply "${FIRST[@]}"
[[ $code == 137 ]] || fail "killed before the commit record: exit $code"
run 2 check
grep -q 'transaction [0-9]* was interrupted' "$WORK/err" || fail "check doesn't tell what was interrupted"
run 3 apply --set net.ipv4.tcp_tw_recycle=1 --json
json '.changed and .recovered != null and (.settings | length) == 7 and ([.settings[].live_written] | all)'
ck_state "$WORK/old" "what was interrupted, before a refusal"

# Nor does that count as a part of the rollback of another one, of which nothing but a conflict is left: it stands.
run 0 apply --set net.ipv4.tcp_fin_timeout=33 --json
stands=$(jq .transaction "$WORK/out")
traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply --set net.core.somaxconn=8192
[[ $code == 137 ]] || fail "killed before the commit record: exit $code"
set_value net/ipv4/tcp_fin_timeout 44
run 1 rollback "$stands" --json
json '.recovered != null and .transaction == null and (.conflicts | length) == 1'
run 0 history --json
json ".transactions[] | select(.id == $stands) | .undone_by == null"
run 0 rollback --force
ck_state "$WORK/old" "a conflict after a recovery"

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
