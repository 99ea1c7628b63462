#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154 # jq has variables of its own; code is set by what is sourced
# What is found in the drop-in's place: links, pipes, what tcptune didn't write; and what is kept of a drop-in that is
# replaced: owner, mode, access list, extended attributes, whatever the umask; also after undo and recovery.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=../hard.sh
. "$(dirname "$0")/../hard.sh"

# --- not a file of ours ----------------------------------------------------------------------------------------------

# strange PATTERN WHAT: refused on apply, in a dry run and with --no-live; live values alone can be had.
strange() {
	local before after
	before=$(find $DROP_IN -printf '%y %l %s %n %i')
	refused 3 "$1" "$2" apply "${FIRST[@]}"
	refused 3 "$1" "$2, a dry run" apply "${FIRST[@]}" --dry-run
	refused 3 "$1" "$2, files alone" apply "${FIRST[@]}" --no-live
	after=$(find $DROP_IN -printf '%y %l %s %n %i')
	[[ $before == "$after" ]] || fail "$2 was touched: $before, then $after"
	untouched "$2"
	run 0 apply --profile "$WORK/first.yaml" --no-persist
	run 0 rollback
	untouched "$2, live values alone"
}

echo "# mine" >"$WORK/mine"
ln -s "$WORK/mine" $DROP_IN
strange '99-tcptune.conf is a symbolic link: tcptune writes only its own regular file; remove it$' "a link to a file"
[[ $(cat "$WORK/mine") == "# mine" ]] || fail "a link to a file was followed"
ln -sfn /nowhere/at/all $DROP_IN
strange 'is a symbolic link' "a dangling link"
ln -sfn /dev/null $DROP_IN # masks a file of this name in other folders
strange 'is a symbolic link' "a mask"
# Of an image it is that file that is to be removed, not the host's.
mkdir -p "$WORK/image/etc/sysctl.d"
ln -s /dev/null "$WORK/image$DROP_IN"
refused 3 "^tcptune: $WORK/image$DROP_IN is a symbolic link: .*; remove it$" "a link in an image" \
	apply --root "$WORK/image" --set net.core.somaxconn=8192
rm "$WORK/image$DROP_IN"
echo "net.core.somaxconn = 1" >"$WORK/image$DROP_IN"
refused 3 "nothing was changed: $WORK/image$DROP_IN isn't what tcptune wrote: .*, remove it, and apply again$" \
	"a drop-in of somebody else in an image" apply --root "$WORK/image" --set net.core.somaxconn=8192
rm -r "$WORK/image"
rm $DROP_IN
mkdir $DROP_IN
strange '99-tcptune.conf is not a regular file$' "a folder"
rmdir $DROP_IN
mkfifo $DROP_IN
strange 'is not a regular file$' "a pipe"
exec 8<>$DROP_IN # one that somebody could still write to: nobody must wait for that
strange 'is not a regular file$' "a pipe with a writer"
exec 8>&-
rm $DROP_IN
head -c 1048577 /dev/zero | tr '\0' '#' >$DROP_IN
strange 'is larger than 1 MiB: tcptune didn.t write it$' "a drop-in that is too large"
truncate -s 8G $DROP_IN
strange 'is larger than 1 MiB' "a drop-in that is far too large"
printf '# Written by tcptune\n\0\n' >$DROP_IN
strange 'there is a NUL in it$' "a drop-in with a NUL"
echo "net.core.somaxconn = 1" >$DROP_IN
strange "isn't what tcptune wrote: move its lines to a file with a name of your own" "a drop-in that somebody else wrote"
rm $DROP_IN
# Unreadable: root reads everything but what the file system doesn't give.
run 0 apply "${FIRST[@]}"
state >"$WORK/new"
for error in EACCES EIO ESTALE; do
	traced -P 99-tcptune.conf -e trace=openat -e inject=openat:error=$error -- apply "${SECOND[@]}"
	[[ $code == 3 ]] || fail "a drop-in with $error: exit $code"
	one_line '99-tcptune.conf' "a drop-in with $error"
	ck_state "$WORK/new" "a drop-in with $error"
	traced -P $DROP_IN -e trace=read -e inject=read:error=$error -- rollback
	[[ $code == 3 ]] || fail "a drop-in with $error when it is read, rollback: exit $code"
	one_line '99-tcptune.conf' "a drop-in with $error when it is read, rollback"
	ck_state "$WORK/new" "a drop-in with $error, rollback"
