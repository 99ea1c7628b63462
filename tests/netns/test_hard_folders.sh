#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154 # jq has variables of its own; code is set by what is sourced
# Where the drop-in, the journal and the lock lie: on other file systems, read-only, full, over a quota or a limit, behind
# links, missing. Refused means: exit 3, one line that says why, and everything as it was.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=../hard.sh
. "$(dirname "$0")/../hard.sh"

# as_foreseen PATTERN WHAT VERB WORDS...: refused, and by a dry run in the same words, which writes nothing at all.
as_foreseen() {
	local pattern=$1 what=$2
	shift 2
	find /etc /var/lib /run -printf '%p %i %T@ %C@\n' 2>/dev/null | sort >"$WORK/files"
	run 3 "$@" --dry-run --json
	json '(.changed | not) and [.settings[] | select(.live_written or .persisted)] == []'
	json '.refused | length == 1 and .[0].key == null and .[0].kind == "system"'
	[[ "tcptune: $(jq -r '.refused[0].reason' "$WORK/out")" == "$(cat "$WORK/err")" ]] || fail "$what: refused[] says something else"
	cp "$WORK/err" "$WORK/foreseen"
	run 3 "$@" --dry-run
	cmp -s "$WORK/err" "$WORK/foreseen" || fail "$what: text and JSON say different things"
	find /etc /var/lib /run -printf '%p %i %T@ %C@\n' 2>/dev/null | sort | cmp -s - "$WORK/files" ||
		fail "$what: a dry run has written something"
	refused 3 "$pattern" "$what" "$@"
	diff "$WORK/foreseen" "$WORK/err" >&2 || fail "$what: the dry run foresaw something else"
}

run 0 apply "${FIRST[@]}"
state >"$WORK/new"
run 0 rollback

# --- file systems of their own -------------------------------------------------------------------------------------

# /etc/sysctl.d is another file system than /etc and /tmp: the temporary file has to be beside the drop-in.
elsewhere() { # WHAT
	state >"$WORK/old.elsewhere"
	run 0 apply "${FIRST[@]}"
	run 0 apply "${SECOND[@]}"
	run 0 check
	no_leftovers "$1"
	run 0 rollback
	run 0 rollback
	ck_state "$WORK/old.elsewhere" "$1"
}
traced -e trace=openat -- apply "${FIRST[@]}"
grep O_CREAT "$WORK/trace" | grep -vE '"(tcptune.lock|.99-tcptune.conf.new|journal)"' && fail "a file is made elsewhere"
reset "a look at what is made"
mount -t tmpfs tmpfs /etc/sysctl.d
elsewhere "a tmpfs at /etc/sysctl.d"
umount /etc/sysctl.d
if command -v mkfs.ext4 >/dev/null && ext4 /etc/sysctl.d; then
	elsewhere "an ext4 at /etc/sysctl.d"
	umount /etc/sysctl.d
else
	echo "note: no ext4 in a file here"
fi
[[ -e $DROP_IN ]] && fail "a drop-in below the mounts"
mkdir -p "$WORK/lower" "$WORK/upper"
if mount -t tmpfs tmpfs "$WORK/upper" && mkdir "$WORK/upper"/{up,work} &&
	mount -t overlay -o "lowerdir=$WORK/lower,upperdir=$WORK/upper/up,workdir=$WORK/upper/work" overlay /etc/sysctl.d \
		2>"$WORK/err"; then
	elsewhere "an overlay at /etc/sysctl.d"
	umount /etc/sysctl.d
else
	echo "note: no overlay here"
fi

# --- read-only ------------------------------------------------------------------------------------------------------

read_only /etc
as_foreseen '^tcptune: can.t write /etc/sysctl.d/99-tcptune.conf: Read-only file system; --no-persist changes live values only$' \
	"a read-only /etc" apply "${FIRST[@]}"
untouched "a read-only /etc"
as_foreseen "can't write .*Read-only file system; --no-persist" "a read-only /etc, to be confirmed" \
	apply "${FIRST[@]}" --confirm-within 60
