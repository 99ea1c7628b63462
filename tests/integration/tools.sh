# shellcheck shell=bash
# Programs of configuration management for tests in namespaces. Source it before stage.sh, with the program and its
# Debian package; after stage.sh, call tools_ready.
#
# Nothing is installed, and no user is added, as puppet's package would. A program that the machine has is used as it
# is; else its package, with what that needs and the machine lacks, is unpacked into TCT_TOOLS_DIR (the build
# directory) and laid over /usr in the test's own mount namespace. Where that can't be (not Debian, no network) the test
# is skipped, exit 77; with TCT_REQUIRE_CM=1 that is a failure.

# shellcheck source-path=SCRIPTDIR source=../debs.sh
. "$(dirname "${BASH_SOURCE[0]}")/../debs.sh"

tools_missing() {
	echo "skipped: $*"
	[[ ${TCT_REQUIRE_CM:-} != 1 ]] || {
		echo "FAILED: with TCT_REQUIRE_CM=1 this is not to be skipped" >&2
		exit 1
	}
	exit 77
}

# tools_fetch PROGRAM PACKAGE: outside of the namespaces, where there is a network.
tools_fetch() {
	export TOOLS_ROOT=
	! type -P "$1" >/dev/null || return 0
	TOOLS_ROOT=${TCT_TOOLS_DIR:-$(dirname "$(dirname "$TCPLAB")")/tools}/$2
	[[ $EUID == 0 ]] || tools_missing "$1 is not here; laying it over /usr takes root"
	debs_unpack "$TOOLS_ROOT" all "$2" || tools_missing "$DEBS_MISSING"
	tools_compile "$TOOLS_ROOT"
}

# What an installation does as well; a program in Python begins a second later without.
tools_compile() {
	[[ ! -e $1/compiled && -d $1/usr/lib/python3 ]] || return 0
	(cd "$1" && /usr/bin/python3 -m compileall -q -s "$1" usr/lib/python3) >"$1.compiled.log" 2>&1 &&
		: >"$1/compiled"
}

# tools_ready: inside, when the stage is set.
tools_ready() {
	[[ -n $TOOLS_ROOT ]] || return 0
	mount -t overlay overlay -o "lowerdir=$TOOLS_ROOT/usr:/usr" /usr ||
		tools_missing "an overlay over /usr can't be mounted here"
	hide_vendor_files # the stage's own were below /usr
}

if [[ ${1-} != inside ]]; then
	: "${TCPLAB:?the actor of the lab}"
	tools_fetch "$TOOL_PROGRAM" "$TOOL_PACKAGE"
fi
