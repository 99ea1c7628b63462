#!/usr/bin/env bash
# A path that loses packets: nftables drops six of a hundred.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open retransmits

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --echo --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 200 --hold --keepalive --talk 4000 --exchange 500
sleep 0.5
audit "$CLIENT" 1
no_warnings
cut "$SERVER" lossy input 'meta l4proto tcp numgen random mod 100 < 6 drop'
sleep 0.5
audit "$CLIENT" 2
only_finding retransmits '' network
finding_that retransmits 'any(.never[]; .what | ascii_downcase | contains("bbr"))'
# What the server sends arrives; an ACK that is lost is made good by the next.
audit "$SERVER" 2
no_warnings

lab_pass