run 3 apply "${FIRST[@]}" --json
json '(.changed | not) and (.rolled_back | not) and [.settings[] | select(.live_written or .persisted)] == []'
run 0 apply --profile "$WORK/first.yaml" --no-persist # as the message says
run 0 rollback
umount /etc
ck_state "$WORK/old" "a read-only /etc"
read_only /etc/sysctl.d
as_foreseen 'Read-only file system' "a read-only folder" apply "${FIRST[@]}"
umount /etc/sysctl.d
untouched "a read-only folder"
rmdir /etc/sysctl.d
read_only /etc
as_foreseen "can't open /etc/sysctl.d: Read-only file system" "no folder, and a read-only /etc" apply "${FIRST[@]}"
umount /etc
mkdir /etc/sysctl.d
run 0 apply "${FIRST[@]}"
read_only /etc
as_foreseen "can't remove .*Read-only file system" "a read-only /etc, on the way back" rollback
ck_state "$WORK/new" "a read-only /etc, on the way back"
as_foreseen "can't write .*Read-only file system" "a read-only /etc, with a drop-in" apply "${SECOND[@]}"
ck_state "$WORK/new" "a read-only /etc, with a drop-in"
run 0 apply "${FIRST[@]}" # nothing to do needs nothing
umount /etc

read_only /var/lib
as_foreseen "can't write the journal /var/lib/tcptune/journal: Read-only file system" "a read-only /var/lib" \
	apply "${SECOND[@]}"
as_foreseen "can't write the journal" "a read-only /var/lib, on the way back" rollback
ck_state "$WORK/new" "a read-only /var/lib"
run 0 apply "${FIRST[@]}" --json # nothing to do needs nothing
json '.changed | not'
run 0 history
umount /var/lib
read_only /run
as_foreseen "can't lock /run/tcptune.lock: Read-only file system" "a read-only /run" rollback
as_foreseen "can't lock" "a read-only /run, apply" apply "${SECOND[@]}"
run 0 check
umount /run
ck_state "$WORK/new" "a read-only /run"
reset "read-only places"
# No journal yet, and no place for it.
mv /var/lib/tcptune "$WORK/journal.d"
read_only /var/lib
as_foreseen "can't write the journal" "a read-only /var/lib without a journal" apply "${FIRST[@]}"
umount /var/lib
[[ ! -e /var/lib/tcptune ]] || fail "a folder for a journal that was never written"
ck_state "$WORK/old" "a read-only /var/lib without a journal"

# --- full -----------------------------------------------------------------------------------------------------------

mount -t tmpfs -o nr_inodes=1 tmpfs /var/lib
as_foreseen "can't write the journal .*No space left on device .df and df -i show it.$" "no inode for the journal's folder" \
	apply "${FIRST[@]}"
umount /var/lib
mount -t tmpfs -o nr_inodes=2 tmpfs /var/lib
refused 3 "can't write the journal .*No space left" "no inode for the journal" apply "${FIRST[@]}"
umount /var/lib
mount -t tmpfs -o size=4k tmpfs /var/lib
fill /var/lib
as_foreseen "can't write the journal .*No space left" "no room for the journal's first record" apply "${FIRST[@]}"
[[ ! -s $JOURNAL ]] || fail "a torn record is left in the journal"
ck_state "$WORK/old" "no room for the journal"
nothing_open "no room for the journal"
rm /var/lib/.fill
run 0 apply "${FIRST[@]}"
ck_state "$WORK/new" "room for the journal again"
reset "room for the journal again"
umount /var/lib
mv "$WORK/journal.d" /var/lib/tcptune

mount -t tmpfs -o nr_inodes=1 tmpfs /etc/sysctl.d
as_foreseen "can't write /etc/sysctl.d/99-tcptune.conf: No space left" "no inode for the drop-in" apply "${FIRST[@]}"
umount /etc/sysctl.d
mount -t tmpfs -o size=16k tmpfs /etc/sysctl.d
fill /etc/sysctl.d
run 3 apply "${FIRST[@]}"
one_line "can't write /etc/sysctl.d/99-tcptune.conf: No space left" "no room for the drop-in"
untouched "no room for the drop-in"
rm /etc/sysctl.d/.fill
run 0 apply "${FIRST[@]}"
ck_state "$WORK/new" "room for the drop-in again"
# A full disk can't stand in the way of taking it back.
fill /etc/sysctl.d
run 0 rollback
rm /etc/sysctl.d/.fill
ck_state "$WORK/old" "taken back on a full disk"
umount /etc/sysctl.d

