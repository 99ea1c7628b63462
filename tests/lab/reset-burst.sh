#!/usr/bin/env bash
# A minute of quiet, then resets by the hundred: watch tells, an audit can not.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open reset-burst

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-hold --for 120
program "$SERVER" "$TCPTUNE" watch --json --interval 1
WATCHED=$PROGRAM_OUT
sleep 63
lab_look_at "$SERVER"
grep -q '"id": *"reset-burst"' "$WATCHED" && fail "a burst where there is none"
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 300 --abort
burst_seen() {
	grep -q '"id": *"reset-burst"' "$WATCHED"
}
await "reset-burst in what watch says" 20 burst_seen
AUDIT=$LAB_DIR/audit.json
jq -c 'select(any(.findings[]; .id == "reset-burst"))' "$WATCHED" | head -1 >"$AUDIT"
lab_expected reset-burst
json 'any(.findings[]; .id == "reset-burst" and .severity == "info" and .cause == "network" and (.title | contains("reset")))' -e \
	>/dev/null || fail "not as it should be: $(finding reset-burst)"
nothing_else reset-burst
lab_found "reset-burst (info, network)"

# The client's host sends them.
audit "$CLIENT" 1
no_warnings
audit "$SERVER" 1
no_warnings

lab_pass
