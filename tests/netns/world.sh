# shellcheck shell=bash
# shellcheck disable=SC2153,SC2034 # SCRATCH comes from the outer run; the scripts use out and err
# A world with no namespaces but those that the script makes: source it first. The script that does is run again in
# network, mount and pid namespaces made here, with a /run of its own and lo up; SCRATCH is a folder that is gone
# afterwards. Needs TCPTUNE, TCPLAB and TCT_SOURCE_DIR. Exits 77 where namespaces are refused.
set -uo pipefail
: "${TCPTUNE:?}" "${TCPLAB:?}" "${TCT_SOURCE_DIR:?}"
# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/../namespaces.sh"

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

if [[ ${1-} != inside ]]; then
	propagation=$(own_propagation) || {
		echo "SKIPPED: namespaces of our own are refused here"
		exit 77
	}
	scratch=$(mktemp -d) || exit 1
	trap 'rm -rf "$scratch"' EXIT
	chmod 755 "$scratch"
	SCRATCH=$scratch unshare -n -m -p -f --propagation "$propagation" "$BASH" "$0" inside
	exit
fi

mount -t proc proc /proc || fail "mount /proc"
mount -t tmpfs tmpfs /run || fail "mount /run"
mkdir /run/netns
ip link set lo up || fail lo
out=$SCRATCH/out
err=$SCRATCH/err