# Below a journal that exists: at whichever record the room ends.
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

# --- quotas, limits --------------------------------------------------------------------------------------------------

# A quota's EDQUOT comes at the same calls as ENOSPC. This kernel need not have quotas: the call is made to fail.
traced -P /etc/sysctl.d/.99-tcptune.conf.new -e inject=write:error=EDQUOT:when=1 -- apply "${FIRST[@]}"
[[ $code == 3 ]] || fail "a quota at the drop-in: exit $code"
one_line "can't write /etc/sysctl.d/99-tcptune.conf: Disk quota exceeded" "a quota at the drop-in"
no_leftovers "a quota at the drop-in"
ck_state "$WORK/old" "a quota at the drop-in"
traced -P .99-tcptune.conf.new -e trace=openat -e inject=openat:error=EDQUOT:when=1 -- apply "${FIRST[@]}"
[[ $code == 3 ]] || fail "a quota of files at the drop-in: exit $code"
one_line "can't write /etc/sysctl.d/99-tcptune.conf: Disk quota exceeded" "a quota of files at the drop-in"
ck_state "$WORK/old" "a quota of files at the drop-in"
for when in 1 2; do # the first record, the last one
	traced -P $JOURNAL -e inject=write:error=EDQUOT:when=$when -- apply "${FIRST[@]}"
	[[ $code == 3 ]] || fail "a quota at record $when of the journal: exit $code"
	one_line "can't write the journal .*Disk quota exceeded" "a quota at record $when of the journal"
	ck_state "$WORK/old" "a quota at record $when of the journal"
	untouched "a quota at record $when of the journal"
done
# Half of a record was written when the room ended: it is cut off again.
size=$(stat -c %s $JOURNAL)
(ulimit -f $((size / 1024)) && exec "$TCPTUNE" apply "${FIRST[@]}" 2>&1 >/dev/null | cat >"$WORK/err")
one_line "can't write the journal .*File too large .see ulimit -f." "a limit of file sizes at the journal"
[[ $(stat -c %s $JOURNAL) == "$size" ]] || fail "a limit of file sizes tears the journal"
(ulimit -f $((size / 1024)) && exec "$TCPTUNE" apply "${FIRST[@]}" >/dev/null 2>&1)
code=$?
[[ $code == 3 ]] || fail "a limit of file sizes: exit $code" # not 153, the signal
ck_state "$WORK/old" "a limit of file sizes at the journal"
(ulimit -f 0 && exec "$TCPTUNE" apply "${FIRST[@]}" >/dev/null 2>&1)
code=$?
[[ $code == 3 ]] || fail "no files at all: exit $code"
ck_state "$WORK/old" "no files at all"

# --- immutable, append-only ------------------------------------------------------------------------------------------

attributes="" # where there are such
mount -t tmpfs tmpfs /etc/sysctl.d
if command -v mkfs.ext4 >/dev/null && ext4 /etc/sysctl.d; then
	attributes=ext4
elif : >/etc/sysctl.d/probe && chattr +i /etc/sysctl.d/probe 2>/dev/null; then
	attributes=tmpfs
	chattr -i /etc/sysctl.d/probe && rm /etc/sysctl.d/probe
