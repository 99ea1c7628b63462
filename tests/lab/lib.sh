# shellcheck shell=bash
# shellcheck disable=SC2016 # jq has variables of its own
# The laboratory: two network namespaces on one link, actors in them, whole audits against them.
#
# A scenario sources this file, calls lab_open NAME, then has SERVER and CLIENT (names of the namespaces),
# SERVER4, CLIENT4, SERVER6, CLIENT6 (their addresses on the link) and ends with lab_pass. Nothing is written
# outside the two namespaces; they and every actor are gone when the script ends, however it ends.
# Needs TCPTUNE and TCPLAB (paths of the programs). Exit: 0 passed, 1 failed, 77 namespaces are refused here.

set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/../namespaces.sh"

LAB_ACTORS=()
LAB_NAMESPACES=()
LAB_EXPECTED=()
LAB_FOUND=()
ACTOR_PID=
AUDIT=

lab_open() {
	LAB_SCENARIO=$1
	local tool
	for tool in ip ss nstat jq nsenter; do
		command -v "$tool" >/dev/null || lab_die "$tool is needed"
	done
	[[ -x ${TCPTUNE:-} ]] || lab_die "TCPTUNE must name the tcptune to test"
	[[ -x ${TCPLAB:-} ]] || lab_die "TCPLAB must name the laboratory's actor"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tcpt-lab.XXXXXX")
	trap lab_close EXIT
	trap 'exit 1' INT TERM HUP

	lab_sweep
	SERVER=tcpt-lab-$$-a
	CLIENT=tcpt-lab-$$-b
	lab_namespace "$SERVER"
	lab_namespace "$CLIENT"
	local net=$(($$ % 250 + 1))
	SERVER4=10.77.$net.1
	CLIENT4=10.77.$net.2
	SERVER6=fd77::$net:1
	CLIENT6=fd77::$net:2
	# Both ends are born inside: the link is never in the namespace that we were started in.
	ip_in "$SERVER" link add lab0 type veth peer name lab0 netns "$CLIENT"
	lab_address "$SERVER" "$SERVER4" "$SERVER6"
	lab_address "$CLIENT" "$CLIENT4" "$CLIENT6"
}

lab_namespace() {
	[[ ! -e /run/netns/$1 ]] || lab_die "namespace $1 is there already"
	if ! ip netns add "$1" 2>"$LAB_DIR/netns.err"; then
		echo "$LAB_SCENARIO: skipped, network namespaces are refused: $(<"$LAB_DIR/netns.err")"
		exit 77
	fi
	LAB_NAMESPACES+=("$1")
	ip_in "$1" link set lo up
}

lab_address() {
	ip_in "$1" address add "$2/24" dev lab0
	ip_in "$1" address add "$3/64" dev lab0 nodad
	ip_in "$1" link set lab0 up
}

