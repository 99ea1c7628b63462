# shellcheck shell=bash disable=SC2034 # what is set here is used by who sources it
# Real ansible-core on the stage of transactions, with the collection built and installed as a user would: source it.
TOOL_PROGRAM=ansible
TOOL_PACKAGE=ansible-core
# shellcheck source-path=SCRIPTDIR source=tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=untouched.sh
. "$(dirname "${BASH_SOURCE[0]}")/untouched.sh"
tools_ready

MODULE=tcptune.tcptune.tcptune
export HOME=$WORK/home LC_ALL=C.UTF-8
export ANSIBLE_HOME=$HOME/.ansible ANSIBLE_LOCAL_TEMP=$HOME/local ANSIBLE_REMOTE_TEMP=$HOME/remote ANSIBLE_NOCOLOR=1
export ANSIBLE_PIPELINING=1 ANSIBLE_COLLECTIONS_PATH=$WORK/collections ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3
mkdir -p "$HOME" "$WORK/bin"
ln -s "$TCPTUNE" "$WORK/bin/tcptune"
PATH=$WORK/bin:$PATH


install_collection() {
	ansible-galaxy collection build "$TCT_SOURCE_DIR/integrations/ansible" --output-path "$WORK/built" &&
		ansible-galaxy collection install "$WORK"/built/tcptune-tcptune-*.tar.gz --offline -p "$WORK/collections"
}

install_collection >"$WORK/out" 2>"$WORK/err" || fail "the collection can't be built and installed"

# task ok|failed JSON [WORDS...]: one task, by ansible itself; its result (the diff needs -vvv) is in out.
task() {
	local expected=$1 arguments=$2 status=0
	shift 2
	rm -rf "$WORK/tree"
	ansible localhost -i localhost, -c local -m "$MODULE" -a "$arguments" -vvv --tree "$WORK/tree" "$@" \
		>"$WORK/said" 2>"$WORK/err" || status=$?
	cp "$WORK/tree/localhost" "$WORK/out" || fail "ansible gave no result: $(cat "$WORK/said")"
	case $expected:$status in
	ok:0 | failed:2) ;;
	*) fail "ansible $arguments: exit $status, not $expected" ;;
	esac
}

# begin_elsewhere, end_elsewhere: a process in a network namespace of its own; $elsewhere is its pid.
begin_elsewhere() {
	unshare -n sleep 60 &
	elsewhere=$!
	for _ in {1..50}; do
		[[ $(readlink "/proc/$elsewhere/ns/net") != "$(readlink /proc/self/ns/net)" ]] && break
		sleep 0.1
	done
}

end_elsewhere() {
	kill "$elsewhere"
	wait "$elsewhere" 2>/dev/null
}

# module ok|failed JSON [check]: the module alone, as ansible starts it on the host, which is quicker.
module() {
	local expected=$1 arguments=$2 check=${3:+true} status=0
	jq -n --argjson arguments "$arguments" --argjson check "${check:-false}" \
		'{ANSIBLE_MODULE_ARGS: ($arguments + {_ansible_check_mode: $check, _ansible_diff: true})}' >"$WORK/arguments" ||
		fail "no JSON: $arguments"
	/usr/bin/python3 "$WORK/collections/ansible_collections/tcptune/tcptune/plugins/modules/tcptune.py" \
		<"$WORK/arguments" >"$WORK/out" 2>"$WORK/err" || status=$?
	case $expected:$status in
	ok:0) json '.failed | not' ;;
	failed:1) json .failed ;;
	*) fail "the module, $arguments: exit $status, not $expected" ;;
	esac
}