fi
if [[ -n $attributes ]]; then
	rm -rf /etc/sysctl.d/lost+found
	state >"$WORK/old.ext4"
	chattr +i /etc/sysctl.d
	as_foreseen "can't write /etc/sysctl.d/99-tcptune.conf: Operation not permitted .immutable or append-only. lsattr shows it.$" \
		"an immutable folder" apply "${FIRST[@]}"
	chattr -i /etc/sysctl.d
	ck_state "$WORK/old.ext4" "an immutable folder"
	run 0 apply "${FIRST[@]}"
	state >"$WORK/new.ext4"
	for flag in i a; do
		chattr +$flag $DROP_IN
		as_foreseen "can't write .*Operation not permitted" "a drop-in with +$flag" apply "${SECOND[@]}"
		as_foreseen "can't remove .*Operation not permitted" "a drop-in with +$flag, on the way back" rollback
		chattr -$flag $DROP_IN
		ck_state "$WORK/new.ext4" "a drop-in with +$flag"
		nothing_open "a drop-in with +$flag"
	done
	chattr +a /etc/sysctl.d # names may be added, but not replaced or removed: the temporary file can't be, either
	run 3 apply "${SECOND[@]}"
	one_line "can't write .*Operation not permitted" "an append-only folder"
	chattr -a /etc/sysctl.d
	run 0 rollback # sweeps what had to stay
	no_leftovers "an append-only folder"
	ck_state "$WORK/old.ext4" "after an append-only folder"

	# The journal may be append-only: that is how it is written. Only a torn record can't be cut off then.
	mount --bind /etc/sysctl.d /var/lib/tcptune && rm -f $JOURNAL
	run 0 apply --profile "$WORK/first.yaml"
	chattr +a $JOURNAL
	run 0 apply --profile "$WORK/second.yaml"
	run 0 rollback
	run 0 rollback
	untouched "an append-only journal"
	chattr -a $JOURNAL
	printf 'torn' >>$JOURNAL
	chattr +a $JOURNAL
	run 0 history --json
	json .torn
	run 3 apply --profile "$WORK/first.yaml"
	grep -q "can't write the journal .*Operation not permitted .immutable or append-only" "$WORK/err" ||
		fail "a torn append-only journal is not told"
	untouched "a torn append-only journal"
	chattr -a $JOURNAL
	run 0 apply --profile "$WORK/first.yaml"
	chattr +i $JOURNAL
	as_foreseen "can't write the journal .*Operation not permitted" "an immutable journal" rollback
	run 0 apply --profile "$WORK/first.yaml" # nothing to do
	chattr -i $JOURNAL
	run 0 rollback
	untouched "an immutable journal"
	umount /var/lib/tcptune
	[[ $attributes == ext4 ]] && umount /etc/sysctl.d
else
	echo "note: no file system here knows immutable files"
fi
umount /etc/sysctl.d
rm -rf "$WORK/journal.d"

# --- the folder itself -----------------------------------------------------------------------------------------------

# Missing: it is made, and stays when all is taken back; it belongs to every host that knows sysctl.d.
rmdir /etc/sysctl.d
(umask 0777 && run 0 apply "${FIRST[@]}")
[[ $(stat -c %a:%u:%g /etc/sysctl.d) == 755:0:0 && $(stat -c %a:%u:%g $DROP_IN) == 644:0:0 ]] || fail "modes of what is made"
reset "a missing folder"
[[ -d /etc/sysctl.d ]] || fail "the folder that was made is gone"
rmdir /etc/sysctl.d
traced -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:error=EIO:when=1 -- apply "${FIRST[@]}"
[[ $code == 3 ]] || fail "a failure with a new folder: exit $code"
ck_state "$WORK/old" "a failure with a new folder"

# A link to a folder, or one above it: followed, as the boot appliers do.
rmdir /etc/sysctl.d
mkdir -p /etc/conf/sysctl.d
ln -s conf/sysctl.d /etc/sysctl.d
run 0 apply "${FIRST[@]}"
run 0 check
[[ -f /etc/conf/sysctl.d/99-tcptune.conf && -L /etc/sysctl.d ]] || fail "a link to a folder is not followed"
reset "a link to a folder"
[[ -L /etc/sysctl.d ]] || fail "the link to a folder was replaced"
mv /var/lib/tcptune /var/lib/real
ln -s real /var/lib/tcptune
run 0 apply "${FIRST[@]}"
[[ -L /var/lib/tcptune ]] || fail "the journal's folder was a link"
reset "a link to the journal's folder"
rm /var/lib/tcptune
mv /var/lib/real /var/lib/tcptune
rm /etc/sysctl.d
ln -s nowhere /etc/sysctl.d
as_foreseen '/etc/sysctl.d is not a folder, nor a symbolic link to one' "a link to nothing" apply "${FIRST[@]}"
untouched "a link to nothing"
rm /etc/sysctl.d
: >/etc/sysctl.d
as_foreseen '/etc/sysctl.d is not a folder' "a file in the folder's place" apply "${FIRST[@]}"
rm /etc/sysctl.d
ln -s sysctl.d /etc/sysctl.d
as_foreseen '/etc/sysctl.d is not a folder' "a link to itself" apply "${FIRST[@]}"
rm /etc/sysctl.d
mkdir /etc/sysctl.d
ck_state "$WORK/old" "strange folders"