# A run that was killed outright leaves its namespaces behind: remove those whose script is long gone.
lab_sweep() {
	local path name pid
	for path in /run/netns/tcpt-lab-*-[ab]; do
		[[ -e $path ]] || continue
		name=${path##*/}
		pid=${name#tcpt-lab-}
		pid=${pid%-[ab]}
		if [[ $pid =~ ^[0-9]+$ && ! -e /proc/$pid ]] &&
			(($(date +%s) - $(stat -c %Y "$path" 2>/dev/null || date +%s) > 600)); then
			ip netns delete "$name" 2>/dev/null || true
		fi
	done
}

lab_close() {
	local status=$? pid name
	trap - EXIT INT TERM HUP
	for pid in "${LAB_ACTORS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${LAB_ACTORS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	for name in "${LAB_NAMESPACES[@]}"; do
		ip netns delete "$name" || true
	done
	rm -rf -- "$LAB_DIR"
	exit "$status"
}

lab_die() {
	echo "${LAB_SCENARIO:-lab}: $*" >&2
	exit 1
}

# --- making things happen ---

inside() {
	local namespace=$1
	shift
	in_netns "$namespace" "$@"
}

# set_sysctl NAMESPACE KEY=VALUE...
set_sysctl() {
	inside "$1" sysctl -qw "${@:2}"
}

# actor NAMESPACE ARGUMENT...: start tcplab there and wait for its "ready". Sets ACTOR_PID and ACTOR_OUT.
actor() {
	local namespace=$1 ticks
	shift
	ACTOR_OUT=$LAB_DIR/actor-${#LAB_ACTORS[@]}.out
	: >"$ACTOR_OUT"
	# Not through inside(): $! must be the actor, not a shell around it.
	nsenter --net="/run/netns/$namespace" -- "$TCPLAB" "$@" >"$ACTOR_OUT" 2>&1 &
	ACTOR_PID=$!
	LAB_ACTORS+=("$ACTOR_PID")
	for ((ticks = 0; ticks < 300; ticks++)); do
		if grep -q '^ready' "$ACTOR_OUT"; then
			return 0
		fi
		kill -0 "$ACTOR_PID" 2>/dev/null || break
		sleep 0.05
	done
	lab_die "tcplab $* didn't get ready: $(<"$ACTOR_OUT")"
}

# actor_stop PID: end it now, and wait until it is gone.
actor_stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# count_state NAMESPACE SS-FILTER...: how many sockets ss sees, e.g. count_state "$SERVER" state close-wait
count_state() {
	local namespace=$1
	shift
	inside "$namespace" ss -Htan "$@" | wc -l
}

# await WHAT SECONDS COMMAND...: until the command succeeds.
await() {
	local what=$1 seconds=$2 end
	shift 2
	end=$((SECONDS + seconds))
	until "$@"; do
		((SECONDS < end)) || fail "waited ${seconds}s in vain for: $what"
		sleep 0.1
	done
}

# counter NAMESPACE NAME: a counter's absolute value as nstat says, e.g. TcpExtListenOverflows
counter() {
	inside "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# --- looking ---

# audit NAMESPACE INTERVAL [OPTION...]: the report is in the file $AUDIT.
audit() {
	local namespace=$1 interval=$2
	shift 2
	LAB_NAMESPACE=$namespace
	AUDIT=$LAB_DIR/audit.json
	local status=0
	"$TCPTUNE" audit --netns "$namespace" --json --interval "$interval" "$@" >"$AUDIT" \
		2>"$LAB_DIR/audit.err" || status=$?
	if ((status)); then
		lab_die "audit $* exited $status: $(<"$LAB_DIR/audit.err")"
	fi
	[[ $(json '.schema') == tcptune.audit.v1 ]] || lab_die "audit: not a tcptune.audit.v1"
}

# json FILTER [JQ-OPTION...]: look into the last audit.
json() {
	jq -r "${@:2}" "$1" "$AUDIT"
}

fail() {
	{
		echo "FAILED $LAB_SCENARIO: $*"
		if [[ -n ${LAB_NAMESPACE:-} && -s $AUDIT ]]; then
			echo "--- findings in $LAB_NAMESPACE"
			jq -c '.findings[] | {id, severity, cause, subject, title, evidence}' "$AUDIT" || true
			jq -c '.not_evaluated[] | {not_evaluated: .id, reason}' "$AUDIT" || true
			jq -c '.explained, .states' "$AUDIT" || true
		fi
		local namespace
		for namespace in "${LAB_NAMESPACES[@]}"; do
			echo "--- scene in $namespace"
			inside "$namespace" ss -s || true
			inside "$namespace" ss -ltn || true
			inside "$namespace" nstat -as |
				grep -E 'Listen|ReqQFull|Syncookies|TimeWaitOverflow|ExtTW|SynRetrans|Opens|CurrEstab' || true
		done
		local out
		for out in "$LAB_DIR"/actor-*.out; do
			[[ -e $out ]] && echo "--- ${out##*/}: $(<"$out")"
		done
	} >&2
	exit 1
}

# finding ID: the finding as JSON lines, none if there is none.
finding() {
	json '.findings[] | select(.id == $id)' -c --arg id "$1"
}

# finding_present ID [SEVERITY [NAME PREDICATE]...]: exactly one finding ID, of the severity ("-" = any), whose
# evidence NAME fulfils the jq predicate: finding_present accept-queue-full critical queue '== 11'
finding_present() {
	local id=$1 severity=${2:--} found said
	LAB_EXPECTED+=("$id")
	found=$(finding "$id")
	[[ -n $found ]] || fail "no finding $id"
	[[ $(wc -l <<<"$found") == 1 ]] || fail "more than one finding $id"
	said=$(jq -r .severity <<<"$found")
	[[ $severity == - || $said == "$severity" ]] || fail "$id is $said, not $severity"
	finding_whole "$found"
	LAB_FOUND+=("$id($said)")
	shift
	(($#)) && shift
	while (($#)); do
		evidence "$id" "$1" "$2"
		shift 2
	done
}

# Every finding says what an operator needs, with nothing left of a template.
finding_whole() {
	jq -e '(.title | type == "string" and length > 0 and (test("[{}]") | not))
		and (.why | type == "string" and length > 0 and (test("[{}]") | not))
		and (.cause | IN("application", "sysctl", "network", "attack", "memory"))
		and (.severity | IN("critical", "warning", "advice", "info"))
		and (.evidence | type == "array")
		and all(.evidence[]; has("name") and has("value") and has("unit"))
		and (.remedy | has("sysctls") and has("application") and has("commands"))
		and (.never | type == "array") and (.references | type == "array")
		and has("subject")' <<<"$1" >/dev/null || fail "not a whole finding: $1"
}

# evidence ID NAME PREDICATE: of some finding with this id.
evidence() {
	finding "$1" | jq -se --arg name "$2" \
		"any(.[].evidence[]; .name == \$name and (.value | . $3))" >/dev/null ||
		fail "$1: its evidence $2 is not $3"
}

# finding_that ID JQ-PREDICATE: some finding with this id fulfils it, e.g. '.cause == "attack"'
finding_that() {
	finding "$1" | jq -se "any(.[]; $2)" >/dev/null || fail "$1: not $2"
}

finding_absent() {
	local found
	LAB_EXPECTED+=("no $1")
	found=$(finding "$1")
	[[ -z $found ]] || fail "a finding $1 where there should be none"
	# Silence because the rule could not be judged would prove nothing.
	found=$(json '.not_evaluated[] | select(.id == $id) | .reason' --arg id "$1")
	[[ -z $found ]] || fail "$1 was not evaluated: $found"
	found=$(json '.explained[] | select(.id == $id) | .by' --arg id "$1")
	[[ -z $found ]] || fail "$1 holds: $found explains it"
	LAB_FOUND+=("no $1")
}

# finding_explained ID BY: ID holds, but is left out because the finding BY is its cause.
finding_explained() {
	LAB_EXPECTED+=("$1 by $2")
	json 'any(.explained[]; .id == $id and .by == $by)' -e --arg id "$1" --arg by "$2" >/dev/null ||
		fail "$1 is not explained by $2: $(json '.explained' -c)"
	[[ -z $(finding "$1") ]] || fail "$1 is explained by $2, and a finding as well"
	[[ -n $(finding "$2") ]] || fail "$1 is explained by $2, which is no finding"
	LAB_FOUND+=("$1 by $2")
}

# no_warnings: the last audit has no finding of severity warning or critical, and could judge.
no_warnings() {
	local found
	LAB_EXPECTED+=("no warning")
	found=$(json '[.findings[] | select(.severity == "warning" or .severity == "critical") | .id] | join(" ")')
	[[ -z $found ]] || fail "false alarm: $found"
	json 'all(.summary | .warning, .critical; . == 0)' -e >/dev/null || fail "the summary says otherwise"
	LAB_FOUND+=("no warning")
}

# expect WHAT A OPERATOR B: an integer comparison, e.g. expect "CLOSE_WAIT as ss" "$a" -eq "$b"
expect() {
	LAB_EXPECTED+=("$1")
	test "$2" "$3" "$4" || fail "$1: $2 is not $3 $4"
	LAB_FOUND+=("$1: $2")
}

lab_pass() {
	local IFS=,
	printf '%s | %s | %s\n' "$LAB_SCENARIO" "${LAB_EXPECTED[*]}" "${LAB_FOUND[*]}"
}
