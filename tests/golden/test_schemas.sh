#!/usr/bin/env bash
# Every JSON document that the golden cases print is valid by its schema, and every schema is tried.
set -u

here=$(cd "$(dirname "$0")" && pwd)
if ! python3 -c 'import jsonschema' 2>/dev/null; then
	echo "SKIPPED: python3 has no module jsonschema, so no document was looked at"
	exit 77
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/tct-schemas.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
# Only the cases that print JSON; whether the transcripts are right is the other test's business.
mapfile -t cases < <(cd "$here/cases" && grep -l json -- */cmd | xargs -n 1 dirname)
TCT_GOLDEN_JSON=$folder "$here/run.sh" "${cases[@]}" >/dev/null
# `watch` has no fixture to look at: one document a line, of the host as it is.
"$TCPTUNE" watch --json --interval 0.1 --count 3 </dev/null |
	while IFS= read -r document; do
		printf '%s\n' "$document" >"$(mktemp "$folder/watch.XXXXXX.json")"
	done
# A report in which nothing is missing: no fixture has owners, samples and destinations.
if [[ -n ${FULL_REPORT-} ]]; then
	FULL_REPORT_TO=$folder/full.json "$FULL_REPORT" >/dev/null && echo >>"$folder/full.json" || exit 1
fi
code=0
"$here/waiting_documents.sh" "$folder" || code=$?
case $code in
0) ;;
77)
	echo "SKIPPED: may not make namespaces, so no document of \`confirm\` was looked at"
	export UNTRIED=tcptune.confirm.v1
	;;
*) exit 1 ;;
esac
python3 "$here/validate.py" "$here/../../docs/schemas" "$folder"/*.json