# The journal and the lock in other shapes.
mv $JOURNAL "$WORK/journal"
ln -s "$WORK/journal" $JOURNAL
refused 3 "/var/lib/tcptune/journal: Too many levels of symbolic links" "a journal that is a link" apply "${FIRST[@]}"
rm $JOURNAL
mkfifo $JOURNAL
refused 2 "/var/lib/tcptune/journal is not a regular file" "a journal that is a pipe" apply "${FIRST[@]}"
rm $JOURNAL
mkdir $JOURNAL
refused 2 "/var/lib/tcptune/journal is not a regular file" "a journal that is a folder" apply "${FIRST[@]}"
rmdir $JOURNAL
cp "$WORK/journal" $JOURNAL
chmod 666 $JOURNAL
refused 2 "can be written by others than root" "a journal of everybody" apply "${FIRST[@]}"
rm $JOURNAL
mv "$WORK/journal" $JOURNAL
rm /run/tcptune.lock
ln -s "$WORK/elsewhere" /run/tcptune.lock
refused 3 "can't lock /run/tcptune.lock" "a lock that is a link" apply "${FIRST[@]}"
[[ ! -e $WORK/elsewhere ]] || fail "a lock's link was followed"
rm /run/tcptune.lock
mkdir /run/tcptune.lock
refused 3 "can't lock /run/tcptune.lock: Is a directory" "a lock that is a folder" apply "${FIRST[@]}"
rmdir /run/tcptune.lock
untouched "strange journals and locks"
run 0 apply "${FIRST[@]}"
ck_state "$WORK/new" "after all that"
reset "after all that"

# --- the journal is gone, and our drop-in stands ---------------------------------------------------------------------

lost="tcptune wrote $DROP_IN, but its journal $JOURNAL doesn't know of it (lost?), so it can't be rolled back: bring the \
journal back, or remove that file and apply again"
told() { # EXIT WHAT WORDS...: the one line on standard error
	local code=$1 what=$2
	shift 2
	run "$code" "$@"
	[[ $(sed 's/^tcptune: \(refused, nothing was changed: \)\?//' "$WORK/err") == "$lost" ]] || fail "$what doesn't tell that the journal is lost"
	ck_state "$WORK/new" "$what, the journal lost"
	[[ ! -e $JOURNAL ]] || fail "$what makes a journal"
}
cat >"$WORK/half.yaml" <<'YAML'
schema: tcptune.profile.v1
name: half
summary: Nothing that needs another line
settings:
  net.core.somaxconn: { at_least: 16384, because: the cap on listen() }
YAML
run 0 apply "${FIRST[@]}"
mv /var/lib/tcptune "$WORK/journal.d"
told 2 "check" check
told 3 "apply" apply "${FIRST[@]}"
told 3 "apply of another" apply "${SECOND[@]}"
told 3 "a dry run" apply "${SECOND[@]}" --dry-run --json
json '.refused | length == 1 and .[0].kind == "drop-in"'
told 0 "rollback" rollback
told 0 "rollback --json" rollback --json
json '(.changed | not)'
told 0 "history" history
[[ ! -s $WORK/out ]] || fail "history says that nothing was applied"
told 0 "history --json" history --json
run 0 apply --profile "$WORK/first.yaml" --no-persist # live values are as asked
# Brought back, all is as before.
mv "$WORK/journal.d" /var/lib/tcptune
run 0 check
run 0 history
[[ ! -s $WORK/err ]] || fail "a journal that was brought back is told to be lost"
# As it is said: the values of now count as found.
rm -r /var/lib/tcptune $DROP_IN
run 0 apply --profile "$WORK/half.yaml" --persist
run 0 check
[[ ! -s $WORK/err ]] || fail "said, although it is put right"
grep -qx 'net.core.somaxconn = 16384' $DROP_IN || fail "the line is not written anew"
rm -r /var/lib/tcptune
# Nothing to do, but it is said.
run 0 apply --profile "$WORK/half.yaml" --persist
one_line "doesn't know of it" "nothing to do"
run 0 check --profile "$WORK/half.yaml"
run 0 check --profile "$WORK/half.yaml" --quiet
[[ ! -s $WORK/err ]] || fail "--quiet says it"
rm $DROP_IN
run 0 rollback
[[ ! -s $WORK/err ]] || fail "said without a drop-in"
