/*
 * The facts about each counter. tests/unit/test_counters.c looks each name up in what the running
 * kernel prints, but for those that are marked with the kernels that have them.
 */
#include "core/counters.h"

#include "core/mem.h"

/* clang-format off */

#define TCP(column_) \
	.name = "Tcp." column_, .group = TCT_GROUP_TCP, .line = "Tcp", .column = (column_)
#define TCPEXT(column_) \
	.name = "TcpExt." column_, .group = TCT_GROUP_TCPEXT, .line = "TcpExt", .column = (column_)
#define SOCKSTAT(line_, column_) \
	.name = "sockstat." line_ "." column_, .group = TCT_GROUP_SOCKSTAT, .line = (line_), \
	.column = (column_), .gauge = true
#define SOCKSTAT6(line_, column_) \
	.name = "sockstat6." line_ "." column_, .group = TCT_GROUP_SOCKSTAT6, .line = (line_), \
	.column = (column_), .gauge = true
/* Sums over the CPUs of numbers of 32 bits. */
#define CONNTRACK(column_) \
	.name = "conntrack." column_, .group = TCT_GROUP_CONNTRACK, .line = "conntrack", \
	.column = (column_)
#define SOFTNET(column_) \
	.name = "softnet." column_, .group = TCT_GROUP_SOFTNET, .line = "softnet", \
	.column = (column_), .host_wide = true