done
nothing_open "unreadable drop-ins"

# Something else has taken its place since: the live values go back, it is named and left; --force is for later.
run 0 rollback
for kind in link folder; do
	run 0 apply "${FIRST[@]}"
	mv $DROP_IN "$WORK/away"
	if [[ $kind == link ]]; then ln -s "$WORK/away" $DROP_IN; else mkdir $DROP_IN; fi
	run 1 rollback --json
	json '.changed and (.conflicts | length) == 1 and .conflicts[0].key == null'
	[[ -L $DROP_IN || -d $DROP_IN ]] || fail "a $kind in the drop-in's place was replaced"
	untouched "a $kind in the drop-in's place"
	run 1 rollback --force --json # that isn't ours to remove, by no force
	json '(.changed | not) and (.conflicts | length) == 1'
	if [[ $kind == link ]]; then rm $DROP_IN; else rmdir $DROP_IN; fi
	mv "$WORK/away" $DROP_IN
	run 0 rollback --force
	ck_state "$WORK/old" "a $kind in the drop-in's place, and then itself again"
done
run 0 apply "${FIRST[@]}"

# A second name for it (a backup, rdiff-backup's or rsnapshot's): the rename gives the name to a new file, the other name
# keeps the old content. Writing in place would have changed both.
ln $DROP_IN /etc/backup
cp $DROP_IN "$WORK/backup.copy"
run 0 apply "${SECOND[@]}"
cmp -s /etc/backup "$WORK/backup.copy" || fail "the drop-in's other name has changed"
[[ $(stat -c %h $DROP_IN) == 1 && $(stat -c %h /etc/backup) == 1 ]] || fail "a drop-in shared with another name"
run 0 rollback
ck_state "$WORK/new" "a drop-in with a second name"
rm /etc/backup
# Also when it fails after the rename: the very file comes back, its other name with it.
ln $DROP_IN /etc/backup
traced -P /proc/sys/net/ipv4/tcp_tw_reuse -e inject=write:error=EIO:when=1 -- apply "${SECOND[@]}"
[[ $code == 3 ]] || fail "a failure after the rename: exit $code"
[[ $DROP_IN -ef /etc/backup ]] || fail "not the file itself was put back"
ck_state "$WORK/new" "a failure after the rename"
rm /etc/backup
reset "strange drop-ins"

# --- what is kept ----------------------------------------------------------------------------------------------------

cat >"$WORK/attributes.py" <<'PYTHON'
"""attributes.py FILE set: give it all kinds of attributes. attributes.py FILE: print what it has, sorted."""
import os
import struct
import sys

ACL = "system.posix_acl_access"


def acl():
    """user::rw-, user:1234:r--, group::r--, mask::r--, other::---"""
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 1234), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


path = sys.argv[1]
if len(sys.argv) > 2:
    os.chown(path, 12, 34)
    os.chmod(path, 0o640)
    for name, value in {
        "user.origin": b"by hand \0 and binary",
        "trusted.overlay": b"y",
        "security.selinux": b"system_u:object_r:system_conf_t:s0\0",
        "security.label": b"",
        ACL: acl(),
    }.items():
        try:
            os.setxattr(path, name, value)
        except OSError as error:
            print(f"note: no {name} here: {error.strerror}", file=sys.stderr)
status = os.lstat(path)
print(oct(status.st_mode), status.st_uid, status.st_gid)
for name in sorted(os.listxattr(path)):
    print(name, os.getxattr(path, name))
PYTHON
attributes() { python3 "$WORK/attributes.py" "$@" || fail "attributes of $1"; }
ck_kept() { # WHAT
	attributes $DROP_IN >"$WORK/has"
	diff -u "$WORK/had" "$WORK/has" >&2 || fail "attributes after $1"
}

