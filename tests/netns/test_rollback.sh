#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# Rollback case by case: field by field, after a boot, without the profile, the key or the drop-in; and a journal that a
# power cut tore or that grew long.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

rmem() { tr '\t' ' ' </proc/sys/net/ipv4/tcp_rmem; }

cat >"$WORK/rmem.yaml" <<'YAML'
schema: tcptune.profile.v1
name: rmem
summary: Two fields
settings:
  net.ipv4.tcp_rmem: { at_least: [keep, 262144, 67108864], because: for the test }
YAML
RMEM=(--profile "$WORK/rmem.yaml" --persist)
before=$(rmem)
read -r low middle high <<<"$before"

# --- field by field ------------------------------------------------------------------------------------------------

run 0 apply "${RMEM[@]}"
set_value net/ipv4/tcp_rmem "$low 262144 70000000"
run 1 rollback --dry-run --json
json '.changed and .conflicts[0].field == 3'
[[ $(rmem) == "$low 262144 70000000" && -e $DROP_IN ]] || fail "a dry run wrote"
run 1 rollback
grep -q "tcp_rmem, field 3, is 70000000; tcptune had found $high and wrote 67108864" <(tr -s ' \n' ' ' <"$WORK/out") ||
	fail "the conflict in words"
[[ $(rmem) == "$low $middle 70000000" && ! -e $DROP_IN ]] || fail "field 2 goes back, field 3 stays: $(rmem)"
run 0 rollback --force --json
json '.changed and (.conflicts | length) == 0'
[[ $(rmem) == "$before" ]] || fail "--force gets field 3: $(rmem)"

# Where only the line goes, the live value is told: it was there before and is there after.
run 0 apply "${RMEM[@]}"
set_value net/ipv4/tcp_rmem "9000 262145 70000000"
run 1 rollback --json
json '.settings[0] | .before == [9000, 262145, 70000000] and .after == .before and (.live_written or .persisted | not)'
set_value net/ipv4/tcp_rmem "$before"

# The operator raised field 1 above what field 2 goes back to: the key as a whole.
run 0 apply "${RMEM[@]}"
set_value net/ipv4/tcp_rmem "200000 262144 67108864"
run 1 rollback --json
json '.conflicts | length == 1 and .[0].field == null and .[0].now == [200000, 262144, 67108864]'
[[ $(rmem) == "200000 262144 67108864" ]] || fail "a mixture that doesn't ascend"
run 0 rollback --force
[[ $(rmem) == "$before" ]] || fail "--force puts the whole back: $(rmem)"
ck_state "$WORK/old" "field by field"

# --- without this and that -----------------------------------------------------------------------------------------

cp "$WORK/rmem.yaml" "$WORK/lost.yaml"
run 0 apply --profile "$WORK/lost.yaml" --persist
rm "$WORK/lost.yaml" $DROP_IN
run 1 rollback --dry-run
run 0 rollback
ck_state "$WORK/old" "neither the profile nor the drop-in is needed"
run 2 rollback "$("$TCPTUNE" history --json | jq '.transactions[0].id')"
grep -q 'is a rollback itself; to get its values again, apply the profile' "$WORK/err" || fail "the hint"
run 0 rollback --dry-run

# A later one that stands keeps its keys, live and in the drop-in; then it goes back to the beginning.
run 0 apply "${RMEM[@]}" --json
first=$(jq .transaction "$WORK/out")
run 0 apply "${FIRST[@]}" --json
run 0 rollback "$first" --json
json '.undid != null and .settings == [] and .conflicts == []'
run 0 check
run 0 rollback
ck_state "$WORK/old" "in the order in which they were made"

# --- another boot --------------------------------------------------------------------------------------------------

