#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031 # jq has variables of its own; a subshell's environment is meant
# The transaction on a real kernel: apply, check, history, rollback; what the boot appliers make of the drop-in; and
# what is left after every kind of failure: always the old state or the new one.
#
# TCPTUNE: the program. Everything happens in a network and a mount namespace made here, with tmpfs of their own over
# /etc/sysctl.d, the vendors' sysctl.d folders, /var/lib and /run.
set -u

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	[[ -s $WORK/out ]] && sed 's/^/  out: /' "$WORK/out" >&2
	[[ -s $WORK/err ]] && sed 's/^/  err: /' "$WORK/err" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

if [[ ${1-} != inside ]]; then
	: "${TCPTUNE:?the program to test}"
	TCPTUNE=$(realpath "$TCPTUNE")
	: "${TCPLAB:?the actor of the lab}"
	TCPLAB=$(realpath "$TCPLAB")
	export TCPTUNE TCPLAB
	for tool in jq strace unshare sysctl; do
		command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
		command -v "$tool" >/dev/null || skip "$tool is needed"
	done
	unshare -n -m true 2>/dev/null || skip "may not make namespaces"
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/tct-transaction.XXXXXX") || exit 1
	export WORK PATH
	trap 'rm -rf "$WORK"' EXIT
	unshare -n -m --propagation private "$BASH" "$0" inside
	exit
fi

# --- the stage -----------------------------------------------------------------------------------------------------

mkdir -p "$WORK"/{etc,vendor,local}
cp -a /etc/passwd /etc/group /etc/nsswitch.conf "$WORK/etc/" 2>/dev/null
[[ -e /etc/ld.so.cache ]] && cp -a /etc/ld.so.cache "$WORK/etc/"
[[ -e /etc/alternatives ]] && cp -a /etc/alternatives "$WORK/etc/"
mkdir "$WORK/etc/sysctl.d"
: >"$WORK/etc/sysctl.conf"
mount --bind "$WORK/etc" /etc || fail "mount /etc"
for dir in /usr/lib/sysctl.d /lib/sysctl.d; do
	[[ -d $dir ]] && { mount -t tmpfs tmpfs "$dir" || fail "mount $dir"; }
done
[[ -d /usr/local/lib/sysctl.d ]] && mount -t tmpfs tmpfs /usr/local/lib/sysctl.d
mount -t tmpfs tmpfs /var/lib || fail "mount /var/lib"
mount -t tmpfs tmpfs /run || fail "mount /run"
mkdir -p /run/systemd/system # systemd's order counts
ip link set lo up 2>/dev/null

DROP_IN=/etc/sysctl.d/99-tcptune.conf
JOURNAL=/var/lib/tcptune/journal
KEYS=(net/core/somaxconn net/ipv4/tcp_fin_timeout net/ipv4/tcp_rmem net/ipv4/tcp_keepalive_time
	net/ipv4/tcp_invalid_ratelimit net/ipv4/ip_local_port_range net/ipv4/ip_unprivileged_port_start
	net/ipv4/tcp_timestamps net/ipv4/tcp_tw_reuse)

cat >"$WORK/first.yaml" <<'YAML'
schema: tcptune.profile.v1
name: first
summary: Some of each kind
settings:
  net.core.somaxconn: { at_least: 16384, because: the cap on listen() }
  net.ipv4.tcp_fin_timeout: { at_most: 30s, because: orphans }
  net.ipv4.tcp_rmem: { at_least: [keep, keep, 67108864], because: three fields }
  net.ipv4.tcp_keepalive_time: { set: 600s, because: found sooner }
  net.ipv4.tcp_invalid_ratelimit: { set: 5ms, because: the kernel rounds it up }
  net.ipv4.ip_unprivileged_port_start: { set: 40000, because: only after the range }
  net.ipv4.ip_local_port_range: { set: [40000, 60999], because: only before the start }
YAML
cat >"$WORK/second.yaml" <<'YAML'
schema: tcptune.profile.v1
name: second
summary: Another host
settings:
  net.core.somaxconn: { at_least: 32768, because: more }
  net.ipv4.tcp_keepalive_time: { set: 600s, because: the same }
  net.ipv4.tcp_tw_reuse: { set: 1, because: outgoing }
