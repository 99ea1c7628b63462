#!/usr/bin/env bash
# The laboratory's result: scenario, expected, found.
#   table.sh DIRECTORY   print what the scenarios left there as rows (ctest does, when all are through)
#   table.sh --begin DIRECTORY   forget the rows of earlier runs
#   table.sh             run all scenarios, then print; needs TCPTUNE and TCPLAB
set -euo pipefail

begin() {
	mkdir -p "$1"
	find "$1" -maxdepth 1 -type f -delete
}

rows() {
	find "$1" -maxdepth 1 -type f -print0 | sort -z | xargs -0 -r cat
}

print_table() {
	local rows
	rows=$(rows "$1")
	if [[ -z $rows ]]; then
		echo "no scenario has run"
		return
	fi
	awk -F ' [|] ' '
		function cell(text, width) { return sprintf("%-*s", width, text) }
		BEGIN { row[1] = "scenario | expected | found"; n = 1 }
		{ row[++n] = $0 }
		END {
			for (i = 1; i <= n; i++) {
				split(row[i], part, " [|] ")
				for (k = 1; k <= 2; k++) if (length(part[k]) > most[k]) most[k] = length(part[k])
			}
			for (i = 1; i <= n; i++) {
				split(row[i], part, " [|] ")
				print cell(part[1], most[1]) "  " cell(part[2], most[2]) "  " part[3]
			}
		}' <<<"$rows"
	! grep -q ' | FAILED' <<<"$rows"
}

case ${1-} in
--begin) begin "$2" ;;
'')
	folder=$(dirname "$0")
	LAB_ROWS=$(mktemp -d "${TMPDIR:-/tmp}/tcpt-lab-rows.XXXXXX")
	export LAB_ROWS
	trap 'rm -rf -- "$LAB_ROWS"' EXIT
	failed=0
	for script in "$folder"/*.sh; do
		case ${script##*/} in
		lib.sh | servers.sh | table.sh) continue ;;
		esac
		echo "${script##*/}" >&2
		"$BASH" "$script" >/dev/null || { [[ $? == 77 ]] || failed=1; }
	done
	print_table "$LAB_ROWS" || failed=1
	exit "$failed"
	;;
*)
	print_table "$1" >"$1.txt" || true
	cat "$1.txt"
	;;
esac
