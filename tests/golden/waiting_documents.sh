#!/usr/bin/env bash
# waiting_documents.sh DIR: the JSON documents of what waits to be confirmed, which has no fixture: it is live. Runs
# itself in namespaces of its own. Exit code 77 where those are refused.
set -u

if [[ ${2-} != inside ]]; then
	# As a plain user, root in a user namespace.
	for user in "" -r; do
		# shellcheck disable=SC2086 # none or one
		unshare $user -n -m true 2>/dev/null && exec unshare $user -n -m "$BASH" "$0" "$1" inside
	done
	exit 77
fi
for folder in /run /var/lib /etc/sysctl.d; do
	mount -t tmpfs tmpfs "$folder" || exit 77
done
count=0
keep() { # EXIT_CODE WORDS...
	local code=0
	count=$((count + 1))
	"$TCPTUNE" "${@:2}" --json >"$folder_of_documents/waiting.$count.json" 2>/dev/null || code=$?
	[[ $code == "$1" ]] || {
		echo "tcptune ${*:2} --json: exit $code, not $1"
		exit 1
	}
}
folder_of_documents=$1
apply=(apply --profile highconn --persist --allow-shadowed)
keep 1 "${apply[@]}" --confirm-within 60 --dry-run
keep 0 "${apply[@]}" --confirm-within 60
keep 3 "${apply[@]}"
keep 1 check
keep 0 history
keep 0 confirm
keep 0 confirm
keep 0 rollback
keep 3 confirm 1
keep 0 history