YAML
FIRST=(--profile "$WORK/first.yaml" --persist)
SECOND=(--profile "$WORK/second.yaml" --persist)

run() { # EXPECTED_EXIT WORDS...
	local expected=$1 code=0
	shift
	"$TCPTUNE" "$@" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == "$expected" ]] || fail "tcptune $*: exit $code, not $expected"
}

json() { # FILTER: must hold for the last output
	jq -e "$1" "$WORK/out" >/dev/null || fail "not so: $1"
}

values() {
	local key
	for key in "${KEYS[@]}"; do
		printf '%s = %s\n' "$key" "$(tr '\t' ' ' <"/proc/sys/$key")"
	done
}

# Live values, our drop-in's lines, and every other name in the folder.
state() {
	values
	echo "-- drop-in"
	[[ -e $DROP_IN ]] && grep -v -e '^#' -e '^$' "$DROP_IN"
	echo "-- folder"
	ls -A /etc/sysctl.d
}

ck_state() { # FILE WHAT
	state >"$WORK/now"
	diff -u "$1" "$WORK/now" >"$WORK/diff" || {
		cat "$WORK/diff" >&2
		fail "$2"
	}
}

# Undo whatever stands, so that the next case begins with the old state.
reset() {
	local i
	for i in 1 2 3 4; do
		"$TCPTUNE" rollback --json >"$WORK/out" 2>"$WORK/err" || fail "rollback while resetting"
		[[ $(jq .changed "$WORK/out") == true ]] || break
	done
	ck_state "$WORK/old" "the old state after $1"
}

