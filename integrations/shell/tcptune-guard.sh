#!/bin/sh
# Keep this host as a profile asks for: `tcptune check`, and `tcptune apply` only if the answer is no. For cron, for CI,
# for whatever can run a command. It says nothing while the host conforms.
#
# usage: tcptune-guard.sh [-n] [-r REASON] [-w SECONDS] -- WORDS...
#   WORDS   what check and apply both take: --profile NAME, --set KEY=VALUE, --var NAME=VALUE, --boot, --netns
#   -n      only tell: change nothing
#   -r      why, for the history
#   -w      seconds to wait for another tcptune that is at work (default: 30)
# TCPTUNE names the program (default: tcptune).
#
# exit code: 0 the host conforms, or was put right; 1 it doesn't (-n only); 2 bad usage or input; 3 refused, with the
# reason, everything is as before; 4 failed, and something could not be put back; 5 another tcptune is at work; 127
# tcptune isn't there.
set -u

tcptune=${TCPTUNE:-tcptune}
only_tell=
reason=
wait_seconds=30

usage() {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}

while getopts nr:w: option; do
	case $option in
	n) only_tell=yes ;;
	r) reason=$OPTARG ;;
	w) wait_seconds=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

status=0 # as it is also where the shell has -e
"$tcptune" check --quiet "$@" || status=$?

case $status in
0) exit 0 ;;
1)
	if [ -n "$only_tell" ]; then
		echo "tcptune-guard: this host doesn't conform: $*" >&2
		exit 1
	fi
	;;
3)
	# check is quiet; apply tells why
	if [ -n "$only_tell" ]; then
		exec "$tcptune" apply --dry-run --quiet "$@"
	fi
	;;
*) exit "$status" ;;
esac
exec "$tcptune" apply --wait "$wait_seconds" ${reason:+--reason "$reason"} "$@"
