# shellcheck shell=bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # jq has variables of its own; a subshell's environment is meant
# The stage for tests of transactions: source it first. The script that does is run again in a network and a mount
# namespace made here, with tmpfs of their own over /etc, the vendors' sysctl.d folders, /var/lib and /run; two
# profiles, and ways to run tcptune, look at what it left, and trace it.
#
# TCPTUNE: the program; TCPLAB: the lab's actor.
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

# shellcheck source-path=SCRIPTDIR source=namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/namespaces.sh"

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
	propagation=$(own_propagation) || skip "may not make namespaces"
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/tct-transaction.XXXXXX") || exit 1
	export WORK PATH
	trap 'rm -rf "$WORK"' EXIT
	unshare -n -m --propagation "$propagation" "$BASH" "$0" inside
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
hide_vendor_files() {
	local dir
	for dir in /usr/lib/sysctl.d /lib/sysctl.d /usr/local/lib/sysctl.d; do
		[[ ! -d $dir ]] || mount -t tmpfs tmpfs "$dir" || fail "mount $dir"
	done
}
hide_vendor_files
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