traced() { # STRACE'S WORDS... -- WORDS...: the exit code is in $code
	local words=()
	while [[ $1 != -- ]]; do words+=("$1") && shift; done
	shift
	code=0
	# The leak checker can't work under strace. The subshell keeps bash from telling who was killed.
	(
		[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
		strace -f -o "$WORK/trace" "${words[@]}" "$TCPTUNE" "$@" >"$WORK/out" 2>"$WORK/err"
	) 2>/dev/null || code=$?
}

set_value() { echo "$2" >"/proc/sys/$1"; }

state >"$WORK/old"

# --- apply, check, history, rollback -------------------------------------------------------------------------------

run 1 apply "${FIRST[@]}" --dry-run --json
json '.schema == "tcptune.plan.v1" and .changed and .transaction == null and (.settings | length) == 7'
ck_state "$WORK/old" "a dry run changes nothing"
[[ ! -e /var/lib/tcptune ]] || fail "a dry run makes no journal"
run 1 check --profile "$WORK/first.yaml"

run 0 apply "${FIRST[@]}" --reason $'noon\nkernel.panic = 1' --json
json '.schema == "tcptune.apply.v1" and .changed and .transaction == 1 and (.rolled_back | not)'
json '[.settings[] | select(.key == "net.core.somaxconn")][0] | .after == 16384 and .live_written and .persisted'
json '.drop_in.before_sha256 == null and (.drop_in.after_sha256 | length) == 64'
[[ $(sha256sum <$DROP_IN) == "$(jq -r .drop_in.after_sha256 "$WORK/out")"* ]] || fail "sha256 of the drop-in"
state >"$WORK/new"
grep -qx 'net/core/somaxconn = 16384' "$WORK/new" || fail "somaxconn is not 16384"
grep -qx 'net/ipv4/tcp_fin_timeout = 30' "$WORK/new" || fail "tcp_fin_timeout is not 30"
grep -qx 'net/ipv4/ip_local_port_range = 40000 60999' "$WORK/new" || fail "the port range"
grep -qx 'net/ipv4/ip_unprivileged_port_start = 40000' "$WORK/new" || fail "the first unprivileged port"
grep -q '^net.ipv4.tcp_rmem = .* 67108864$' $DROP_IN || fail "tcp_rmem in the drop-in"
grep -qx '# Reason: noon kernel.panic = 1' $DROP_IN || fail "the reason is one comment"
[[ $(stat -c %a $DROP_IN) == 644 && $(stat -c %a $JOURNAL) == 600 && $(stat -c %a /var/lib/tcptune) == 700 ]] ||
	fail "modes"
run 0 check --profile "$WORK/first.yaml" --json
json '.conforms and .live_looked'
run 0 check

# The second time: nothing at all is written.
cp $JOURNAL "$WORK/journal"
traced -e trace=write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir \
	-e trace=mkdirat,ftruncate,fchmod,fchown -- apply "${FIRST[@]}" --reason "another reason" --json
[[ $code == 0 ]] || fail "the second apply"
json '(.changed | not) and .transaction == null'
grep -v -e '^[0-9]* *write(1,' -e '+++' "$WORK/trace" && fail "the second apply writes"
cmp -s $JOURNAL "$WORK/journal" || fail "the second apply touched the journal"
ck_state "$WORK/new" "the second apply changes nothing"

# The boot appliers take it without a complaint, and give what was promised.
appliers=("sysctl --system")
for program in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
	[[ -x $program ]] && appliers+=("$program") && break
done
for applier in "${appliers[@]}"; do
	unshare -n "$BASH" -c '
		cd / || exit 1
		'"$applier"' >"$WORK/out" 2>"$WORK/err" || { echo "exit $?"; exit 1; }
		[[ ! -s $WORK/err ]] || { echo "complains"; exit 1; }
		for key in net/core/somaxconn net/ipv4/tcp_fin_timeout net/ipv4/tcp_rmem net/ipv4/tcp_keepalive_time \
			net/ipv4/tcp_invalid_ratelimit; do
			printf "%s = %s\n" "$key" "$(tr "\t" " " <"/proc/sys/$key")"
		done' >"$WORK/booted" || fail "$applier: $(cat "$WORK/booted")"
	while read -r line; do
		grep -qxF "$line" "$WORK/new" || fail "$applier gives '$line'"
	done <"$WORK/booted"
done

# A profile change goes straight from old to new; what only the first set goes back.
run 0 apply "${SECOND[@]}" --json
json '.transaction == 2 and ([.settings[].key] | index("net.ipv4.tcp_keepalive_time") | not)'
grep -q '^net.ipv4.tcp_fin_timeout' $DROP_IN && fail "a line of the first profile is left"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 60 ]] || fail "tcp_fin_timeout didn't go back"
[[ $(</proc/sys/net/core/somaxconn) == 32768 ]] || fail "somaxconn is not 32768"
[[ $(</proc/sys/net/ipv4/ip_unprivileged_port_start) == 1024 ]] || fail "the first unprivileged port didn't go back"
run 0 check
run 0 rollback --json
json '.schema == "tcptune.rollback.v1" and .changed and .undid == 2 and (.conflicts | length) == 0'
ck_state "$WORK/new" "rollback of the second gives the first"
run 0 check
run 0 rollback
ck_state "$WORK/old" "rollback of the first gives the old state"
[[ ! -e $DROP_IN ]] || fail "the drop-in is still there"
run 0 rollback --json
json '(.changed | not) and .undid == null'
run 0 history --json
json '[.transactions[] | select(.kind == "apply") | .state] | unique == ["rolled-back"]'
json '(.transactions | length) == 4 and .transactions[3].reason == "noon kernel.panic = 1"'

# An older transaction: what a later one has, stays; the later one then goes back to the very beginning.
run 0 apply "${FIRST[@]}"
run 0 apply "${SECOND[@]}"
first=$("$TCPTUNE" history --json | jq '[.transactions[] | select(.kind == "apply" and .state == "committed")] | last | .id')
state >"$WORK/both"
run 0 rollback "$first"
ck_state "$WORK/both" "the later transaction has them all"
run 0 rollback
ck_state "$WORK/old" "then back to the beginning"

# --- who must listen() again ---------------------------------------------------------------------------------------

"$TCPLAB" listen --address 127.0.0.1 --port 7100 --backlog 65535 --for 30 >"$WORK/capped" &
capped=$!
"$TCPLAB" listen --address 127.0.0.1 --port 7101 --backlog 100 --for 30 >"$WORK/modest" &
modest=$!
for ((i = 0; i < 200; i++)); do
	[[ -s $WORK/capped && -s $WORK/modest ]] && break
	sleep 0.02
