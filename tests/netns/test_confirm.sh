#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154 # jq has variables of its own; set by what is sourced
# apply --confirm-within and confirm: what is written when, what is refused meanwhile, and who may end the waiting.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=confirm.sh
. "$(dirname "$0")/confirm.sh"

# --- confirmed in time ---------------------------------------------------------------------------------------------

run 1 apply "${FIRST[@]}" --confirm-within 60 --dry-run --json
json '.schema == "tcptune.plan.v1" and .waiting == {until: null, seconds: 60, guard: null}'
[[ -z $(guards) && ! -e $JOURNAL ]] || fail "a dry run arms nothing"

run 0 apply "${FIRST[@]}" --confirm-within 60 --json
json '.changed and .transaction == 1 and .waiting.seconds == 60 and .waiting.guard == "process"'
json '(.waiting.until | fromdate) - now | . > 50 and . < 61'
json '[.settings[] | select(.live_written and (.persisted | not))] | length == 7'
json '.drop_in.before_sha256 == null and .drop_in.after_sha256 == null and (.drop_in.diff | length) > 0'
[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "the live values are not written"
[[ ! -e $DROP_IN ]] || fail "the drop-in is written before it is confirmed"
[[ $(guards | wc -l) == 1 ]] || fail "there is no guard"
last_state waiting
run 0 history --json
json '.transactions[0] | .state == "waiting" and (.persisted | not)'
run 0 history
grep -q 'waiting until 20' "$WORK/out" || fail "history doesn't tell the deadline"
run 0 history show 1
grep -q 'deadline  *60 s to be confirmed until 20' "$WORK/out" || fail "history show doesn't tell the deadline"
run 1 check --json
json '.waiting.transaction == 1 and (.waiting.expired | not)'
json '[.settings[] | .live_ok, (.drift == ["boot"]), (.reason | contains("is written when what waits is confirmed"))] | all'
run 1 check
grep -qx 'next: tcptune confirm 1' "$WORK/out" || fail "check doesn't tell what to type"

# Meanwhile: no other apply, not even the same, nor as a dry run; no rollback of what is older.
for more in "" --dry-run; do
	# shellcheck disable=SC2086 # none or one
	run 3 apply "${SECOND[@]}" $more --json
	json '(.changed | not) and ([.refused[].kind] == ["pending"]) and (.refused[0].reason | contains("tcptune confirm 1"))'
done
run 3 apply "${FIRST[@]}" --confirm-within 5

run 0 confirm --json
json '.schema == "tcptune.confirm.v1" and .changed and .confirmed == 1 and .transaction == 2 and .conflicts == []'
json '[.settings[] | select(.persisted and .before == .after and .before != null and (.live_written | not))] | length == 7'
no_guard "confirmed"
[[ $("$TCPTUNE" history --json | jq '[.transactions[].persisted] == [true, true]') == true ]] || fail "persisted, once confirmed"
grep -q '^net.core.somaxconn = 16384' $DROP_IN || fail "confirm doesn't write the drop-in"
last_state committed
state >"$WORK/new"
cp $JOURNAL "$WORK/journal"
run 0 confirm --json
json '(.changed | not) and .confirmed == 1 and .transaction == null'
run 0 confirm 1
run 2 confirm 2 # that is the confirmation itself
run 2 confirm 77
run 2 confirm seven
run 2 confirm --expire
run 2 apply "${FIRST[@]}" --confirm-within 0.5
run 2 apply "${FIRST[@]}" --confirm-within 86401
run 2 apply "${FIRST[@]}" --confirm-within 60 --no-live
cmp -s $JOURNAL "$WORK/journal" || fail "what does nothing writes to the journal"

# Nothing to do: nothing waits.
run 0 apply "${FIRST[@]}" --confirm-within 60 --json
json '(.changed | not) and .transaction == null and .waiting == null'
[[ -z $(guards) ]] || fail "a guard, but nothing to guard"

# It is as if it had been applied at once: checked, changed, undone.
run 0 check
run 0 apply "${SECOND[@]}" --confirm-within 60
grep -q '^A process puts it back' "$WORK/out" || fail "apply doesn't say that it is a process that puts it back"
run 0 confirm
grep -q '^net.core.somaxconn = 32768' $DROP_IN || fail "the second profile's line"
! grep -q '^net.ipv4.tcp_fin_timeout' $DROP_IN || fail "a line that only the first profile had"
run 2 rollback 4 # the confirmation
grep -q 'tcptune rollback 3' "$WORK/err" || fail "rollback of a confirmation doesn't say what to type"
run 0 rollback --json
json '.undid == 3'
ck_state "$WORK/new" "rollback of the second gives the first"
run 3 confirm 3
run 3 confirm # the newest apply is undone
run 0 rollback
ck_state "$WORK/old" "rollback of the first"

# --- undone meanwhile ----------------------------------------------------------------------------------------------

run 0 apply "${FIRST[@]}"
run 0 apply "${SECOND[@]}" --confirm-within 60 --json
waits=$(jq .transaction "$WORK/out")
run 3 rollback $((waits - 1))
grep -q "transaction $waits waits to be confirmed" "$WORK/err" || fail "the reason for refusing an older one"
run 1 rollback --dry-run --json
json ".undid == $waits"
run 0 rollback --json
json ".undid == $waits and .drop_in == null"
ck_state "$WORK/new" "rollback of what waits"
no_guard "rolled back"
run 3 confirm "$waits"
reset "rollback meanwhile"

# --- only the drop-in would change ---------------------------------------------------------------------------------

run 0 apply --profile "$WORK/first.yaml" --no-persist
run 0 apply "${FIRST[@]}" --confirm-within 60 --json
json '.waiting.seconds == 60 and ([.settings[] | select(.live_written)] == [])'
[[ ! -e $DROP_IN ]] || fail "the drop-in is written before it is confirmed"
run 0 confirm
ck_state "$WORK/new" "confirm writes the drop-in"
run 0 rollback
run 0 rollback
ck_state "$WORK/old" "back"
# And none of it for the drop-in: confirm just keeps it.
run 0 apply --profile "$WORK/first.yaml" --confirm-within 60 --json
json '.drop_in == null and .waiting.seconds == 60'
run 0 confirm --json
json '.changed and .drop_in == null'
[[ ! -e $DROP_IN ]] || fail "a drop-in for another namespace than the host's"
reset "live only"
# The lines were there already, and stay this apply's own when it is kept.
run 0 apply "${FIRST[@]}" --json
earlier=$(jq .transaction "$WORK/out")
set_value net/ipv4/tcp_keepalive_time 700
run 0 apply "${FIRST[@]}" --confirm-within 60
run 0 confirm
run 0 rollback "$earlier"
ck_state "$WORK/new" "the lines went with an older apply"
mv $DROP_IN "$WORK/kept"
run 1 check --json
json '[.settings[] | .drift == ["boot"]] | all'
mv "$WORK/kept" $DROP_IN
run 0 rollback
set_value net/ipv4/tcp_keepalive_time 7200 # it was 700 before that apply
ck_state "$WORK/old" "the lines that were there already"

# --- others change something meanwhile -----------------------------------------------------------------------------

run 0 apply "${FIRST[@]}" --confirm-within 60
echo "net.ipv4.tcp_sack = 0" >$DROP_IN
set_value net/ipv4/tcp_fin_timeout 25
run 3 confirm
grep -q 'edited by hand' "$WORK/err" || fail "the reason for refusing an edited drop-in"
last_state waiting
rm $DROP_IN
run 0 confirm --json
json '[.conflicts[] | {key, now, ours}] == [{key: "net.ipv4.tcp_fin_timeout", now: 25, ours: 30}]'
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 25 ]] || fail "confirm must leave what others changed"
set_value net/ipv4/tcp_fin_timeout 30
reset "changed by others, confirmed"