kept() { # WHAT
	run 0 apply "${FIRST[@]}"
	state >"$WORK/new"
	attributes $DROP_IN set >"$WORK/had" 2>"$WORK/notes"
	grep -q '^security.selinux' "$WORK/had" || fail "no extended attributes at all on $1"
	cat "$WORK/notes"
	(umask 0777 && run 0 apply "${SECOND[@]}")
	ck_kept "an apply on $1"
	state >"$WORK/second"
	(umask 0 && run 0 rollback)
	ck_kept "a rollback on $1"
	ck_state "$WORK/new" "a rollback on $1"

	traced -P /proc/sys/net/ipv4/tcp_tw_reuse -e inject=write:error=EIO:when=1 -- apply "${SECOND[@]}"
	[[ $code == 3 ]] || fail "a failed apply on $1: exit $code"
	ck_kept "a failed apply on $1"
	traced -P /proc/sys/net/ipv4/tcp_tw_reuse -e inject=write:signal=KILL:when=1 -- apply "${SECOND[@]}"
	[[ $code == 137 ]] || fail "a killed apply on $1: exit $code"
	ck_kept "a killed apply on $1"
	run 0 rollback
	ck_kept "a recovery on $1"
	ck_state "$WORK/new" "a recovery on $1"
	# Killed, and the old file that was kept for it is gone as well: it is made from the journal.
	traced -P /proc/sys/net/ipv4/tcp_tw_reuse -e inject=write:signal=KILL:when=1 -- apply "${SECOND[@]}"
	rm -f /etc/sysctl.d/.99-tcptune.conf.old
	run 0 rollback
	ck_kept "a recovery without the old file on $1"
	ck_state "$WORK/new" "a recovery without the old file on $1"

	# An attribute that can't be given to the new file refuses it: no drop-in loses its label in silence.
	traced -e trace=fsetxattr -e inject=fsetxattr:error=EPERM:when=1 -- apply "${SECOND[@]}"
	[[ $code == 3 ]] || fail "a refused attribute on $1: exit $code"
	ck_kept "a refused attribute on $1"
	ck_state "$WORK/new" "a refused attribute on $1"
	traced -e trace=fchown -e inject=fchown:error=EPERM:when=1 -- apply "${SECOND[@]}"
	[[ $code == 3 ]] || fail "a refused owner on $1: exit $code"
	ck_kept "a refused owner on $1"
	run 0 rollback
}

if command -v python3 >/dev/null; then
	mount -t tmpfs tmpfs /etc/sysctl.d
	kept tmpfs
	umount /etc/sysctl.d
	if command -v mkfs.ext4 >/dev/null && ext4 /etc/sysctl.d; then
		kept ext4
		# The folder's default list isn't the old file's: a drop-in without a list stays one.
		run 0 apply "${FIRST[@]}"
		attributes $DROP_IN >"$WORK/had"
		python3 -c '
import os, struct
entries = [(1, 6, 2**32 - 1), (2, 6, 1234), (4, 4, 2**32 - 1), (16, 6, 2**32 - 1), (32, 4, 2**32 - 1)]
os.setxattr("/etc/sysctl.d", "system.posix_acl_default",
            struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))' || fail "a default list"
		run 0 apply "${SECOND[@]}"
		ck_kept "a folder with a default list"
		run 0 rollback
		run 0 rollback
		umount /etc/sysctl.d
	else
		echo "note: no ext4 in a file here"
	fi
else
	echo "note: no python3: attributes are not looked at"
fi

# A new one, whatever the umask: for everybody to read, for root to write.
for mask in 0777 0 077; do
	(umask $mask && run 0 apply "${FIRST[@]}") || exit 1
	[[ $(stat -c %a:%u:%g $DROP_IN) == 644:0:0 ]] || fail "a new drop-in with umask $mask: $(stat -c %a:%u:%g $DROP_IN)"
	[[ $(stat -c %a $JOURNAL) == 644 ]] || fail "the journal with umask $mask"
	reset "umask $mask"
done