const struct tct_counter tct_counters[] = {
	{
		TCP("ActiveOpens"), .unit = "connections",
		.summary = "SYNs sent for connect(), those that fail included",
		.source = "net/ipv4/tcp_output.c, tcp_connect()",
	},
	{
		TCP("AttemptFails"), .unit = "connections",
		.summary = "handshakes that failed, connect() time-outs too; not those that a listener lets expire",
		.source = "net/ipv4/tcp.c, tcp_done(); tcp_check_req()",
	},
	{
		TCP("CurrEstab"), .gauge = true, .unit = "connections",
		.summary = "ESTABLISHED and CLOSE_WAIT now (older kernels: without CLOSE_WAIT), not accepted ones too",
		.source = "net/ipv4/tcp.c, tcp_set_state()",
	},
	{
		TCP("EstabResets"), .unit = "connections",
		.summary = "established connections that ended at once: resets received, our own aborts, timeouts",
		.source = "net/ipv4/tcp.c, tcp_set_state()",
	},
	{
		TCP("InCsumErrors"), .unit = "segments",
		.summary = "segments with a bad checksum; in InErrs as well",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_rcv()",
	},
	{
		TCP("InErrs"), .unit = "segments",
		.summary = "segments with a bad checksum or header",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_rcv()",
	},
	{
		TCP("InSegs"), .unit = "segments",
		.summary = "packets received, counted after merging: not comparable with OutSegs",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_rcv()",
	},
	{
		TCP("MaxConn"), .gauge = true, .unit = "connections",
		.summary = "always -1: no limit",
		.source = "net/ipv4/proc.c",
	},
	{
		TCP("OutRsts"), .unit = "segments",
		.summary = "resets sent: closed ports, abort on overflow, SO_LINGER 0",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_send_reset(); tcp_send_active_reset()",
	},
	{
		TCP("OutSegs"), .unit = "segments",
		.summary = "segments sent, SYN-ACKs and resets too; without retransmitted data",
		.source = "net/ipv4/tcp_output.c, __tcp_transmit_skb()",
	},
	{
		TCP("PassiveOpens"), .unit = "connections",
		.summary = "connections made by a client's last handshake ACK, not SYNs received",
		.source = "net/ipv4/tcp_minisocks.c, tcp_create_openreq_child()",
	},
	{
		TCP("RetransSegs"), .unit = "segments",
		.summary = "retransmitted data, SYNs and SYN-ACKs: half-open clients inflate it",
		.source = "net/ipv4/tcp_output.c, __tcp_retransmit_skb()",
	},
	{
		TCP("RtoAlgorithm"), .gauge = true, .unit = "",
		.summary = "the retransmission timeout's algorithm: always 1",
		.source = "net/ipv4/proc.c",
	},
	{
		TCP("RtoMax"), .gauge = true, .unit = "ms",
		.summary = "a constant, 120000; doesn't follow tcp_rto_max_ms",
		.source = "net/ipv4/proc.c",
	},
	{
		TCP("RtoMin"), .gauge = true, .unit = "ms",
		.summary = "a constant, 200; doesn't follow tcp_rto_min_us",
		.source = "net/ipv4/proc.c",
	},
	/* Only some kernels: since about 6.17. */
	{
		TCPEXT("BeyondWindow"), .optional = true, .unit = "segments",
		.summary = "data beyond the window that was offered, dropped",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("BusyPollRxPackets"), .unit = "segments",
		.summary = "packets received by busy polling",
		.source = "net/core/dev.c",
	},
	{
		TCPEXT("DelayedACKLocked"), .unit = "",
		.summary = "delayed ACKs put off because the socket was locked",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("DelayedACKLost"), .unit = "segments",
		.summary = "ACKs sent at once because the peer repeated data: our ACK was late or lost",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("DelayedACKs"), .unit = "segments",
		.summary = "delayed ACKs sent",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("EmbryonicRsts"), .unit = "connections",
		.summary = "half-open connections ended by a reset or SYN, or by tcp_abort_on_overflow",
		.source = "net/ipv4/tcp_minisocks.c, tcp_check_req()",
	},
	{
		TCPEXT("IPReversePathFilter"), .unit = "segments",
		.summary = "packets (not TCP's alone) dropped by rp_filter",
		.source = "net/ipv4/ip_input.c, ip_rcv_finish_core()",
	},
	{
		TCPEXT("ListenDrops"), .unit = "",
		.summary = "all SYNs and ACKs that a listener dropped: ListenOverflows and other reasons",
		.source = "net/ipv4/tcp_input.c, tcp_listendrop()",
	},
	{
		TCPEXT("ListenOverflows"), .unit = "",
		.summary = "accept queue full, at the SYN or at the last ACK; every retry counts again",
		.source = "net/ipv4/tcp_input.c, tcp_conn_request(); tcp_v4_syn_recv_sock()",
	},
	{
		TCPEXT("LockDroppedIcmps"), .unit = "",
		.summary = "ICMP errors ignored because the socket was locked",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_err()",
	},
	{
		TCPEXT("OfoPruned"), .unit = "",
		.summary = "a queue of out-of-order data was thrown away; once per event, not per packet",
		.source = "net/ipv4/tcp_input.c, tcp_prune_ofo_queue()",
	},
	{
		TCPEXT("OutOfWindowIcmps"), .unit = "",
		.summary = "ICMP errors ignored because they don't fit the connection",
		.source = "net/ipv4/tcp_ipv4.c, tcp_v4_err()",
	},
	{
		TCPEXT("PAWSActive"), .unit = "segments",
		.summary = "answers to our SYN with an impossible timestamp echo",
		.source = "net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process()",
	},
	{
		TCPEXT("PAWSEstab"), .unit = "segments",
		.summary = "segments dropped for an old timestamp; on older kernels also late ACKs and those in TIME_WAIT",
		.source = "net/ipv4/tcp_input.c, tcp_validate_incoming()",
	},
	/* Only some kernels: since about 6.14; before, in PAWSEstab. */
	{
		TCPEXT("PAWSOldAck"), .optional = true, .unit = "segments",
		.summary = "late plain ACKs with an old timestamp; harmless",
		.source = "net/ipv4/tcp_input.c",
	},
	/* Only some kernels: until tcp_tw_recycle went in 4.12. */
	{
		TCPEXT("PAWSPassive"), .optional = true, .unit = "segments",
		.summary = "connections refused by tcp_tw_recycle because of another client's timestamp",
		.source = "Documentation/networking/snmp_counter.rst",
	},
	/* Only some kernels: new in 2025; before, in PAWSEstab. */
	{
		TCPEXT("PAWSTimewait"), .optional = true, .unit = "segments",
		.summary = "segments dropped for an old timestamp in TIME_WAIT",
		.source = "net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()",
	},
	{
		TCPEXT("PFMemallocDrop"), .unit = "segments",
		.summary = "dropped: the packet had come from the emergency memory",
		.source = "net/core/filter.c, sk_filter_trim_cap()",
	},
	{
		TCPEXT("PruneCalled"), .unit = "",
		.summary = "a receive buffer was over its limit and was tidied up; nothing is lost yet",
		.source = "net/ipv4/tcp_input.c, tcp_prune_queue()",
	},
	{
		TCPEXT("RcvPruned"), .unit = "segments",
		.summary = "tidying up didn't help: the packet is dropped",
		.source = "net/ipv4/tcp_input.c, tcp_prune_queue()",
	},
	{
		TCPEXT("SyncookiesFailed"), .unit = "segments",
		.summary = "invalid cookies",
		.source = "net/ipv4/syncookies.c, cookie_v4_check()",
	},
	{
		TCPEXT("SyncookiesRecv"), .unit = "connections",
		.summary = "valid cookies that came back: much fewer than sent looks like a flood",
		.source = "net/ipv4/syncookies.c, cookie_v4_check()",
	},
	{
		TCPEXT("SyncookiesSent"), .unit = "segments",
		.summary = "SYN-ACKs with a cookie",
		.source = "net/ipv4/syncookies.c",
	},
	{
		TCPEXT("TCPACKSkippedChallenge"), .unit = "segments",
		.summary = "ACKs that were challenges left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPACKSkippedFinWait2"), .unit = "segments",
		.summary = "ACKs in FIN_WAIT2 left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPACKSkippedPAWS"), .unit = "segments",
		.summary = "ACKs to segments with an old timestamp left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPACKSkippedSeq"), .unit = "segments",
		.summary = "ACKs to segments outside the window left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPACKSkippedSynRecv"), .unit = "segments",
		.summary = "ACKs on half-open connections left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPACKSkippedTimeWait"), .unit = "segments",
		.summary = "ACKs in TIME_WAIT left out because of tcp_invalid_ratelimit",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		TCPEXT("TCPAOBad"), .unit = "segments",
		.summary = "segments with a wrong TCP-AO signature",
		.source = "net/ipv4/tcp_ao.c",
	},
	{
		TCPEXT("TCPAODroppedIcmps"), .unit = "",
		.summary = "ICMP errors ignored on TCP-AO connections",
		.source = "net/ipv4/tcp_ao.c",
	},
	{
		TCPEXT("TCPAOGood"), .unit = "segments",
		.summary = "segments with a valid TCP-AO signature",
		.source = "net/ipv4/tcp_ao.c",
	},
	{
		TCPEXT("TCPAOKeyNotFound"), .unit = "segments",
		.summary = "segments whose TCP-AO key isn't known",
		.source = "net/ipv4/tcp_ao.c",
	},
	{
		TCPEXT("TCPAORequired"), .unit = "segments",
		.summary = "segments without the TCP-AO option that the key asks for",
		.source = "net/ipv4/tcp_ao.c",
	},
	{
		TCPEXT("TCPAbortFailed"), .unit = "",
		.summary = "a reset that couldn't be sent: no memory",
		.source = "net/ipv4/tcp_output.c, tcp_send_active_reset()",
	},
	{
		TCPEXT("TCPAbortOnClose"), .unit = "connections",
		.summary = "closed with a reset because unread data was left: an application's habit, no setting",
		.source = "net/ipv4/tcp.c, tcp_close()",
	},
	{
		TCPEXT("TCPAbortOnData"), .unit = "connections",
		.summary = "closed with a reset: data after close(), or SO_LINGER 0",
		.source = "net/ipv4/tcp.c, tcp_close(); tcp_rcv_state_process()",
	},
	{
		TCPEXT("TCPAbortOnLinger"), .unit = "connections",
		.summary = "not kept in FIN_WAIT2 because TCP_LINGER2 is negative",
		.source = "net/ipv4/tcp.c",
	},
	{
		TCPEXT("TCPAbortOnMemory"), .unit = "connections",
		.summary = "closed sockets reset: too many orphans, or tcp_mem[2] exceeded",
		.source = "net/ipv4/tcp.c, tcp_check_oom(); tcp_out_of_resources()",
	},
	{
		TCPEXT("TCPAbortOnTimeout"), .unit = "connections",
		.summary = "given up: retransmissions, probes, keepalive or connect() without an answer",
		.source = "net/ipv4/tcp_timer.c, tcp_write_err()",
	},
	{
		TCPEXT("TCPAckCompressed"), .unit = "segments",
		.summary = "ACKs merged into others",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPAutoCorking"), .unit = "",
		.summary = "small writes held back to fill a segment",
		.source = "net/ipv4/tcp.c",
	},
	{
		TCPEXT("TCPBacklogCoalesce"), .unit = "segments",
		.summary = "packets merged while waiting for a locked socket; normal",
		.source = "net/ipv4/tcp_ipv4.c, tcp_add_backlog()",
	},
	{
		TCPEXT("TCPBacklogDrop"), .unit = "segments",
		.summary = "dropped: too many bytes waited for a locked socket; nothing to do with listen()",
		.source = "net/ipv4/tcp_ipv4.c, tcp_add_backlog()",
	},
	{
		TCPEXT("TCPChallengeACK"), .unit = "segments",
		.summary = "challenge ACKs sent to suspicious segments (RFC 5961)",
		.source = "net/ipv4/tcp_input.c, tcp_send_challenge_ack()",
	},
	{
		TCPEXT("TCPDSACKIgnoredNoUndo"), .unit = "segments",
		.summary = "D-SACKs ignored: there is nothing to undo",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKIgnoredOld"), .unit = "segments",
		.summary = "D-SACKs ignored: the data is no longer known",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKOfoRecv"), .unit = "segments",
		.summary = "D-SACKs received for out-of-order data",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKOfoSent"), .unit = "segments",
		.summary = "D-SACKs sent for out-of-order data that came twice",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKOldSent"), .unit = "segments",
		.summary = "D-SACKs sent for data that came twice",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKRecv"), .unit = "segments",
		.summary = "D-SACKs received: our retransmission was needless",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKRecvSegs"), .unit = "segments",
		.summary = "segments that D-SACKs reported as received twice",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDSACKUndo"), .unit = "",
		.summary = "a window reduction undone because D-SACKs showed needless retransmissions",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDeferAcceptDrop"), .unit = "segments",
		.summary = "last handshake ACKs held back by TCP_DEFER_ACCEPT; normal",
		.source = "net/ipv4/tcp_minisocks.c, tcp_check_req()",
	},
	{
		TCPEXT("TCPDelivered"), .unit = "segments",
		.summary = "segments that peers acknowledged, SYNs included",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPDeliveredCE"), .unit = "segments",
		.summary = "of those, marked for congestion on the way (ECN)",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPFastOpenActive"), .unit = "connections",
		.summary = "connect() with Fast Open that worked",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenActiveFail"), .unit = "connections",
		.summary = "connect() with Fast Open whose data wasn't taken",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenBlackhole"), .unit = "",
		.summary = "times that Fast Open was paused because a path swallows it",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenCookieReqd"), .unit = "segments",
		.summary = "requests for a Fast Open cookie",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenListenOverflow"), .unit = "",
		.summary = "Fast Open refused: too many of its connections wait",
		.source = "net/ipv4/tcp_fastopen.c, tcp_fastopen_queue_check()",
	},
	{
		TCPEXT("TCPFastOpenPassive"), .unit = "connections",
		.summary = "connections accepted with Fast Open",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenPassiveAltKey"), .unit = "segments",
		.summary = "Fast Open cookies made with the second key",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastOpenPassiveFail"), .unit = "segments",
		.summary = "Fast Open SYNs with a cookie that wasn't valid",
		.source = "net/ipv4/tcp_fastopen.c",
	},
	{
		TCPEXT("TCPFastRetrans"), .unit = "segments",
		.summary = "segments retransmitted without waiting for a timeout",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPFromZeroWindowAdv"), .unit = "",
		.summary = "a closed receive window was opened again",
		.source = "net/ipv4/tcp_output.c, tcp_select_window()",
	},
	{
		TCPEXT("TCPFullUndo"), .unit = "",
		.summary = "a window reduction undone: all retransmissions had been needless",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPHPAcks"), .unit = "segments",
		.summary = "ACKs received on the fast path; statistics only",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPHPHits"), .unit = "segments",
		.summary = "segments received on the fast path; statistics only",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPHystartDelayDetect"), .unit = "",
		.summary = "slow starts ended by Hystart's delay test",
		.source = "net/ipv4/tcp_cubic.c",
	},
	{
		TCPEXT("TCPHystartTrainDetect"), .unit = "",
		.summary = "slow starts ended by Hystart's train test",
		.source = "net/ipv4/tcp_cubic.c",
	},
	{
		TCPEXT("TCPKeepAlive"), .unit = "segments",
		.summary = "keepalive probes sent",
		.source = "net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
	},
	{
		TCPEXT("TCPLossFailures"), .unit = "",
		.summary = "timeouts while a timeout's losses were still being repaired",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("TCPLossProbeRecovery"), .unit = "",
		.summary = "losses repaired by a tail loss probe",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPLossProbes"), .unit = "segments",
		.summary = "tail loss probes sent",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPLossUndo"), .unit = "",
		.summary = "a timeout's window reduction undone",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPLostRetransmit"), .unit = "segments",
		.summary = "retransmissions that were lost again",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPMD5Failure"), .unit = "segments",
		.summary = "segments with a wrong MD5 signature",
		.source = "net/ipv4/tcp.c",
	},
	{
		TCPEXT("TCPMD5NotFound"), .unit = "segments",
		.summary = "segments without the expected MD5 signature",
		.source = "net/ipv4/tcp.c",
	},
	{
		TCPEXT("TCPMD5Unexpected"), .unit = "segments",
		.summary = "segments with an MD5 signature that nobody asked for",
		.source = "net/ipv4/tcp.c",
	},
	{
		TCPEXT("TCPMTUPFail"), .unit = "segments",
		.summary = "path MTU probes that failed",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPMTUPSuccess"), .unit = "segments",
		.summary = "path MTU probes that got through",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPMemoryPressures"), .unit = "",
		.summary = "times that TCP's memory went above tcp_mem[1]: host-wide, counted where it was seen",
		.source = "net/ipv4/tcp.c, tcp_enter_memory_pressure()",
	},
	{
		TCPEXT("TCPMemoryPressuresChrono"), .unit = "ms",
		.summary = "time above tcp_mem[1], added when it ends",
		.source = "net/ipv4/tcp.c, tcp_leave_memory_pressure()",
	},
	{
		TCPEXT("TCPMigrateReqFailure"), .unit = "connections",
		.summary = "waiting connections that couldn't be handed over",
		.source = "net/core/sock_reuseport.c; net/ipv4/tcp_minisocks.c",
	},
	{
		TCPEXT("TCPMigrateReqSuccess"), .unit = "connections",
		.summary = "waiting connections handed to another listener (tcp_migrate_req)",
		.source = "net/core/sock_reuseport.c; net/ipv4/tcp_minisocks.c",
	},
	{
		TCPEXT("TCPMinTTLDrop"), .unit = "segments",
		.summary = "dropped: the TTL was below IP_MINTTL",
		.source = "net/ipv4/tcp_ipv4.c",
	},
	{
		TCPEXT("TCPOFODrop"), .unit = "segments",
		.summary = "segments received out of order and dropped: no memory",
		.source = "net/ipv4/tcp_input.c, tcp_data_queue_ofo()",
	},
	{
		TCPEXT("TCPOFOMerge"), .unit = "segments",
		.summary = "out-of-order segments that overlapped others",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPOFOQueue"), .unit = "segments",
		.summary = "segments received out of order and kept",
		.source = "net/ipv4/tcp_input.c, tcp_data_queue_ofo()",
	},
	{
		TCPEXT("TCPOrigDataSent"), .unit = "segments",
		.summary = "data segments sent for the first time: the base for retransmission ratios",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPPartialUndo"), .unit = "",
		.summary = "a window reduction undone in part",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPPureAcks"), .unit = "segments",
		.summary = "ACKs without data received on the slow path; statistics only",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPRcvCoalesce"), .unit = "segments",
		.summary = "received packets merged in the receive queue; normal",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPRcvCollapsed"), .unit = "",
		.summary = "received buffers copied together to save memory; costs CPU",
		.source = "net/ipv4/tcp_input.c, tcp_collapse()",
	},
	{
		TCPEXT("TCPRcvQDrop"), .unit = "segments",
		.summary = "dropped: data in order, but no memory to keep it",
		.source = "net/ipv4/tcp_input.c, tcp_data_queue()",
	},
	{
		TCPEXT("TCPRenoFailures"), .unit = "",
		.summary = "timeouts after duplicate ACKs that had not begun a recovery, without SACK",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("TCPRenoRecovery"), .unit = "",
		.summary = "times that lost segments were recovered without SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPRenoRecoveryFail"), .unit = "",
		.summary = "timeouts during a recovery without SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPRenoReorder"), .unit = "",
		.summary = "reordering seen without SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPReqQFullDoCookies"), .unit = "segments",
		.summary = "SYN queue full and a cookie sent (with tcp_syncookies=2: every SYN)",
		.source = "net/ipv4/tcp_input.c, tcp_syn_flood_action()",
	},
	{
		TCPEXT("TCPReqQFullDrop"), .unit = "segments",
		.summary = "SYN queue full and, without cookies, the SYN dropped",
		.source = "net/ipv4/tcp_input.c, tcp_syn_flood_action()",
	},
	{
		TCPEXT("TCPRetransFail"), .unit = "segments",
		.summary = "retransmissions that the host itself couldn't send: queue or device",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPSACKReneging"), .unit = "",
		.summary = "a receiver dropped data that it had reported as received",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSACKReorder"), .unit = "",
		.summary = "reordering seen through SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSYNChallenge"), .unit = "segments",
		.summary = "challenge ACKs sent to a SYN on a live connection",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSackFailures"), .unit = "",
		.summary = "timeouts after SACKs that had not begun a recovery",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("TCPSackRecovery"), .unit = "",
		.summary = "times that lost segments were recovered with SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSackRecoveryFail"), .unit = "",
		.summary = "timeouts during a recovery with SACK",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSlowStartRetrans"), .unit = "segments",
		.summary = "segments retransmitted after a timeout",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPSpuriousRTOs"), .unit = "",
		.summary = "timeouts that turned out to be needless (F-RTO)",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPSpuriousRtxHostQueues"), .unit = "segments",
		.summary = "retransmissions left out: the original is still in the host's own queue",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPSynRetrans"), .unit = "segments",
		.summary = "SYNs and SYN-ACKs sent again: servers count here too",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPTSReorder"), .unit = "",
		.summary = "reordering seen through timestamps",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TCPTimeWaitOverflow"), .unit = "connections",
		.summary = "closed without TIME_WAIT: tcp_max_tw_buckets reached, or no memory",
		.source = "net/ipv4/tcp_minisocks.c, tcp_time_wait()",
	},
	{
		TCPEXT("TCPTimeouts"), .unit = "",
		.summary = "retransmission timeouts, each SYN-ACK's included: not a measure of data loss alone",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		TCPEXT("TCPToZeroWindowAdv"), .unit = "",
		.summary = "the receive window was closed: the application reads too slowly",
		.source = "net/ipv4/tcp_output.c, tcp_select_window()",
	},
	{
		TCPEXT("TCPWantZeroWindowAdv"), .unit = "",
		.summary = "the receive window should have closed, but a promised one can't be taken back",
		.source = "net/ipv4/tcp_output.c, tcp_select_window()",
	},
	{
		TCPEXT("TCPWinProbe"), .unit = "segments",
		.summary = "probes of a closed window sent",
		.source = "net/ipv4/tcp_output.c",
	},
	{
		TCPEXT("TCPWqueueTooBig"), .unit = "",
		.summary = "a segment wasn't split: the write queue is over its limit",
		.source = "net/ipv4/tcp_output.c, tcp_fragment()",
	},
	{
		TCPEXT("TCPZeroWindowDrop"), .unit = "segments",
		.summary = "dropped: data sent into our closed window",
		.source = "net/ipv4/tcp_input.c",
	},
	/* Only some kernels: since about 6.15. */
	{
		TCPEXT("TSEcrRejected"), .optional = true, .unit = "segments",
		.summary = "last handshake ACKs with an impossible timestamp echo",
		.source = "net/ipv4/tcp_minisocks.c, tcp_check_req()",
	},
	{
		TCPEXT("TW"), .unit = "sockets",
		.summary = "TIME_WAIT sockets made, and FIN_WAIT2 ones with more than 4 s to live",
		.source = "net/ipv4/inet_timewait_sock.c",
	},
	{
		TCPEXT("TWKilled"), .unit = "sockets",
		.summary = "closed sockets kept for at most 4 s (FIN_WAIT2 with a small timeout); nothing was killed",
		.source = "net/ipv4/inet_timewait_sock.c",
	},
	{
		TCPEXT("TWRecycled"), .unit = "sockets",
		.summary = "a connect() took over a TIME_WAIT port: tcp_tw_reuse worked; not tcp_tw_recycle",
		.source = "net/ipv4/inet_hashtables.c, __inet_check_established()",
	},
	{
		TCPEXT("TcpDuplicateDataRehash"), .unit = "",
		.summary = "times that duplicate data chose another path hash",
		.source = "net/ipv4/tcp_input.c",
	},
	{
		TCPEXT("TcpTimeoutRehash"), .unit = "",
		.summary = "times that a timeout chose another path hash",
		.source = "net/ipv4/tcp_timer.c",
	},
	/* Only some kernels: "delete_list", always 0, stood here before about 5.16. */
	{
		CONNTRACK("chainlength"), .optional = true, .unit = "connections",
		.summary = "not tracked, so dropped: the hash chain was too long; nf_conntrack_buckets is small",
		.source = "net/netfilter/nf_conntrack_core.c, __nf_conntrack_confirm()",
	},
	/* Only some kernels: "searched" stood here before about 5.10. */
	{
		CONNTRACK("clashres"), .optional = true, .unit = "packets",
		.summary = "two packets began the same connection at once, and both could pass",
		.source = "net/netfilter/nf_conntrack_core.c, nf_ct_resolve_clash()",
	},
	{
		CONNTRACK("drop"), .unit = "packets",
		.summary = "dropped: no entry could be made (table full, no memory), or another one stood in its way",
		.source = "net/netfilter/nf_conntrack_core.c, nf_conntrack_in()",
	},
	{
		CONNTRACK("early_drop"), .unit = "connections",
		.summary = "entries that weren't sure yet (no traffic both ways), thrown out because the table was full",
		.source = "net/netfilter/nf_conntrack_core.c, early_drop()",
	},
	{
		CONNTRACK("icmp_error"), .unit = "packets",
		.summary = "ICMP messages that are broken or belong to nothing tracked; no sign of load",
		.source = "net/netfilter/nf_conntrack_core.c, nf_conntrack_handle_icmp()",
	},
	{
		CONNTRACK("insert_failed"), .unit = "connections",
		.summary = "an entry was not taken in: another one with its addresses was there; drop may count it, too",
		.source = "net/netfilter/nf_conntrack_core.c, __nf_conntrack_confirm()",
	},
	{
		CONNTRACK("invalid"), .unit = "packets",
		.summary = "packets that belong to no connection that is tracked; rules may drop them",
		.source = "net/netfilter/nf_conntrack_core.c, nf_conntrack_in()",
	},
	{
		CONNTRACK("search_restart"), .unit = "",
		.summary = "lookups begun anew because an entry moved meanwhile",
		.source = "net/netfilter/nf_conntrack_core.c, ____nf_conntrack_find()",
	},
	{
		SOCKSTAT("TCP", "alloc"), .host_wide = true, .unit = "sockets",
		.summary = "TCP sockets allocated on the whole host",
		.source = "net/ipv4/proc.c, sockstat_seq_show()",
	},
	{
		SOCKSTAT("TCP", "inuse"), .unit = "sockets",
		.summary = "AF_INET sockets and listeners; not TIME_WAIT, SYN_RECV or dual-stack listeners' clients",
		.source = "net/ipv4/proc.c, sockstat_seq_show()",
	},
	{
		SOCKSTAT("TCP", "mem"), .host_wide = true, .unit = "pages",
		.summary = "memory of all TCP sockets of the host, against tcp_mem; approximate",
		.source = "net/ipv4/proc.c, sockstat_seq_show()",
	},
	{
		SOCKSTAT("TCP", "orphan"), .host_wide = true, .unit = "sockets",
		.summary = "sockets that no process holds any more, of the whole host; against tcp_max_orphans",
		.source = "net/ipv4/proc.c, sockstat_seq_show()",
	},
	{
		SOCKSTAT("TCP", "tw"), .unit = "sockets",
		.summary = "TIME_WAIT sockets and waiting FIN_WAIT2 ones, IPv4 and IPv6",
		.source = "net/ipv4/proc.c, sockstat_seq_show()",
	},
	{
		SOCKSTAT("sockets", "used"), .unit = "sockets",
		.summary = "sockets of the namespace, of all families",
		.source = "net/socket.c, socket_seq_show()",
	},
	{
		SOCKSTAT6("TCP6", "inuse"), .unit = "sockets",
		.summary = "AF_INET6 sockets, IPv4 clients of dual-stack listeners too",
		.source = "net/ipv6/proc.c, sockstat6_seq_show()",
	},
	{
		SOFTNET("dropped"), .unit = "packets",
		.summary = "the per-CPU queue of netdev_max_backlog was full; a plain NAPI card without RPS never uses it",
		.source = "net/core/dev.c, enqueue_to_backlog()",
	},
	{
		SOFTNET("flow_limit"), .unit = "packets",
		.summary = "dropped because one flow filled the per-CPU queue (flow_limit_cpu_bitmap)",
		.source = "net/core/dev.c, skb_flow_limit()",
	},
	{
		SOFTNET("processed"), .unit = "packets",
		.summary = "packets taken in by the whole host, loopback too; wraps at 32 bits for each CPU",
		.source = "net/core/dev.c, process_backlog(), __netif_receive_skb_core()",
	},
	{
		SOFTNET("received_rps"), .unit = "",
		.summary = "times that another CPU had packets for this one (RPS)",
		.source = "net/core/dev.c, rps_trigger_softirq()",
	},
	{
		SOFTNET("time_squeeze"), .unit = "",
		.summary = "work was left over when netdev_budget or its time was used up; nothing is lost by that",
		.source = "net/core/dev.c, net_rx_action()",
	},
};

const size_t tct_counters_count = TCT_COUNT(tct_counters);
