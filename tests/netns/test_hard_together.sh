#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154 # jq has variables of its own; code is set by what is sourced
# Several tcptunes at the same time: one wins, the others say so (exit 5) or wait for it (--wait). Afterwards there is
# one consistent state and a whole journal.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=../hard.sh
. "$(dirname "$0")/../hard.sh"

MANY=10
run 0 apply "${FIRST[@]}"
state >"$WORK/new"
reset "the first look"

many() { # WORDS...: MANY of them at once, the exit codes in codes[]
	local i pids=()
	codes=()
	for ((i = 0; i < MANY; i++)); do
		"$TCPTUNE" "$@" --json >"$WORK/many.$i" 2>"$WORK/many.err.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		local code=0
		wait "$i" || code=$?
		codes+=("$code")
	done
}
with_code() { # CODE: how many ended so
	printf '%s\n' "${codes[@]}" | grep -cx "$1"
}
whole_journal() { # COMMITTED: so many applies are in it, and nothing is open
	run 0 history --json
	json "[.transactions[] | select(.kind == \"apply\" and .state == \"committed\")] | length == $1"
	json '[.transactions[] | select(.state == "interrupted")] == []'
	json '[.transactions[].id] | . == (unique | reverse)'
}
holder() { # SECONDS: has the lock for so long; its process is in $held
	flock -o /run/tcptune.lock "$BASH" -c ': >"$WORK/held"; exec sleep '"$1" &
	held=$!
	while [[ ! -e $WORK/held ]]; do sleep 0.01; done
	rm "$WORK/held"
}

# --- one wins ------------------------------------------------------------------------------------------------------

# All ten meet while the winner is in its transaction: strace holds it up at its first live write.
under_strace -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:delay_enter=3000000:when=1 \
	"$TCPTUNE" apply "${FIRST[@]}" >"$WORK/winner" 2>&1 &
winner=$!
for ((i = 0; i < 500; i++)); do
	[[ -e $DROP_IN ]] && break
	sleep 0.01
done
MANY=9 many apply "${FIRST[@]}"
[[ $(with_code 5) == 9 ]] || fail "nine beside a winner: ${codes[*]}"
grep -q 'another tcptune is at work (it holds /run/tcptune.lock); --wait SECONDS waits for it' "$WORK/many.err.0" ||
	fail "what the ninth says: $(cat "$WORK/many.err.0")"
[[ ! -s $WORK/many.0 ]] || fail "a document of one that did nothing"
wait $winner || fail "the winner: $(cat "$WORK/winner")"
ck_state "$WORK/new" "one winner, nine losers"
whole_journal 1
reset "one winner"

# Without a hold-up: whoever gets the lock does it or finds it done.
many apply "${FIRST[@]}"
(($(with_code 0) >= 1 && $(with_code 0) + $(with_code 5) == MANY)) || fail "ten at once: ${codes[*]}"
ck_state "$WORK/new" "ten at once"
whole_journal 1
reset "ten at once"

# --- or all of them, one after the other ----------------------------------------------------------------------------

many apply "${FIRST[@]}" --wait 20
[[ $(with_code 0) == "$MANY" ]] || fail "ten that wait: ${codes[*]} $(cat "$WORK"/many.err.*)"
[[ $(cat "$WORK"/many.? | jq -s 'map(.changed) | [(map(select(.)) | length), length]' -c) == "[1,$MANY]" ]] ||
	fail "ten that wait: more than one changed something"
ck_state "$WORK/new" "ten that wait"
whole_journal 1

# Two profiles and a rollback at once, all waiting: in some order all of them are done, and the end is one of the states.
run 0 apply "${SECOND[@]}"
state >"$WORK/second"
run 0 rollback
pids=()
for words in "apply ${FIRST[*]}" "apply ${SECOND[*]}" "rollback" "apply ${SECOND[*]}" "rollback" "apply ${FIRST[*]}"; do
	# shellcheck disable=SC2086 # words
	"$TCPTUNE" $words --wait 20 >"$WORK/many.out" 2>&1 &
	pids+=($!)
done
for i in "${pids[@]}"; do
	wait "$i" || fail "one of a crowd: exit $?"
done
state >"$WORK/now"
found=
for i in old new second; do
	cmp -s "$WORK/now" "$WORK/$i" && found=$i
done
[[ -n $found ]] || fail "a crowd left a mixture: $(cat "$WORK/now")"
run 0 history --json
json '[.transactions[] | select(.state == "interrupted")] == []'
reset "a crowd"

# --- the wait itself -----------------------------------------------------------------------------------------------