# What a journal of the host's own namespace says in another boot: its line made the value.
run 0 apply "${RMEM[@]}"
resign() { # FILTER of each record
	local checksum record
	while read -r checksum record; do
		record=$(jq -c "$1" <<<"$record")
		checksum=$(printf %s "$record" | sha256sum)
		printf '%s %s\n' "${checksum%% *}" "$record"
	done <$JOURNAL >"$WORK/resigned" && cat "$WORK/resigned" >$JOURNAL
}
resign 'if .record == "begin" then .boot_id = "00000000-0000-0000-0000-000000000000" else . end'
# This namespace is not the host's: it went with that boot, and only the drop-in is left.
run 0 rollback "$("$TCPTUNE" history --json | jq '.transactions[0].id')" --json
json '.changed and ([.settings[].live_written] | any | not)'
[[ ! -e $DROP_IN && $(rmem) == "$low 262144 67108864" ]] || fail "the files of a namespace that is gone"
set_value net/ipv4/tcp_rmem "$before"
ck_state "$WORK/old" "after a boot"

# The disk of a host that died in the middle of it: its files are put right elsewhere, live values it has none.
traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply "${RMEM[@]}"
[[ $code == 137 && -e $DROP_IN ]] || fail "killed before the commit record: exit $code"
resign 'if .record == "begin" then .netns.initial = true else . end'
mkdir -p "$WORK/disk/var/lib/tcptune" "$WORK/disk/etc"
cp -a /etc/sysctl.d "$WORK/disk/etc/"
cp -a $JOURNAL "$WORK/disk/var/lib/tcptune/"
run 0 rollback --root "$WORK/disk" --json
json '.recovered != null and .undid == .recovered and .settings == []'
[[ -z $(ls -A "$WORK/disk/etc/sysctl.d") ]] || fail "the files of a host that isn't running"
run 0 history --root "$WORK/disk" --json
json '.transactions[0] | .state == "undone" and (.error | contains("isn'"'"'t running"))'
resign 'if .record == "begin" then .netns.initial = false else . end'
run 0 rollback
ck_state "$WORK/old" "the host itself"

# --- the journal ---------------------------------------------------------------------------------------------------

rm $JOURNAL
run 0 apply "${RMEM[@]}"
cp $JOURNAL "$WORK/whole"
cp $DROP_IN "$WORK/drop-in"
lines=$(head -1 "$WORK/whole" | wc -c)
size=$(stat -c %s "$WORK/whole")
for ((cut = lines; cut < size; cut += 9)); do
	head -c "$cut" "$WORK/whole" >$JOURNAL
	run 0 history --json
	json ".transactions[0].state == \"interrupted\" and .torn == $([[ $cut == "$lines" ]] && echo false || echo true)"
	run 0 rollback --json
	json '.recovered == 1 and .undid == 1'
	[[ $cut == "$lines" ]] || grep -q 'the last record of the journal .* was cut off' "$WORK/err" || fail "says so"
	[[ $(rmem) == "$before" && ! -e $DROP_IN ]] || fail "cut at $cut: $(rmem)"
	set_value net/ipv4/tcp_rmem "$low 262144 67108864"
	cp "$WORK/drop-in" $DROP_IN
done
set_value net/ipv4/tcp_rmem "$before"
rm $DROP_IN

# Damage before the end: an error with its line, and nothing changes.
cp "$WORK/whole" $JOURNAL
printf 'x' | dd of=$JOURNAL bs=1 seek=200 conv=notrunc status=none
sha256sum <$JOURNAL >"$WORK/sum"
for words in "history" "check" "rollback" "apply ${RMEM[*]}"; do
	# shellcheck disable=SC2086 # words
	run 2 $words
	grep -q "$JOURNAL:1: the checksum is wrong.*JOURNAL in tcptune(1)" "$WORK/err" || fail "$words: file and line"
done
sha256sum <$JOURNAL | cmp -s - "$WORK/sum" || fail "a damaged journal was touched"
[[ $(rmem) == "$before" ]] || fail "a damaged journal, and a value changed"
# The way out of the man page.
sed -i '1,$d' $JOURNAL
run 0 apply "${RMEM[@]}"
run 0 rollback
ck_state "$WORK/old" "after the way out"

