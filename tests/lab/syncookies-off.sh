#!/usr/bin/env bash
# Cookies off, on, always, and a value that acts as on.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open syncookies-off

for value in 1 2 7; do
	set_sysctl "$SERVER" "net.ipv4.tcp_syncookies=$value"
	audit "$SERVER" 0
	finding_absent syncookies-off
done
set_sysctl "$SERVER" net.ipv4.tcp_syncookies=0
audit "$SERVER" 0
finding_present syncookies-off warning
nothing_else syncookies-off
finding_that syncookies-off '.cause == "sysctl"'
finding_that syncookies-off 'any(.remedy.sysctls[]; .key == "net.ipv4.tcp_syncookies" and .to == 1)'

lab_pass
