#!/usr/bin/env bash
# The Chef recipe: Chef itself isn't in Debian, so a stand-in evaluates it with the real Ruby and runs what comes out.
TOOL_PROGRAM=ruby # it comes with puppet-agent, too
TOOL_PACKAGE=puppet-agent
# shellcheck source-path=SCRIPTDIR source=tools.sh
. "$(dirname "$0")/tools.sh"
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=untouched.sh
. "$(dirname "$0")/untouched.sh"
# shellcheck source-path=SCRIPTDIR source=guarded.sh
. "$(dirname "$0")/guarded.sh"
tools_ready

cookbook=$TCT_SOURCE_DIR/integrations/chef
UNCHANGED=': skipped' WOULD=': would run' CHANGED=': executed' FAILED=': failed'

for file in "$cookbook"/*.rb "$cookbook"/*/*.rb; do
	ruby -wc "$file" >"$WORK/out" 2>"$WORK/err" || fail "$file"
	[[ ! -s $WORK/err ]] || fail "$file: warnings"
done

chef_run() { # EXPECTED_EXIT [why-run]
	local code=0
	jq '{tcptune: .}' "$WORK/wanted.json" >"$WORK/attributes.json"
	ruby "$(dirname "$0")/chef_run.rb" "$cookbook" "$WORK/attributes.json" "${@:2}" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == "$1" ]] || fail "chef ${*:2}: exit $code, not $1"
}
guarded() { chef_run "$1"; }
pretended() { chef_run 0 why-run; }
ck_guarded

want '{"settings": {}}' .
chef_run 1
grep -q "node\['tcptune'\]\['profiles'\]" "$WORK/err" || fail "nothing to apply is no error"

echo "the Chef recipe: executed, skipped, pretended, refused"
