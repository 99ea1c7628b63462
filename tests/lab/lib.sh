# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # jq has variables of its own; what is set here is used by who sources it
# The laboratory: two network namespaces on one link, actors in them, whole audits against them.
#
# A scenario sources this file, calls lab_open NAME, then has SERVER and CLIENT (names of the namespaces),
# SERVER4, CLIENT4, SERVER6, CLIENT6 (their addresses on the link) and ends with lab_pass. lab_backend gives a third
# namespace behind the server's. Nothing is written outside these namespaces; they and every actor are gone when the
# script ends, however it ends.
# Needs TCPTUNE and TCPLAB (paths of the programs). Exit: 0 passed, 1 failed, 77 namespaces are refused here.
# LAB_ROWS names a folder: the scenario's row of the table is left there, for table.sh.

set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/../namespaces.sh"

LAB_ACTORS=()
LAB_NAMESPACES=()
LAB_EXPECTED=()
LAB_FOUND=()
LAB_WHERE=
ACTOR_PID=
AUDIT=

lab_open() {
	LAB_SCENARIO=$1
	local tool
	for tool in ip ss nstat jq nsenter nft setpriv; do
		command -v "$tool" >/dev/null || lab_die "$tool is needed"
	done
	[[ -x ${TCPTUNE:-} ]] || lab_die "TCPTUNE must name the tcptune to test"
	[[ -x ${TCPLAB:-} ]] || lab_die "TCPLAB must name the laboratory's actor"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tcpt-lab.XXXXXX")
	trap lab_close EXIT
	trap 'exit 1' INT TERM HUP
	LAB_PASSED=

	lab_sweep
	lab_reaper
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

# A third namespace on a link of its own to SERVER, which is then in the middle: BACKEND, BACKEND4; FRONT4 is SERVER's
# address on that link.
lab_backend() {
	local net=$(($$ % 250 + 1))
	BACKEND=tcpt-lab-$$-c
	BACKEND4=10.78.$net.2
	FRONT4=10.78.$net.1
	lab_namespace "$BACKEND"
	ip_in "$SERVER" link add lab1 type veth peer name lab1 netns "$BACKEND"
	ip_in "$SERVER" address add "$FRONT4/24" dev lab1
	ip_in "$SERVER" link set lab1 up
	ip_in "$BACKEND" address add "$BACKEND4/24" dev lab1
	ip_in "$BACKEND" link set lab1 up
}

# lab_devices: the client's namespace answers for a whole network, 10.8.0.0/24.
lab_devices() {
	ip_in "$CLIENT" route add local 10.8.0.0/24 dev lo
	ip_in "$SERVER" route add 10.8.0.0/24 via "$CLIENT4"
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

# If this script is killed outright, somebody else takes its namespaces and its files away.
lab_reaper() {
	setsid "$BASH" -c 'while [[ -e /proc/$1 ]]; do sleep 1; done
		rm -rf -- "$2"
		for end in a b c; do
			if [[ -e /run/netns/tcpt-lab-$1-$end ]]; then ip netns delete "tcpt-lab-$1-$end"; fi
		done' reaper "$$" "$LAB_DIR" </dev/null >/dev/null 2>&1 &
	LAB_REAPER=$!
}

# Should even that have been killed: remove the namespaces whose script is long gone.
lab_sweep() {
	local path name pid
	for path in /run/netns/tcpt-lab-*-[abc]; do
		[[ -e $path ]] || continue
		name=${path##*/}
		pid=${name#tcpt-lab-}
		pid=${pid%-[abc]}
		if [[ $pid =~ ^[0-9]+$ && ! -e /proc/$pid ]] &&
			(($(date +%s) - $(stat -c %Y "$path" 2>/dev/null || date +%s) > 600)); then
			ip netns delete "$name" 2>/dev/null || true
		fi
	done
}

lab_close() {
	local status=$? pid name
	trap - EXIT INT TERM HUP
	[[ $status != 77 ]] || lab_row "skipped"
	[[ $status == 0 || $status == 77 || -n $LAB_PASSED ]] || lab_row "FAILED"
	for pid in "${LAB_ACTORS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	lab_gone || for pid in "${LAB_ACTORS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in "${LAB_ACTORS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	for name in "${LAB_NAMESPACES[@]}"; do
		ip netns delete "$name" || true
	done
	rm -rf -- "$LAB_DIR"
	[[ -z ${LAB_REAPER:-} ]] || kill "$LAB_REAPER" 2>/dev/null || true
	exit "$status"
}

# lab_skip WHY: this can't be made here.
lab_skip() {
	echo "$LAB_SCENARIO: skipped, $*"
	exit 77
}

# Whether every actor is gone within three seconds.
lab_gone() {
	local pid ticks
	for ((ticks = 0; ticks < 60; ticks++)); do
		for pid in "${LAB_ACTORS[@]}"; do
			if kill -0 "$pid" 2>/dev/null; then
				sleep 0.05
				continue 2
			fi
		done
		return 0
	done
	return 1
}

lab_die() {
	[[ -z ${LAB_SCENARIO:-} || -n ${LAB_PASSED:-} ]] || lab_row "FAILED: $*"
	LAB_PASSED=no
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

# program NAMESPACE WORDS...: run them there in the background; they end with the script, however that ends. Sets
# PROGRAM_PID and PROGRAM_OUT.
program() {
	local namespace=$1
	shift
	PROGRAM_OUT=$LAB_DIR/actor-${#LAB_ACTORS[@]}.out
	nsenter --net="/run/netns/$namespace" -- setpriv --pdeathsig TERM -- "$@" >"$PROGRAM_OUT" 2>&1 &
	PROGRAM_PID=$!
	LAB_ACTORS+=("$PROGRAM_PID")
}

# listening NAMESPACE PORT: whether anybody does.
listening() {
	[[ -n $(inside "$1" ss -Hltn "sport = :$2") ]]
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

# actor_pause PID: it serves nobody any more, as a program that hangs; its sockets stay. The second time it goes on.
actor_pause() {
	kill -HUP "$1"
}

# actor_close PID: it closes all its connections, and stays. actor_half_close: it sends a FIN and reads on.
actor_close() {
	kill -USR1 "$1"
}

actor_half_close() {
	kill -USR2 "$1"
}

# What is to be lost on the way must be dropped by who gets it (input): what the sender drops is refused to TCP, which
# holds it for not sent.
# cut NAMESPACE NAME HOOK RULE...: an nftables rule there, in a table NAME, until mended. HOOK is input or output.
# cut "$CLIENT" gone output meta l4proto tcp drop
cut() {
	inside "$1" nft list tables >/dev/null 2>&1 || lab_skip "nftables are refused here"
	inside "$1" nft -f - <<-NFT
		table inet $2 {
			chain $3 {
				type filter hook $3 priority 0
				${*:4}
			}
		}
	NFT
}

# mended NAMESPACE NAME
mended() {
	inside "$1" nft delete table inet "$2"
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

# states_are NAMESPACE COUNT SS-FILTER...
states_are() {
	[[ $(count_state "$1" "${@:3}") == "$2" ]]
}

# counter NAMESPACE NAME: a counter's absolute value as nstat says, e.g. TcpExtListenOverflows
counter() {
	inside "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# --- looking ---

# audit NAMESPACE INTERVAL [OPTION...]: the report is in the file $AUDIT.
audit() {
	audit_at "$1" "$TCPTUNE" audit --netns "$1" --json --interval "$2" "${@:3}"
}

# audit_at NAMESPACE COMMAND...: the same for a whole command, which looks at that namespace in its own way.
audit_at() {
	lab_look_at "$1"
	shift
	AUDIT=$LAB_DIR/audit.json
	local status=0
	"$@" >"$AUDIT" 2>"$LAB_DIR/audit.err" || status=$?
	if ((status)); then
		lab_die "$* exited $status: $(<"$LAB_DIR/audit.err")"
	fi
	[[ $(json '.schema') == tcptune.audit.v1 ]] || lab_die "audit: not a tcptune.audit.v1"
}

# What is expected from here on is expected of this namespace.
lab_look_at() {
	LAB_NAMESPACE=$1
	case $1 in
	"$SERVER") LAB_WHERE=server ;;
	"$CLIENT") LAB_WHERE=client ;;
	*) LAB_WHERE=backend ;;
	esac
}

# lab_expected WHAT, lab_found WHAT: of the namespace looked at, for the table; what was said before isn't repeated.
lab_expected() {
	local before
	for before in "${LAB_EXPECTED[@]}"; do
		[[ $before != "$LAB_WHERE: $1" ]] || return 0
	done
	LAB_EXPECTED+=("$LAB_WHERE: $1")
}

lab_found() {
	local before
	for before in "${LAB_FOUND[@]}"; do
		[[ $before != "$LAB_WHERE: $1" ]] || return 0
	done
	LAB_FOUND+=("$LAB_WHERE: $1")
}

# json FILTER [JQ-OPTION...]: look into the last audit.
json() {
	jq -r "$1" "$AUDIT" "${@:2}"
}

fail() {
	lab_row "FAILED: $*"
	LAB_PASSED=no
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
	lab_expected "$id"
	found=$(finding "$id")
	[[ -n $found ]] || fail "no finding $id"
	[[ $(wc -l <<<"$found") == 1 ]] || fail "more than one finding $id"
	said=$(jq -r .severity <<<"$found")
	[[ $severity == - || $said == "$severity" ]] || fail "$id is $said, not $severity"
	finding_whole "$found"
	finding_told "$found"
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
	found=$(finding "$1")
	[[ -z $found ]] || fail "a finding $1 where there should be none"
	# Silence because the rule could not be judged would prove nothing.
	found=$(json '.not_evaluated[] | select(.id == $id) | .reason' --arg id "$1")
	[[ -z $found ]] || fail "$1 was not evaluated: $found"
	found=$(json '.explained[] | select(.id == $id) | .by' --arg id "$1")
	[[ -z $found ]] || fail "$1 holds: $found explains it"
}

# finding_explained ID BY: ID holds, but is left out because the finding BY is its cause.
finding_explained() {
	lab_expected "$1 by $2"
	json 'any(.explained[]; .id == $id and .by == $by)' -e --arg id "$1" --arg by "$2" >/dev/null ||
		fail "$1 is not explained by $2: $(json '.explained' -c)"
	[[ -z $(finding "$1") ]] || fail "$1 is explained by $2, and a finding as well"
	[[ -n $(finding "$2") ]] || fail "$1 is explained by $2, which is no finding"
	lab_found "$1 by $2"
}

# only_finding ID [SUBJECT-REGEX [CAUSE]]: exactly this one among the findings of warning or above; or, for a rule that
# is advice or info, this one and nothing of warning or above. Its subject (as JSON) matches, its cause is that.
only_finding() {
	only_findings "$1" 1 "${@:2}"
}

# only_findings ID COUNT [SUBJECT-REGEX [CAUSE]]: the same for a rule that finds several.
only_findings() {
	local id=$1 count=$2 found one
	lab_expected "$id"
	found=$(finding "$id")
	[[ -n $found ]] || fail "no finding $id"
	[[ $(wc -l <<<"$found") == "$count" ]] || fail "$(wc -l <<<"$found") findings $id, not $count"
	nothing_else "$id"
	while read -r one; do
		finding_whole "$one"
		(($# < 3)) || jq -e --arg regex "$3" '.subject | tostring | test($regex)' <<<"$one" >/dev/null ||
			fail "$id: its subject is $(jq -c .subject <<<"$one"), not $3"
		(($# < 4)) || jq -e --arg cause "$4" '.cause == $cause' <<<"$one" >/dev/null ||
			fail "$id: its cause is $(jq -r .cause <<<"$one"), not $4"
		finding_told "$one"
	done <<<"$found"
}

# nothing_else ID...: no finding of warning or above but these.
nothing_else() {
	local others
	others=$(json '[.findings[] | select(.severity == "warning" or .severity == "critical") | .id] - $ARGS.positional
		| join(" ")' --args "$@")
	[[ -z $others ]] || fail "beside $* there is $others"
}

finding_told() {
	lab_found "$(jq -r '"\(.id) (\(.severity), \(.cause))"' <<<"$1")"
}

# no_warnings: the last audit has no finding of severity warning or critical, and could judge.
no_warnings() {
	local found
	lab_expected "no warning"
	found=$(json '[.findings[] | select(.severity == "warning" or .severity == "critical") | .id] | join(" ")')
	[[ -z $found ]] || fail "false alarm: $found"
	json 'all(.summary | .warning, .critical; . == 0)' -e >/dev/null || fail "the summary says otherwise"
	lab_found "no warning"
}

# expect WHAT A OPERATOR B: an integer comparison, e.g. expect "CLOSE_WAIT as ss" "$a" -eq "$b"
expect() {
	test "$2" "$3" "$4" || fail "$1: $2 is not $3 $4"
}

# lab_joined WHAT...: "server: a, b; client: c"
lab_joined() {
	local where what part text=""
	for where in server client backend; do
		part=""
		for what; do
			[[ ${what%%: *} != "$where" ]] || part+="${part:+, }${what#*: }"
		done
		text+=${part:+${text:+; }$where: $part}
	done
	printf '%s' "$text"
}

# lab_row FOUND: the scenario's row of the table.
lab_row() {
	local row
	row="$LAB_SCENARIO | $(lab_joined "${LAB_EXPECTED[@]}") | $1"
	row=${row//$'\n'/ }
	printf '%s\n' "$row"
	[[ -z ${LAB_ROWS:-} ]] || { mkdir -p "$LAB_ROWS" && printf '%s\n' "$row" >"$LAB_ROWS/$LAB_SCENARIO"; }
}

lab_pass() {
	LAB_PASSED=yes
	lab_row "$(lab_joined "${LAB_FOUND[@]}")"
}
