# shellcheck shell=bash disable=SC2034 # what is set here is used by who sources it
# Real servers for the laboratory: source it after lib.sh.
#
# Nothing is installed. A server that the machine has is used as it is; else its Debian package, and the libraries that
# this machine lacks, are fetched and unpacked into TCT_SERVERS_DIR (the build directory), where they stay for the next
# run. Where that can't be (not Debian, no network) the scenario is skipped, exit 77; with TCT_REQUIRE_SERVERS=1 that is
# a failure.

# shellcheck source-path=SCRIPTDIR source=../debs.sh
. "$(dirname "${BASH_SOURCE[0]}")/../debs.sh"

# server_program PROGRAM PACKAGE...: sets SERVER_PROGRAM, the words that run it. It is in the first package, or in one of
# the others.
server_program() {
	local program=$1 package=$2 root libraries path
	if path=$(PATH=$PATH:/usr/sbin:/sbin type -P "$program"); then
		SERVER_PROGRAM=("$path")
		return
	fi
	root=${TCT_SERVERS_DIR:-$(dirname "$(dirname "$TCPLAB")")/servers}/$package
	debs_unpack "$root" libraries "${@:2}" || server_missing "$DEBS_MISSING"
	path=$(find "$root" \( -path "*/bin/$program" -o -path "*/sbin/$program" \) -print -quit)
	[[ -n $path ]] || server_missing "$package has no $program"
	libraries=$(server_libraries "$root")
	if LD_LIBRARY_PATH=$libraries ldd "$path" | grep -q 'not found'; then
		server_missing "$program lacks $(LD_LIBRARY_PATH=$libraries ldd "$path" | awk '/not found/ { print $1 }')"
	fi
	SERVER_PROGRAM=(env "LD_LIBRARY_PATH=$libraries" "$path")
}

server_missing() {
	[[ ${TCT_REQUIRE_SERVERS:-} != 1 ]] || lab_die "$*"
	lab_skip "$*"
}

server_libraries() {
	find "$1" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:
}