done
run 1 apply "${FIRST[@]}" --dry-run --json
json '[.restart_needed[] | {address, port, backlog}] == [{address: "127.0.0.1", port: 7100, backlog: 4096}]'
run 0 apply "${FIRST[@]}" --json
json '[.restart_needed[].port] == [7100]'
run 0 apply "${FIRST[@]}" --json
json '.restart_needed == []'
kill "$capped" "$modest"
wait "$capped" "$modest"
run 0 rollback
ck_state "$WORK/old" "listeners or not"

# --- three ways ----------------------------------------------------------------------------------------------------

run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 0 check # at_most 30: 25 is as good, and is the baseline now
run 1 rollback --json
json '[.conflicts[].key] == ["net.ipv4.tcp_fin_timeout"] and .conflicts[0].now == 25 and .conflicts[0].before == 60'
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 25 ]] || fail "a conflict must be left alone"
set_value net/ipv4/tcp_fin_timeout 60
ck_state "$WORK/old" "all but the conflict went back"

run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 0 rollback --force --json
json '(.conflicts | length) == 0'
ck_state "$WORK/old" "--force puts it back"

# What a rollback left alone, --force still gets: that and nothing else, and only once.
run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 1 rollback
set_value net/ipv4/tcp_keepalive_time 1234
run 0 rollback --force --json
json '.changed and [.settings[].key] == ["net.ipv4.tcp_fin_timeout"] and (.conflicts | length) == 0'
[[ $(</proc/sys/net/ipv4/tcp_keepalive_time) == 1234 ]] || fail "--force took what had gone back already"
set_value net/ipv4/tcp_keepalive_time 7200
ck_state "$WORK/old" "--force after a conflict"
run 0 rollback --force --json
json '(.changed | not) and .undid == null'

# A drop-in that somebody edited.
run 0 apply "${FIRST[@]}"
echo "net.ipv4.tcp_sack = 0" >>$DROP_IN
run 3 apply "${SECOND[@]}" --json
json '.refused[0].kind == "drop-in" and (.changed | not)'
run 1 rollback --json
json '.conflicts | length == 1 and .[0].key == null'
grep -q '^net.ipv4.tcp_sack = 0' $DROP_IN || fail "the edited drop-in must be left alone"
run 0 rollback --force --json
json '.changed and (.conflicts | length) == 0'
ck_state "$WORK/old" "--force takes the edited drop-in away"
run 0 apply "${FIRST[@]}"
echo "net.ipv4.tcp_sack = 0" >>$DROP_IN
run 1 rollback --json
rm $DROP_IN
ck_state "$WORK/old" "live values went back"

# Nothing but a conflict: nothing is done, and the transaction stands.
cat >"$WORK/one.yaml" <<'END'
schema: tcptune.profile.v1
name: one
summary: one key
settings:
  net.ipv4.tcp_fin_timeout: { set: 33s, because: for the test }
END
run 0 apply --profile "$WORK/one.yaml" --no-persist
set_value net/ipv4/tcp_fin_timeout 25
run 1 rollback --json
json '(.changed | not) and .transaction == null and (.conflicts | length) == 1'
set_value net/ipv4/tcp_fin_timeout 33
run 0 rollback --json
json '.changed'
ck_state "$WORK/old" "a transaction that still stood"

# A link in its place is refused.
echo "# mine" >"$WORK/mine"
ln -s "$WORK/mine" $DROP_IN
run 3 apply "${FIRST[@]}"
grep -q 'symbolic link' "$WORK/err" || fail "the reason for refusing a link"
[[ $(cat "$WORK/mine") == "# mine" ]] || fail "the link was followed"
rm $DROP_IN
ck_state "$WORK/old" "a refused link"

# The folder is made if it is missing; another file that wins is refused with its line.
rmdir /etc/sysctl.d
run 0 apply "${FIRST[@]}"
[[ $(stat -c %a /etc/sysctl.d) == 755 ]] || fail "mode of /etc/sysctl.d"
reset "a missing folder"
echo "net.core.somaxconn = 128" >/etc/sysctl.d/zz.conf
run 3 apply "${FIRST[@]}" --json
json '.refused[0].kind == "shadowed" and (.refused[0].reason | contains("/etc/sysctl.d/zz.conf:1"))'
run 3 apply "${FIRST[@]}" --dry-run
run 0 apply "${FIRST[@]}" --allow-shadowed --json
json '[.shadowed[] | select(.file == "/etc/sysctl.d/zz.conf")] | length == 2'
run 0 rollback
rm /etc/sysctl.d/zz.conf
ck_state "$WORK/old" "a shadowed key"