# Over: exit 5, not much later than asked for.
holder 5
begin=$EPOCHREALTIME
run 5 apply "${FIRST[@]}" --wait 0.3
end=$EPOCHREALTIME
grep -q 'another tcptune is still at work (it holds /run/tcptune.lock) after 0.3 s' "$WORK/err" || fail "a wait that is over"
took=$((${end/./} - ${begin/./}))
((took >= 300000 && took < 3000000)) || fail "a wait of 0.3 s took $took us"
run 5 rollback --wait 0.1
run 2 apply "${FIRST[@]}" --wait -1
run 2 apply "${FIRST[@]}" --wait soon
# What writes nothing doesn't wait.
run 1 apply "${FIRST[@]}" --dry-run --wait 20
run 1 check --profile "$WORK/first.yaml"
# Ended while waiting: nothing happened.
"$TCPTUNE" apply "${FIRST[@]}" --wait 20 >"$WORK/out" 2>"$WORK/err" &
pid=$!
sleep 0.2
kill -TERM $pid
wait $pid && fail "a wait goes on after SIGTERM"
ck_state "$WORK/old" "waits that came to nothing"
wait $held

# In time: it goes on as soon as the lock is free.
holder 0.5
begin=$EPOCHREALTIME
run 0 apply "${FIRST[@]}" --wait 20
end=$EPOCHREALTIME
wait $held
((${end/./} - ${begin/./} < 5000000)) || fail "the lock was free, but not taken"
ck_state "$WORK/new" "a wait that was worth it"
holder 0.3
run 0 rollback --wait 20
wait $held
ck_state "$WORK/old" "a rollback that waited"

# Somebody removes the lock's file under the one who waits: he must not end up with a file that nobody else sees.
holder 1
"$TCPTUNE" apply "${FIRST[@]}" --wait 20 >"$WORK/out" 2>"$WORK/err" &
pid=$!
sleep 0.2
rm /run/tcptune.lock
wait $pid || fail "a removed lock: exit $?"
wait $held
[[ -e /run/tcptune.lock ]] || fail "the lock's file was not made anew"
ck_state "$WORK/new" "a removed lock"
reset "a removed lock"

# A terminal is told who is waited for.
if command -v script >/dev/null; then
	holder 1.5
	script -qec "'$TCPTUNE' apply --profile '$WORK/first.yaml' --persist --wait 20" /dev/null >"$WORK/out" </dev/null ||
		fail "on a terminal"
	wait $held
	grep -q 'waiting for another tcptune to end' "$WORK/out" || fail "a terminal isn't told"
	reset "on a terminal"
fi

# --- images ----------------------------------------------------------------------------------------------------------

# An image is locked, too, but nothing of that stays in it, nor is a /run made there.
IMAGE=$WORK/image
in_image() { # the names in it
	(cd "$IMAGE" && find . ! -name . | LC_ALL=C sort | tr '\n' ' ')
}
mkdir "$IMAGE"
run 0 apply --root "$IMAGE" --profile "$WORK/second.yaml"
[[ $(in_image) == './etc ./etc/sysctl.d ./etc/sysctl.d/99-tcptune.conf ./var ./var/lib ./var/lib/tcptune ./var/lib/tcptune/journal ' ]] ||
	fail "in an image: $(in_image)"
run 0 rollback --root "$IMAGE"
[[ $(in_image) == './etc ./etc/sysctl.d ./var ./var/lib ./var/lib/tcptune ./var/lib/tcptune/journal ' ]] ||
	fail "in an image, on the way back: $(in_image)"
mkdir -m 755 "$IMAGE/run" # that stays empty

# The same image by another name is the same image.
mkdir "$WORK/alias"
mount --bind "$IMAGE" "$WORK/alias"
under_strace -P "$IMAGE/etc/sysctl.d/.99-tcptune.conf.new" -e inject=fsync:delay_enter=2000000:when=1 \
	"$TCPTUNE" apply --root "$IMAGE" --profile "$WORK/second.yaml" >"$WORK/winner" 2>&1 &
winner=$!
for ((i = 0; i < 500; i++)); do
	[[ -e $IMAGE/etc/sysctl.d/.99-tcptune.conf.new ]] && break
	sleep 0.01
done
run 5 apply --root "$WORK/alias" --set net.core.somaxconn=9999
one_line "another tcptune is at work \(it holds $WORK/alias\); --wait SECONDS waits for it$" "a second one in an image"
run 5 rollback --root "$IMAGE" --wait 0.1
one_line "another tcptune is still at work \(it holds $IMAGE\) after 0.1 s$" "a wait in an image"
run 0 rollback --root "$IMAGE" --wait 20 --json
json '.changed and .undid == 3'
wait $winner || fail "the winner in an image: $(cat "$WORK/winner")"
umount "$WORK/alias"
[[ -z $(ls -A "$IMAGE/run") && ! -e $IMAGE/etc/sysctl.d/99-tcptune.conf ]] || fail "left in an image: $(in_image)"
MANY=10 many apply --root "$IMAGE" --profile "$WORK/second.yaml" --wait 20
[[ $(with_code 0) == 10 ]] || fail "ten that wait for an image: ${codes[*]} $(cat "$WORK"/many.err.*)"
[[ $(cat "$WORK"/many.? | jq -s 'map(select(.changed)) | length') == 1 ]] || fail "ten that wait for an image: more than one changed something"

# What is mounted at / is no image: it has the running system's lock.
holder 1
run 0 apply --root "$IMAGE" --profile "$WORK/second.yaml" # which holds up no image
run 5 apply --root / --profile "$WORK/second.yaml"
one_line 'it holds /run/tcptune.lock' "--root /"
wait $held
