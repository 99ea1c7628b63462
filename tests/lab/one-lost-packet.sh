#!/usr/bin/env bash
# A control: a quiet host loses exactly one packet. One of a few is a large share, and no reason to worry.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open one-lost-packet

actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 64 --echo --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 2 --hold --keepalive --talk 10 --exchange 200
BEFORE=$(counter "$CLIENT" TcpRetransSegs)
# The first question is lost and noted; whatever comes later passes.
inside "$SERVER" nft -f - <<-'NFT'
	table inet one {
		set lost {
			type inet_service
			flags dynamic
		}
		chain input {
			type filter hook input priority 0
			tcp flags & psh == psh tcp dport 7000 tcp dport != @lost add @lost { tcp dport } drop
		}
	}
NFT
audit "$CLIENT" 2
no_warnings
expect "retransmitted" $(($(counter "$CLIENT" TcpRetransSegs) - BEFORE)) -eq 1
audit "$SERVER" 1
no_warnings

lab_pass