# Without --persist in this namespace: live values only.
run 0 apply --profile "$WORK/first.yaml" --json
json '.changed and .drop_in == null'
[[ ! -e $DROP_IN ]] || fail "a drop-in for another namespace than the host's"
reset "live only"

# --- failures ------------------------------------------------------------------------------------------------------

# Written without an error, but not there: strace swallows the write.
inject() { # EXPRESSION PATH WORDS...: the exit code is in $code
	local expression=$1 path=$2
	shift 2
	traced -P "$path" -e inject="$expression" -- "$@"
}
inject write:retval=4:when=1 /proc/sys/net/ipv4/tcp_keepalive_time apply "${FIRST[@]}" --json
[[ $code == 3 ]] || fail "a swallowed write: exit $code"
grep -q 'another value is read back' "$WORK/err" || fail "the reason for a swallowed write"
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

# While another is at work, and many at once: whoever gets the lock does it, the others say so.
exec 9>>/run/tcptune.lock
flock -n 9 || fail "the lock is free"
run 5 apply "${FIRST[@]}"
run 5 rollback
run 1 apply "${FIRST[@]}" --dry-run
run 1 check --profile "$WORK/first.yaml"
exec 9>&-
ck_state "$WORK/old" "what met a lock"
pids=()
for i in 1 2 3 4 5 6; do
	"$TCPTUNE" apply "${FIRST[@]}" >"$WORK/many.$i" 2>&1 &
	pids+=($!)
done
applied=0
for pid in "${pids[@]}"; do
	code=0
	wait "$pid" || code=$?
	[[ $code == 0 ]] && applied=$((applied + 1))
	[[ $code == 0 || $code == 5 ]] || fail "one of many: exit $code"
done
((applied > 0)) || fail "none of many applied"
ck_state "$WORK/new" "many at once"
[[ $("$TCPTUNE" history --json | jq '[.transactions[] | select(.kind == "apply" and .state == "committed")] | length') == 1 ]] ||
	fail "more than one of many has a transaction"
reset "many at once"

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
	[[ $(ip netns exec blue cat /proc/sys/net/core/somaxconn) == 4096 ]] || fail "values of another namespace"
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

# --- killed, or failing, at every call -----------------------------------------------------------------------------

# Two journeys: from nothing to the first profile, and from the first to the second, with a drop-in to replace.
writing=(write fsync renameat linkat unlinkat)
looking=(openat close read newfstatat)
step_of() {
	local call
	for call in "${looking[@]}"; do
		[[ $1 == "$call" ]] && echo "${TCT_STEP:-53}" && return
	done
	echo 1
}

old=0 new=0 mixed=0 points=0
count() { # EXPECTED ("old", "new" or "any") WHAT
	local found=mixed
	state >"$WORK/now"
	cmp -s "$WORK/now" "$WORK/from" && found=old
	cmp -s "$WORK/now" "$WORK/to" && found=new
	[[ $1 == any || $found == "$1" ]] || found=mixed
	case $found in
	old) old=$((old + 1)) ;;
	new) new=$((new + 1)) ;;
	*)
		mixed=$((mixed + 1))
		diff -u "$WORK/from" "$WORK/now" >&2
		echo "MIXED: $2" >&2
		;;
	esac
	points=$((points + 1))
}

begin_journey() { # 1 or 2
	reset "journey $1"
	state >"$WORK/from"
	GO=("${FIRST[@]}")
	if [[ $1 == 2 ]]; then
		run 0 apply "${FIRST[@]}"
		state >"$WORK/from"
		GO=("${SECOND[@]}")
	fi
	run 0 apply "${GO[@]}"
	state >"$WORK/to"
	run 0 rollback
}
go_back() { # to the journey's beginning
	state >"$WORK/now"
	cmp -s "$WORK/now" "$WORK/from" || run 0 rollback
	state >"$WORK/now"
	diff -u "$WORK/from" "$WORK/now" >&2 || fail "back to the beginning after $1"
}

