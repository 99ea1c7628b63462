#!/usr/bin/env bash
# The Salt state: Salt itself isn't in Debian, so a stand-in renders it with the real Jinja and YAML and runs what comes out.
TOOL_PROGRAM=ansible # its package brings python3-jinja2 and python3-yaml
TOOL_PACKAGE=ansible-core
# shellcheck source-path=SCRIPTDIR source=tools.sh
. "$(dirname "$0")/tools.sh"
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=untouched.sh
. "$(dirname "$0")/untouched.sh"
# shellcheck source-path=SCRIPTDIR source=guarded.sh
. "$(dirname "$0")/guarded.sh"
tools_ready
/usr/bin/python3 -c 'import jinja2, yaml' || tools_missing "python3-jinja2 and python3-yaml are needed"

salt=$TCT_SOURCE_DIR/integrations/salt
UNCHANGED='tcptune apply: unchanged' WOULD='tcptune apply: would run' CHANGED='tcptune apply: changed' FAILED='tcptune apply: failed'

salt_run() { # EXPECTED_EXIT [test]
	local code=0
	jq '{tcptune: .}' "$WORK/wanted.json" >"$WORK/pillar.json" # which is YAML, too
	/usr/bin/python3 "$(dirname "$0")/salt_run.py" "$salt/tcptune/init.sls" "$WORK/pillar.json" "${@:2}" >"$WORK/out" \
		2>"$WORK/err" || code=$?
	[[ $code == "$1" ]] || fail "salt ${*:2}: exit $code, not $1"
}
guarded() { salt_run "$1"; }
pretended() { salt_run 0 test; }
ck_guarded

# The example of a pillar.
/usr/bin/python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1]))["tcptune"], sys.stdout)' \
	"$salt/pillar.example" | jq '. + {executable: "'"$WORK"'/record"}' >"$WORK/wanted.json"
salt_run 0
told '<--reason=CHG-1234>'

echo "the Salt state: changed, unchanged, pretended, refused"