# Keys that somebody else changed are left when the time is over, the others go back.
run 0 apply "${FIRST[@]}" --confirm-within 2
set_value net/ipv4/tcp_fin_timeout 25
await_put_back
no_guard "put back"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 25 ]] || fail "what others changed must be left"
last_state undone
[[ $(last_error) == "not confirmed in time; put back, but what others had changed was left" ]] || fail "$(last_error)"
set_value net/ipv4/tcp_fin_timeout 60
ck_state "$WORK/old" "all but the conflict went back"
run 0 history
grep -q 'not confirmed, put back' "$WORK/out" || fail "history doesn't tell why it was put back"
run 3 confirm
grep -q 'its time was over at' "$WORK/err" || fail "the reason for refusing what was put back"
run 0 rollback --json
json '(.changed | not)'

# --- one at a time, and --wait -------------------------------------------------------------------------------------

run 0 apply "${FIRST[@]}" --confirm-within 60
holder
run 5 confirm
(sleep 0.3 && : >"$WORK/go") &
run 0 confirm --wait 20
wait
reset "confirm --wait"

# --- another namespace ---------------------------------------------------------------------------------------------

ip netns add tct-confirm || fail "ip netns add"
run 0 apply "${FIRST[@]}" --confirm-within 60
here=$(newest)
# The drop-in is one for all: only one of them may be about to write it.
run 3 apply "${SECOND[@]}" --netns tct-confirm --json
json '[.refused[].kind] == ["pending"]'
run 0 apply --profile "$WORK/second.yaml" --netns tct-confirm --confirm-within 60 --json
there=$(jq .transaction "$WORK/out")
json '.waiting.guard == "process"'
run 3 confirm "$there"
grep -q -- "--netns tct-confirm $there" "$WORK/err" || fail "the reason for refusing another namespace's"
run 0 confirm
run 0 history --json
json "[.transactions[] | select(.id == $here or .id == $there) | .state] == [\"waiting\", \"committed\"]"
run 0 confirm --netns tct-confirm --json
json ".confirmed == $there"
in_netns tct-confirm grep -qx 32768 /proc/sys/net/core/somaxconn || fail "the value in the other namespace"
run 0 rollback --netns tct-confirm
# Gone before it was confirmed: nothing is left of it, and nothing waits.
run 0 apply --profile "$WORK/second.yaml" --netns tct-confirm --confirm-within 60
gone=$(newest)
pid=$(in_netns tct-confirm "$BASH" -c "$(declare -f guards); guards")
[[ -n $pid ]] || fail "no guard in the other namespace"
kill "$pid"
ip netns del tct-confirm
while [[ -d /proc/$pid ]]; do sleep 0.02; done
run 0 rollback
ck_state "$WORK/old" "rollback here"
run 0 history --json
json "[.transactions[] | select(.id == $gone)][0] | .state == \"undone\" and (.error | contains(\"is gone\"))"

# --- after a reboot ------------------------------------------------------------------------------------------------

# The journal of another boot: nothing live is left, the drop-in was never written. No value is touched.
run 0 apply "${FIRST[@]}" --confirm-within 60
kill "$(guards)"
values >"$WORK/values"
boot=$(</proc/sys/kernel/random/boot_id)
while IFS= read -r line; do
	text=${line#* }
	text=${text//"$boot"/01234567-89ab-cdef-0123-456789abcdef}
	printf '%s %s\n' "$(printf %s "$text" | sha256sum | cut -c -64)" "$text"
done <$JOURNAL >"$WORK/journal"
cat "$WORK/journal" >$JOURNAL
run 2 confirm 999
values | cmp -s - "$WORK/values" || fail "values of another boot are touched"
last_state undone
[[ ! -e $DROP_IN ]] || fail "a drop-in after a reboot"