newest() { "$TCPTUNE" history --json | jq '.transactions[0].id'; }
calls() { # SYSCALL WORDS...: how often it is made
	local call=$1
	shift
	traced -e trace="$call" -- "$@"
	total=$(grep -c "$call(" "$WORK/trace")
}

for journey in 1 2; do
	begin_journey $journey
	for call in "${writing[@]}" "${looking[@]}"; do
		calls "$call" apply "${GO[@]}"
		go_back "counting $call"
		((journey == 1 || total > 0)) || fail "no $call in an apply"
		for ((n = 1; n <= total; n += $(step_of "$call"))); do
			for then in apply rollback; do
				base=$(newest)
				traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- apply "${GO[@]}"
				[[ $code == 137 ]] || fail "SIGKILL at $call $n of $total: exit $code"
				if [[ $then == apply ]]; then
					run 0 apply "${GO[@]}"
					count new "journey $journey: SIGKILL at $call $n, then apply"
				else
					# Before its record is written there is nothing of this apply to undo.
					[[ $(newest) == "$base" ]] || run 0 rollback
					count old "journey $journey: SIGKILL at $call $n, then rollback"
				fi
				go_back "SIGKILL at $call $n, then $then"
			done
		done
	done
done

# Killed in the middle, and the one that puts it right killed, too.
calls write apply "${GO[@]}"
go_back "counting"
middle=$((total / 2))
for call in "${writing[@]}"; do
	for ((n = 1; n <= 12; n++)); do
		traced -e trace=write -e inject="write:signal=KILL:when=$middle" -- apply "${GO[@]}"
		[[ $code == 137 ]] || fail "SIGKILL at write $middle: exit $code"
		traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- rollback
		last=$code
		[[ $last == 0 ]] || run 0 apply "${GO[@]}"
		count "$([[ $last == 0 ]] && echo old || echo new)" "SIGKILL at write $middle, then in recovery at $call $n"
		go_back "SIGKILL in recovery at $call $n"
		[[ $last != 0 ]] || break
	done
done

# Rollback killed.
for call in "${writing[@]}"; do
	run 0 apply "${GO[@]}"
	calls "$call" rollback
	go_back "counting $call"
	for ((n = 1; n <= total; n++)); do
		run 0 apply "${GO[@]}"
		traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- rollback
		[[ $code == 137 ]] || fail "rollback, SIGKILL at $call $n: exit $code"
		run 0 apply "${GO[@]}"
		count new "rollback, SIGKILL at $call $n"
		go_back "rollback, SIGKILL at $call $n"
	done
done

# Calls that fail. A leftover temporary file may wait for the next run, a change never.
for journey in 1 2; do
	begin_journey $journey
	for fault in write:EIO write:ENOSPC write:EINTR fsync:EIO fsync:EINTR renameat:EIO renameat:EINTR linkat:EPERM \
		unlinkat:EROFS fchmod:EPERM ftruncate:EIO openat:EMFILE openat:EACCES openat:EINTR read:EIO read:EINTR \
		close:EIO newfstatat:EIO flock:EINTR; do
		call=${fault%:*}
		calls "$call" apply "${GO[@]}"
		go_back "counting $call"
		for ((n = 1; n <= total; n += $(step_of "$call"))); do
			traced -e trace="$call" -e inject="$call:error=${fault#*:}:when=$n" -- apply "${GO[@]}"
			state | sed '/^\.99-tcptune\.conf\.\(new\|old\)$/d' >"$WORK/now"
			cmp -s "$WORK/now" "$WORK/from" && found=old
			cmp -s "$WORK/now" "$WORK/to" && found=new
			[[ $code != 0 || $found == new ]] || fail "journey $journey, $fault at $n: exit 0, but $found"
			[[ $code != 3 || $found == old ]] || fail "journey $journey, $fault at $n: exit 3, but $found"
			[[ $code != 4 ]] || fail "journey $journey, $fault at $n: exit 4 for one fault"
			run 0 apply "${GO[@]}"
			count new "journey $journey: $fault at $n, then apply"
			go_back "$fault at $n"
		done
	done
done

echo "points tried: $points, old: $old, new: $new, mixed: $mixed"
[[ $mixed == 0 ]] || fail "$mixed mixed states"