# A newer tcptune's.
resign 'if .record == "end" then .record = "later" else . end'
run 2 rollback
grep -q 'a newer one wrote it' "$WORK/err" || fail "a newer journal"
rm $JOURNAL

# A long one is cut short; killed at any of its steps it is the long one or the short one.
run 0 apply "${RMEM[@]}"
run 0 rollback
while read -r _ record; do
	echo "$record"
done <$JOURNAL >"$WORK/records"
for ((i = 0; i < 101; i++)); do
	jq -c --argjson n $((2 * i)) '.id += $n | if (.undoes // 0) > 0 then .undoes += $n else . end' "$WORK/records"
done >"$WORK/many"
sign() {
	local checksum record
	while read -r record; do
		checksum=$(printf %s "$record" | sha256sum)
		printf '%s %s\n' "${checksum%% *}" "$record"
	done
}
sign <"$WORK/many" >"$WORK/long"
cp "$WORK/long" $JOURNAL
chmod 640 $JOURNAL
run 0 apply "${RMEM[@]}"
run 0 history --json
json '(.transactions | length) == 150 and .transactions[0].id == 203'
[[ $(stat -c %a $JOURNAL) == 640 && $(ls -A /var/lib/tcptune) == journal ]] || fail "mode, or a temporary file"
run 0 rollback
ck_state "$WORK/old" "a shorter journal"
# What fails makes it longer, too.
cp "$WORK/long" $JOURNAL
traced -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:error=EINVAL:when=1 -- apply "${RMEM[@]}"
[[ $code == 3 ]] || fail "a refused write: exit $code"
run 0 history --json
json '(.transactions | length) == 150 and .transactions[0].id == 203 and .transactions[0].state == "undone"'
cp "$WORK/long" $JOURNAL
traced -e trace=renameat -e inject=renameat:error=EIO:when=2+ -- apply "${RMEM[@]}"
[[ $code == 0 ]] || fail "a journal that can't be shortened: $code"
grep -q 'could not be shortened' "$WORK/err" || fail "a journal that can't be shortened, and nothing is said"
[[ $(ls -A /var/lib/tcptune) == journal ]] || fail "a temporary file is left"
run 0 rollback
for call in fsync:when=5 renameat:when=2 fsync:when=6; do
	cp "$WORK/long" $JOURNAL
	traced -e trace=fsync,renameat -e "inject=${call%%:*}:signal=KILL:${call#*:}" -- apply "${RMEM[@]}"
	[[ $code == 137 ]] || fail "$call: not killed ($code)"
	run 0 apply "${RMEM[@]}" --json
	json '.changed | not'
	[[ $(ls -A /var/lib/tcptune) == journal ]] || fail "$call: a temporary file is left"
	run 0 rollback
	ck_state "$WORK/old" "killed at $call"
done

# Cut short or not, the newest apply goes back to the one that stood before it, however old that is.
rm $JOURNAL
run 0 apply "${FIRST[@]}"
state >"$WORK/first"
run 0 apply "${SECOND[@]}"
run 0 rollback
ck_state "$WORK/first" "before it is long"
while read -r _ record; do
	jq -c 'select(.id == 1)' <<<"$record"
done <$JOURNAL >"$WORK/many"
while read -r _ record; do
	jq -c 'select(.id > 1)' <<<"$record"
done <$JOURNAL >"$WORK/records"
for ((i = 0; i < 100; i++)); do
	jq -c --argjson n $((2 * i)) '.id += $n | if (.undoes // 0) > 0 then .undoes += $n else . end' "$WORK/records"
done >>"$WORK/many"
sign <"$WORK/many" >$JOURNAL
run 0 apply "${SECOND[@]}"
run 0 rollback
ck_state "$WORK/first" "the way back from the newest of a long journal"
rm $JOURNAL $DROP_IN
