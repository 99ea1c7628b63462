# shellcheck shell=bash disable=SC2034 # what is set here is used by who sources it
# Real servers for the laboratory: source it after lib.sh.
#
# Nothing is installed. A server that the machine has is used as it is; else its Debian package, and the libraries that
# this machine lacks, are fetched and unpacked into TCT_SERVERS_DIR (the build directory), where they stay for the next
# run. Where that can't be (not Debian, no network) the scenario is skipped, exit 77; with TCT_REQUIRE_SERVERS=1 that is
# a failure.

# server_program PROGRAM PACKAGE...: sets SERVER_PROGRAM, the words that run it. It is in the first package, or in one of
# the others.
server_program() {
	local program=$1 package=$2 root libraries path
	if path=$(PATH=$PATH:/usr/sbin:/sbin type -P "$program"); then
		SERVER_PROGRAM=("$path")
		return
	fi
	root=${TCT_SERVERS_DIR:-$(dirname "$(dirname "$TCPLAB")")/servers}/$package
	mkdir -p "$root"
	exec {lock}>"$root.lock"
	flock "$lock"
	[[ -e $root/complete ]] || server_unpack "$root" "${@:2}"
	exec {lock}>&-
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

# server_unpack ROOT PACKAGE...: the packages and the libraries they need and the machine hasn't, one folder for all.
server_unpack() {
	local root=$1 package=$2 log=$1.log tool
	shift
	for tool in apt-get dpkg; do
		type -P "$tool" >/dev/null || server_missing "no $package here, and no $tool to fetch it with"
	done
	find "$root" -mindepth 1 -delete
	mkdir "$root/packages"
	# The machine's own lists first; they may be missing, or too old for what the archive has today.
	SERVER_APT=(-o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Debug::NoLocking=1)
	if ! server_fetch "$root/packages" "$@" >"$log" 2>&1; then
		mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
		SERVER_APT+=(-o "Dir::State::lists=$root/lists" -o "Dir::Cache=$root/cache")
		if ! { timeout 120 apt-get "${SERVER_APT[@]}" -q update && server_fetch "$root/packages" "$@"; } \
			>>"$log" 2>&1; then
			server_missing "$package can't be fetched: $(grep -m1 '^E:' "$log" || tail -1 "$log")"
		fi
	fi
	local deb
	for deb in "$root/packages"/*.deb; do
		dpkg -x "$deb" "$root" || server_missing "$deb can't be unpacked"
	done
	rm -rf -- "$root/packages" "$root/lists" "$root/cache"
	: >"$root/complete"
}

# server_fetch FOLDER PACKAGE...: what an installation would install of these, and of libraries.
server_fetch() {
	local folder=$1 needed=() name
	shift
	while read -r name; do
		[[ " $* " != *" $name "* && $name != lib* ]] || needed+=("$name")
	done < <(apt-get "${SERVER_APT[@]}" -s --no-install-recommends install "$@" | awk '$1 == "Inst" { print $2 }')
	((${#needed[@]})) || return 1
	(cd "$folder" && timeout 120 apt-get "${SERVER_APT[@]}" -q download "${needed[@]}")
}
