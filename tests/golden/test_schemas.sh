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
# A report in which nothing is missing: no fixture has owners, samples and destinations.
if [[ -n ${FULL_REPORT-} ]]; then
	FULL_REPORT_TO=$folder/full.json "$FULL_REPORT" >/dev/null && echo >>"$folder/full.json" || exit 1
fi
python3 "$here/validate.py" "$here/../../docs/schemas" "$folder"/*.json
