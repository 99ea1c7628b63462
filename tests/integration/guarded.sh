# shellcheck shell=bash disable=SC2016,SC2154 # a reason that looks like a variable
# What every guarded `tcptune apply` must give, whatever runs it. Source it after stage.sh and untouched.sh; it asks for
# two functions, which run it for what $WORK/wanted.json declares, the output in out:
#
#   guarded EXPECTED_EXIT   for real
#   pretended               without changing anything
# and for the words by which it tells: $UNCHANGED, $WOULD, $CHANGED, $FAILED.

ck_guarded() {
	cat >"$WORK/never.yaml" <<-'YAML'
		schema: tcptune.profile.v1
		name: never
		summary: What a blog says
		settings:
		  net.ipv4.tcp_abort_on_overflow: { set: 1, because: a blog says so }
	YAML
	local word wanted='{"executable": "'$TCPTUNE'", "profiles": ["'$WORK'/first.yaml"], "reason": "it'\''s $HOME \"\\"}'
	want "$wanted" .
	remember
	pretended
	told "$WOULD"
	ck_untouched "a pretended run"

	guarded 0
	told "$CHANGED"
	[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "somaxconn"
	run 0 history --json
	json '.transactions[0].reason == "it'\''s $HOME \"\\"'
	remember
	guarded 0
	told "$UNCHANGED"
	ck_untouched "the second run"
	set_value net/ipv4/tcp_fin_timeout 50
	guarded 0
	told "$CHANGED"
	[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 30 ]] || fail "drift isn't put right"

	# Options that check hasn't: the plan decides, and the drop-in comes as well.
	want "$wanted" '. + {persist: true, variables: {mem_total: "64GiB"}}'
	[[ ! -e $DROP_IN ]] || fail "a drop-in outside of the initial namespace"
	guarded 0
	told "$CHANGED"
	[[ -s $DROP_IN ]] || fail "no drop-in"
	remember
	guarded 0
	told "$UNCHANGED"
	ck_untouched "the second run with a drop-in"

	want "$wanted" '. + {profiles: ["'"$WORK"'/never.yaml"]}'
	guarded 1
	told "$FAILED"
	told 'refused, nothing was changed: net.ipv4.tcp_abort_on_overflow'
	ck_untouched "what was refused"

	# Each option's word, as the program gets it.
	printf '#!/bin/sh\n[ "$1" = check ] && exit 1\nprintf "<%%s>\\n" "$@"\n' >"$WORK/record"
	chmod +x "$WORK/record"
	want '{"executable": "'"$WORK"'/record", "profiles": ["a b"], "settings": {"net.ipv4.tcp_rmem": [4096, 131072, 16777216]},
		"variables": {"on": true}, "boot": "both", "netns": "web", "wait": 7}' .
	guarded 0
	for word in '<--profile=a b>' '<--set=net.ipv4.tcp_rmem=4096 131072 16777216>' '<--var=on=true>' '<--boot=both>' \
		'<--netns=web>' '<--wait=7>'; do
		told "$word"
	done
}

want() { # JSON FILTER
	jq "$2" <<<"$1" >"$WORK/wanted.json" || fail "no JSON: $1"
}

told() {
	grep -qF -- "$1" "$WORK/out" || fail "not told: $1"
}
