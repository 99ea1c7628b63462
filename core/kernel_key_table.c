/*
 * The facts about each key, one entry a key. Every range of a key that a network namespace can
 * write is tried against the running kernel by tests/netns/test_kernel_keys.c.
 */
#include "core/kernel_keys.h"

#include "core/mem.h"

/* clang-format off */

#define TYPE(handler_, fields_, unit_, min_, max_)                                                 \
	.handler = TCT_HANDLER_##handler_, .fields = (fields_), .unit = TCT_UNIT_##unit_,          \
	.min = (min_), .max = (max_)
#define SANE(from, to) .sane_min = (from), .sane_max = (to)
#define BUILT_IN(...) .default_known = true, .default_value = { __VA_ARGS__ }
#define HALF_OF_THE_TABLE                                                                          \
	.default_part_of = "net.ipv4.tcp_ehash_entries", .default_divisor = 2, .default_least = 0
#define NETNS .scope = TCT_SCOPE_NETNS
#define HOST .scope = TCT_SCOPE_HOST
#define EFFECT(effect_) .effect = TCT_EFFECT_##effect_

/* INT_MAX / HZ. The lowest HZ in use takes the most; what HZ = 1000 takes is taken everywhere. */
#define SECONDS_MAX INT64_C(21474836)
#define SECONDS_MAX_ANYWHERE INT64_C(2147483)

#define ANY_INT(unit_) TYPE(INT, 1, unit_, INT32_MIN, INT32_MAX)
#define SMALL(unit_) TYPE(U8, 1, unit_, 0, 255)
#define SWITCH SMALL(COUNT), SANE(0, 1)
#define SECONDS TYPE(SECONDS, 1, S, -SECONDS_MAX, SECONDS_MAX)
#define MILLISECONDS TYPE(MS, 1, MS, 0, INT32_MAX)
#define WORD TYPE(WORD, 1, NAME, 0, 0), SANE(0, 0)
#define WORDS TYPE(WORDS, 1, NAME, 0, 0), SANE(0, 0)

#define SYSCTL_TABLE "net/ipv4/sysctl_net_ipv4.c; Documentation/networking/ip-sysctl.rst"
#define CORE_TABLE "net/core/sysctl_net_core.c; Documentation/admin-guide/sysctl/net.rst"
#define CONNTRACK_TABLE "net/netfilter/nf_conntrack_standalone.c"
#define CONNTRACK_MODULE "nf_conntrack"

/* The last four lines of each conntrack timeout but its default. */
#define CONNTRACK_TIMEOUT(default_)                                                                \
	SECONDS, SANE(1, SECONDS_MAX_ANYWHERE), NETNS, EFFECT(TIMER), BUILT_IN(default_),          \
	.module = CONNTRACK_MODULE, .source = CONNTRACK_TABLE

const struct tct_kernel_key tct_kernel_keys[] = {
	{
		.name = "fs.file-max",
		TYPE(ULONG, 1, COUNT, 0, INT64_MAX), SANE(8192, INT64_MAX), HOST, EFFECT(LIVE),
		.default_text = "about 10 % of memory in KiB, at least 8192",
		.summary = "open files of the whole host; beyond it open() and accept() fail with ENFILE",
		.source = "fs/file_table.c, alloc_empty_file()",
	},
	{
		.name = "fs.nr_open",
		TYPE(UINT, 1, COUNT, 64, INT64_C(2147483584)), SANE(1024, INT64_C(2147483584)),
		HOST, EFFECT(LIVE), BUILT_IN(1048576), .default_text = "1048576",
		.summary = "ceiling for a process's RLIMIT_NOFILE; that limit, not this, gives EMFILE",
		.source = "fs/file.c",
	},
	{
		.name = "net.core.default_qdisc",
		WORD, HOST, EFFECT(QDISC),
		.default_text = "pfifo_fast, or what the kernel was built with",
		.summary = "queueing discipline that interfaces get when they come up",
		.source = "net/core/sysctl_net_core.c; net/sched/sch_api.c, qdisc_set_default()",
	},
	{
		.name = "net.core.netdev_max_backlog",
		ANY_INT(COUNT), SANE(100, 1000000), HOST, EFFECT(LIVE), BUILT_IN(1000),
		.default_text = "1000",
		.summary = "packets waiting per CPU for loopback, veth, tunnels and RPS; not a NIC's ring",
		.source = "net/core/dev.c, enqueue_to_backlog()",
	},
	{
		.name = "net.core.optmem_max",
		TYPE(INT_RANGE, 1, BYTES, 0, INT32_MAX), SANE(10240, INT64_C(1) << 24), NETNS,
		EFFECT(LIVE),
		BUILT_IN(131072), .default_since = TCT_VERSION(6, 8),
		.default_text = "131072 (20480 before 6.8)",
		.summary = "memory per socket for options: zerocopy notifications, control messages, filters",
		.source = CORE_TABLE,
	},
	{
		.name = "net.core.rmem_default",
		TYPE(INT_RANGE, 1, BYTES, 2304, INT32_MAX), SANE(4096, INT64_C(1) << 30), HOST,
		EFFECT(SOCKET), .default_text = "212992",
		.summary = "receive buffer of sockets that are not TCP; TCP takes tcp_rmem[1]",
		.source = CORE_TABLE,
	},
	{
		.name = "net.core.rmem_max",
		TYPE(INT_RANGE, 1, BYTES, 2304, INT32_MAX), SANE(65536, INT64_C(1) << 30), HOST,
		EFFECT(OPTION), BUILT_IN(4194304), .default_since = TCT_VERSION(6, 18),
		.default_text = "4194304 (212992 before 6.18)",
		.summary = "cap on SO_RCVBUF; no limit on TCP's automatic receive buffers",
		.source = CORE_TABLE,
	},
	{
		/* Kept in 16 bits before 5.0: larger values were refused or wrapped. */
		.name = "net.core.somaxconn",
		TYPE(INT_RANGE, 1, COUNT, 0, INT32_MAX), SANE(128, 65535), NETNS, EFFECT(LISTEN),
		.caps_accept_queue = true,
		BUILT_IN(4096), .default_since = TCT_VERSION(5, 4),
		.default_text = "4096 (128 before 5.4)",
		.summary = "cap on the backlog argument of listen(): accept queue and SYN queue",
		.source = "net/socket.c, __sys_listen(); listen(2)",
	},
	{
		.name = "net.core.wmem_default",
		TYPE(INT_RANGE, 1, BYTES, 4608, INT32_MAX), SANE(4608, INT64_C(1) << 30), HOST,
		EFFECT(SOCKET), .default_text = "212992",
		.summary = "send buffer of sockets that are not TCP; TCP takes tcp_wmem[1]",
		.source = CORE_TABLE,
	},
	{
		.name = "net.core.wmem_max",
		TYPE(INT_RANGE, 1, BYTES, 4608, INT32_MAX), SANE(65536, INT64_C(1) << 30), HOST,
		EFFECT(OPTION), BUILT_IN(4194304), .default_since = TCT_VERSION(6, 18),
		.default_text = "4194304 (212992 before 6.18)",
		.summary = "cap on SO_SNDBUF; no limit on TCP's automatic send buffers",
		.source = CORE_TABLE,
	},
	{
		.name = "net.ipv4.conf.all.rp_filter",
		ANY_INT(COUNT), SANE(0, 2), NETNS, EFFECT(LIVE), BUILT_IN(0),
		.default_text = "0 (distributions set 1 or 2)",
		.summary = "reverse path filter; the larger of this and the interface's own value counts",
		.source = "include/linux/inetdevice.h, IN_DEV_RPFILTER",
	},
	{
		.name = "net.ipv4.conf.default.rp_filter",
		ANY_INT(COUNT), SANE(0, 2), NETNS, EFFECT(INTERFACE), BUILT_IN(0),
		.default_text = "0 (distributions set 1 or 2)",
		.summary = "reverse path filter of new interfaces, and of those that have none of their own",
		.source = "net/ipv4/devinet.c",
	},
	{
		.name = "net.ipv4.icmp_msgs_burst",
		TYPE(INT_RANGE, 1, COUNT, 0, INT32_MAX), SANE(1, 1000000), NETNS, EFFECT(LIVE),
		BUILT_IN(50),
		.default_text = "50",
		.summary = "ICMP messages that may be sent at once before icmp_msgs_per_sec counts",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.icmp_msgs_per_sec",
		TYPE(INT_RANGE, 1, COUNT, 0, INT32_MAX), SANE(1, 1000000), NETNS, EFFECT(LIVE),
		BUILT_IN(1000), .default_text = "1000",
		.summary = "ICMP messages sent per second to all destinations together",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.icmp_ratelimit",
		MILLISECONDS, SANE(0, 60000), NETNS, EFFECT(LIVE), BUILT_IN(1000),
		.default_text = "1000",
		.summary = "least time between ICMP messages to one destination; 0 = no limit",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.ip_autobind_reuse",
		TYPE(U8, 1, COUNT, 0, 1), SANE(0, 1), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(5, 7),
		BUILT_IN(0), .default_text = "0",
		.summary = "bind(0) may share a port as a last resort if all its sockets have SO_REUSEADDR",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.ip_forward",
		ANY_INT(COUNT), SANE(0, 1), NETNS, EFFECT(LIVE), BUILT_IN(0),
		.write_first = true, .default_text = "0",
		.also = "net.ipv4.conf.all.forwarding",
		.summary = "route packets between interfaces; a change resets other keys, so it goes first",
		.source = "net/ipv4/devinet.c, devinet_sysctl_forward()",
	},
	{
		/* What is reserved is so before the range takes it in. */
		.name = "net.ipv4.ip_local_port_range",
		TYPE(PORT_RANGE, 2, PORT, 1, 65535), SANE(1024, 65535), NETNS, EFFECT(LIVE),
		.ordered = true, BUILT_IN(32768, 60999), .default_text = "32768 60999",
		.write_after = "net.ipv4.ip_local_reserved_ports",
		.refused_below = "net.ipv4.ip_unprivileged_port_start",
		.summary = "ports for connect() and bind(0); a limit per destination, not in total",
		.source = "net/ipv4/sysctl_net_ipv4.c, ipv4_local_port_range()",
	},
	{
		.name = "net.ipv4.ip_local_reserved_ports",
		TYPE(PORT_BITMAP, 1, PORT, 0, 65535), SANE(0, 65535), NETNS, EFFECT(LIVE),
		.default_text = "empty",
		.summary = "ports that are never chosen automatically; an explicit bind() still gets them",
		.source = SYSCTL_TABLE,
	},
	{
		/* Refused above the low end of ip_local_port_range. */
		.name = "net.ipv4.ip_unprivileged_port_start",
		TYPE(INT_RANGE, 1, PORT, 0, 65535), SANE(0, 65535), NETNS, EFFECT(LIVE),
		BUILT_IN(1024),
		.default_text = "1024", .since = TCT_VERSION(4, 11),
		.write_after = "net.ipv4.ip_local_port_range",
		.refused_above = "net.ipv4.ip_local_port_range",
		.summary = "first port that needs no CAP_NET_BIND_SERVICE",
		.source = "net/ipv4/sysctl_net_ipv4.c, ipv4_privileged_ports()",
	},
	{
		.name = "net.ipv4.tcp_abort_on_overflow",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(0), .default_text = "0",
		.summary = "reset a client whose last handshake ACK finds the accept queue full",
		.source = "net/ipv4/tcp_minisocks.c, tcp_check_req()",
	},
	{
		.name = "net.ipv4.tcp_adv_win_scale",
		TYPE(INT_RANGE, 1, COUNT, -31, 31), SANE(-31, 31), NETNS, EFFECT(NONE),
		.no_op_since = TCT_VERSION(6, 6), .default_text = "1",
		.summary = "share of the receive buffer offered as window; without effect since 6.6",
		.source = SYSCTL_TABLE,
	},
	{
		/* In the initial namespace setting an algorithm adds it to this list. */
		.name = "net.ipv4.tcp_allowed_congestion_control",
		WORDS, HOST, EFFECT(LIVE), .write_after = "net.ipv4.tcp_congestion_control",
		.default_text = "reno and the built-in default",
		.summary = "algorithms that a process without CAP_NET_ADMIN, or a namespace, may choose",
		.source = "net/ipv4/tcp_cong.c, tcp_set_allowed_congestion_control()",
	},
	{
		.name = "net.ipv4.tcp_app_win",
		TYPE(U8, 1, COUNT, 0, 31), SANE(0, 31), NETNS, EFFECT(HANDSHAKE), BUILT_IN(31),
		.default_text = "31",
		.summary = "share of the window kept for the application's overhead (1/2^n)",
		.source = "net/ipv4/tcp_input.c, tcp_init_buffer_space()",
	},
	{
		.name = "net.ipv4.tcp_available_congestion_control",
		WORDS, HOST, EFFECT(LIVE), .read_only = true,
		.default_text = "what is built in or loaded",
		.summary = "algorithms that are loaded",
		.source = "net/ipv4/tcp_cong.c",
	},
	{
		.name = "net.ipv4.tcp_backlog_ack_defer",
		TYPE(U8, 1, COUNT, 0, 1), SANE(0, 1), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 7),
		BUILT_IN(1), .default_text = "1",
		.summary = "send one ACK for packets that arrived while the socket was locked",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_base_mss",
		ANY_INT(BYTES), SANE(512, 9000), NETNS, EFFECT(LIVE), BUILT_IN(1024),
		.default_since = TCT_VERSION(4, 1), .default_text = "1024",
		.summary = "segment size that path MTU probing starts from",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_challenge_ack_limit",
		ANY_INT(COUNT), SANE(100, INT32_MAX), NETNS, EFFECT(LIVE), BUILT_IN(INT32_MAX),
		.default_since = TCT_VERSION(6, 0),
		.default_text = "2147483647, no limit (1000 before 6.0)",
		.summary = "challenge ACKs per second (RFC 5961); no limit by default",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_child_ehash_entries",
		TYPE(UINT, 1, COUNT, 0, 16777216), SANE(0, 16777216), NETNS, EFFECT(NETNS),
		.since = TCT_VERSION(6, 1), BUILT_IN(0),
		.default_text = "0, share the host's table",
		.summary = "size of the connection table that namespaces made from here get",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_comp_sack_delay_ns",
		TYPE(ULONG, 1, NS, 0, INT64_MAX), .beyond_max = true,
		SANE(0, INT64_C(100000000)), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(4, 18), BUILT_IN(1000000), .default_text = "1000000",
		.summary = "longest wait before compressed selective ACKs are sent",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_comp_sack_nr",
		SMALL(COUNT), SANE(0, 255), NETNS, EFFECT(LIVE), BUILT_IN(44),
		.default_text = "44",
		.summary = "selective ACKs that may be merged into one; 0 = never",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_comp_sack_rtt_percent",
		TYPE(INT_RANGE, 1, COUNT, 1, 1000), SANE(1, 100), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 19), BUILT_IN(33), .default_text = "33",
		.summary = "share of the round trip time that compressed selective ACKs may wait",
		.source = "net/ipv4/sysctl_net_ipv4.c, after 6.18",
	},
	{
		.name = "net.ipv4.tcp_comp_sack_slack_ns",
		TYPE(ULONG, 1, NS, 0, INT64_MAX), .beyond_max = true,
		SANE(0, INT64_C(100000000)), NETNS, EFFECT(LIVE),
		.default_text = "100000 (10000 after 6.18)",
		.summary = "slack of the timer of compressed selective ACKs",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_congestion_control",
		WORD, NETNS, EFFECT(HANDSHAKE),
		.default_text = "as built, mostly cubic; a namespace copies "
		"the host's",
		.summary = "congestion control of new connections",
		.source = "net/ipv4/tcp_cong.c, tcp_set_default_congestion_control()",
	},
	{
		.name = "net.ipv4.tcp_dsack",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(1), .default_text = "1",
		.summary = "report duplicate segments (D-SACK), so that senders see needless retransmits",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_ecn",
		TYPE(U8, 1, COUNT, 0, 2), SANE(0, 2), NETNS, EFFECT(HANDSHAKE), BUILT_IN(2),
		.default_text = "2",
		.summary = "explicit congestion notification: 0 off, 1 ask and accept, 2 only accept",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_ehash_entries",
		ANY_INT(COUNT), SANE(INT32_MIN, INT32_MAX), NETNS, EFFECT(NETNS), .read_only = true,
		.since = TCT_VERSION(6, 1),
		.default_text = "by memory; negative: the host's, shared",
		.summary = "size of the table of connections",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_fack",
		SWITCH, NETNS, EFFECT(NONE), .no_op_since = TCT_VERSION(4, 15), .default_text = "0",
		.summary = "forward acknowledgement; without effect since 4.15",
		.source = SYSCTL_TABLE,
	},
	{
		/* 0x1, 0x2, 0x4, 0x200 and 0x400 are the bits that mean something. */
		.name = "net.ipv4.tcp_fastopen",
		ANY_INT(COUNT), SANE(0, 0x607), NETNS, EFFECT(LISTEN),
		.late_bits = 0x400, BUILT_IN(1),
		.default_since = TCT_VERSION(4, 4), .default_text = "1, client only",
		.summary = "TCP Fast Open bits: 1 client, 2 server, 4 no cookie sent, 512 none asked, 1024 all",
		.source = "net/ipv4/tcp_fastopen.c; net/ipv4/af_inet.c, __inet_listen_sk()",
	},
	{
		.name = "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
		TYPE(INT_RANGE, 1, S, 0, INT32_MAX), SANE(0, 604800), NETNS, EFFECT(LIVE),
		.default_text = "0, off",
		.summary = "how long Fast Open pauses after a path swallowed its packets",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_fastopen_key",
		TYPE(SECRET, 1, NAME, 0, 0), SANE(0, 0), NETNS, EFFECT(LIVE),
		.default_text = "made when first needed",
		.summary = "secret of the Fast Open cookies; never read, never shown",
		.source = "net/ipv4/sysctl_net_ipv4.c, proc_tcp_fastopen_key()",
	},
	{
		.name = "net.ipv4.tcp_fin_timeout",
		SECONDS, SANE(1, 3600), NETNS, EFFECT(TIMER), BUILT_IN(60), .default_text = "60",
		.summary = "how long a closed socket without owner stays in FIN_WAIT2; not TIME_WAIT",
		.source = "net/ipv4/tcp.c; include/net/tcp.h, tcp_fin_time()",
	},
	{
		.name = "net.ipv4.tcp_frto",
		SMALL(COUNT), SANE(0, 2), NETNS, EFFECT(LIVE), BUILT_IN(2),
		.default_since = TCT_VERSION(4, 4),
		.default_text = "2",
		.summary = "detect needless timeouts (F-RTO); 1 and 2 mean the same",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_invalid_ratelimit",
		MILLISECONDS, SANE(0, 60000), NETNS, EFFECT(LIVE), BUILT_IN(500),
		.default_text = "500",
		.summary = "least time between ACKs that answer packets outside the window",
		.source = "net/ipv4/tcp_input.c, tcp_oow_rate_limited()",
	},
	{
		.name = "net.ipv4.tcp_keepalive_intvl",
		SECONDS, SANE(1, 32767), NETNS, EFFECT(TIMER), BUILT_IN(75), .default_text = "75",
		.summary = "time between keepalive probes; only sockets with SO_KEEPALIVE",
		.source = "net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
	},
	{
		/* 0 kills at the first expiry, without a single probe. */
		.name = "net.ipv4.tcp_keepalive_probes",
		SMALL(COUNT), SANE(1, 127), NETNS, EFFECT(LIVE), BUILT_IN(9), .default_text = "9",
		.summary = "keepalive probes without an answer before the connection is dropped",
		.source = "net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
	},
	{
		.name = "net.ipv4.tcp_keepalive_time",
		SECONDS, SANE(1, SECONDS_MAX_ANYWHERE), NETNS, EFFECT(TIMER), BUILT_IN(7200),
		.default_text = "7200",
		.summary = "idle time before the first keepalive probe; only sockets with SO_KEEPALIVE",
		.source = "net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
	},
	{
		.name = "net.ipv4.tcp_l3mdev_accept",
		TYPE(U8, 1, COUNT, 0, 1), SANE(0, 1), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(4, 5),
		BUILT_IN(0), .default_text = "0",
		.summary = "a listener outside a VRF also accepts connections from inside VRFs",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_limit_output_bytes",
		ANY_INT(BYTES), SANE(65536, INT64_C(1) << 30), NETNS, EFFECT(LIVE),
		BUILT_IN(4194304),
		.default_since = TCT_VERSION(6, 16),
		.default_text = "4194304 (1048576 before 6.16)",
		.summary = "bytes of one connection that may wait in the host's own queues",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_low_latency",
		ANY_INT(COUNT), SANE(0, 1), HOST, EFFECT(NONE), .no_op_since = TCT_VERSION(4, 14),
		.default_text = "0",
		.summary = "without effect since 4.14",
		.source = SYSCTL_TABLE,
	},
	{
		/* Negative: every orphan is one too many. */
		.name = "net.ipv4.tcp_max_orphans",
		ANY_INT(COUNT), SANE(1024, 16777216), HOST, EFFECT(LIVE),
		HALF_OF_THE_TABLE,
		.default_text = "half the connection table",
		.summary = "sockets without owner on the whole host; beyond it they are reset",
		.source = "net/ipv4/tcp.c, tcp_check_oom()",
	},
	{
		.name = "net.ipv4.tcp_max_reordering",
		TYPE(INT_RANGE, 1, COUNT, 1, INT32_MAX), SANE(3, 10000), NETNS, EFFECT(LIVE),
		BUILT_IN(300),
		.default_text = "300",
		.summary = "the most reordering that a connection may learn; caps tcp_reordering",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_max_syn_backlog",
		ANY_INT(COUNT), SANE(128, 4194304), NETNS, EFFECT(LIVE),
		.default_part_of = "net.ipv4.tcp_ehash_entries", .default_divisor = 128,
		.default_least = 128,
		.default_text = "by memory: max(128, connection table / 128)",
		.summary = "half-open connections per listener; only looked at when tcp_syncookies = 0",
		.source = "net/ipv4/tcp_input.c, tcp_conn_request()",
	},
	{
		.name = "net.ipv4.tcp_max_tw_buckets",
		ANY_INT(COUNT), SANE(1024, 16777216), NETNS, EFFECT(LIVE),
		.unlimited = TCT_UNLIMITED_NEGATIVE, HALF_OF_THE_TABLE,
		.default_text = "half the connection table",
		.summary = "TIME_WAIT sockets; a connection beyond it is closed without that protection",
		.source = "net/ipv4/inet_timewait_sock.c, inet_twsk_alloc()",
	},
	{
		.name = "net.ipv4.tcp_mem",
		TYPE(ULONG, 3, PAGES, 0, INT64_MAX), .beyond_max = true,
		SANE(1024, INT64_C(1) << 32), HOST, EFFECT(LIVE),
		.ordered = true, .default_text = "about 4.7, 6.25 and 9.4 % of memory",
		.summary = "memory of all TCP sockets of the host, in pages: calm, pressure, limit",
		.source = "net/ipv4/tcp.c, tcp_init_mem()",
	},
	{
		.name = "net.ipv4.tcp_migrate_req",
		TYPE(U8, 1, COUNT, 0, 1), SANE(0, 1), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(5, 14),
		BUILT_IN(0), .default_text = "0",
		.summary = "a closing SO_REUSEPORT listener hands its waiting connections to a sibling",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_moderate_rcvbuf",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(1), .default_text = "1",
		.summary = "size receive buffers automatically, up to tcp_rmem[2]",
		.source = "net/ipv4/tcp_input.c, tcp_rcv_space_adjust()",
	},
	{
		.name = "net.ipv4.tcp_mtu_probe_floor",
		TYPE(INT_RANGE, 1, BYTES, 48, 65535), SANE(48, 1460), NETNS, EFFECT(LIVE),
		BUILT_IN(48),
		.default_text = "48",
		.summary = "smallest segment that path MTU probing tries",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_mtu_probing",
		SMALL(COUNT), SANE(0, 2), NETNS, EFFECT(LIVE), BUILT_IN(0), .default_text = "0",
		.summary = "find a path's packet size by trying: 0 never, 1 after timeouts, 2 always",
		.source = "net/ipv4/tcp_timer.c, tcp_mtu_probing()",
	},
	{
		.name = "net.ipv4.tcp_no_metrics_save",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(0), .default_text = "0",
		.summary = "when a connection closes, don't remember its destination's round trip time",
		.source = "net/ipv4/tcp_metrics.c, tcp_update_metrics()",
	},
	{
		.name = "net.ipv4.tcp_notsent_lowat",
		TYPE(UINT, 1, BYTES, 0, UINT32_MAX), SANE(1024, UINT32_MAX), NETNS, EFFECT(LIVE),
		BUILT_IN(UINT32_MAX), .default_text = "4294967295, off",
		.summary = "unsent bytes below which a socket counts as writable",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_orphan_retries",
		SMALL(COUNT), SANE(0, 15), NETNS, EFFECT(LIVE), BUILT_IN(0),
		.default_text = "0, meaning 8",
		.summary = "when a closed socket without owner gives up; a time on the model; 0 means 8",
		.source = "net/ipv4/tcp_timer.c, tcp_orphan_retries()",
	},
	{
		.name = "net.ipv4.tcp_pingpong_thresh",
		TYPE(U8, 1, COUNT, 1, 255), SANE(1, 255), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 7),
		BUILT_IN(1), .default_text = "1",
		.summary = "exchanges after which a connection counts as interactive and delays its ACKs",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_rcvbuf_low_rtt",
		TYPE(INT_RANGE, 1, US, 0, INT32_MAX), SANE(0, 1000000), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 19), BUILT_IN(1000), .default_text = "1000",
		.summary = "round trip time below which receive buffers grow more slowly",
		.source = "net/ipv4/sysctl_net_ipv4.c, after 6.18",
	},
	{
		/* The upper end is the current tcp_max_reordering. */
		.name = "net.ipv4.tcp_reordering",
		TYPE(INT_RANGE, 1, COUNT, 1, INT32_MAX), SANE(3, 300), NETNS, EFFECT(SOCKET),
		BUILT_IN(3),
		.default_text = "3", .write_after = "net.ipv4.tcp_max_reordering",
		.refused_above = "net.ipv4.tcp_max_reordering",
		.summary = "reordering that a new connection assumes",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_retries1",
		SMALL(COUNT), SANE(1, 15), NETNS, EFFECT(LIVE), BUILT_IN(3), .default_text = "3",
		.summary = "when to look for another route; a time on the retransmission model, not a count",
		.source = "net/ipv4/tcp_timer.c, tcp_write_timeout()",
	},
	{
		.name = "net.ipv4.tcp_retries2",
		SMALL(COUNT), SANE(3, 30), NETNS, EFFECT(LIVE), BUILT_IN(15),
		.default_text = "15, at least 924.6 s",
		.summary = "when unanswered data kills a connection; a time on the model, not a count",
		.source = "net/ipv4/tcp_timer.c, retransmits_timed_out()",
	},
	{
		.name = "net.ipv4.tcp_rfc1337",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(0), .default_text = "0",
		.summary = "a reset does not end TIME_WAIT",
		.source = "net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()",
	},
	{
		/* Late kernels refuse less than 4096. */
		.name = "net.ipv4.tcp_rmem",
		TYPE(INT_RANGE, 3, BYTES, 1, INT32_MAX), SANE(4096, INT64_C(1) << 30), NETNS,
		EFFECT(SOCKET), .live_fields = 1 << 0 | 1 << 2,
		.ordered = true,
		.default_text = "4096 131072 33554432 (6291456 before 6.16, less on small hosts)",
		.summary = "receive buffer of a TCP socket: guaranteed, at the start, automatic maximum",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_rto_max_ms",
		TYPE(INT_RANGE, 1, MS, 1000, 120000), SANE(1000, 120000), NETNS, EFFECT(SOCKET),
		.since = TCT_VERSION(6, 15), BUILT_IN(120000), .default_text = "120000",
		.summary = "longest retransmission timeout; shortens every tcp_retries2",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_rto_min_us",
		TYPE(INT_RANGE, 1, US, 1, INT32_MAX), SANE(1000, 1000000), NETNS, EFFECT(SOCKET),
		.since = TCT_VERSION(6, 11), BUILT_IN(200000), .default_text = "200000",
		.summary = "shortest retransmission timeout, where no route says otherwise",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_sack",
		SWITCH, NETNS, EFFECT(HANDSHAKE), BUILT_IN(1), .default_text = "1",
		.summary = "selective acknowledgements",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_shrink_window",
		TYPE(U8, 1, COUNT, 0, 1), SANE(0, 1), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 5),
		BUILT_IN(0), .default_text = "0",
		.summary = "the kernel may take back an offered window instead of overrunning the buffer",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_slow_start_after_idle",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(1), .default_text = "1",
		.summary = "start slowly again after an idle time; not looked at by BBR",
		.source = "include/net/tcp.h, tcp_slow_start_after_idle_check()",
	},
	{
		.name = "net.ipv4.tcp_syn_linear_timeouts",
		TYPE(U8, 1, COUNT, 0, 127), SANE(0, 16), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 5),
		BUILT_IN(4), .default_text = "4",
		.summary = "SYNs of a connect() that are repeated every second before the waits double",
		.source = "net/ipv4/tcp_timer.c, tcp_write_timeout()",
	},
	{
		.name = "net.ipv4.tcp_syn_retries",
		TYPE(U8, 1, COUNT, 1, 127), SANE(1, 15), NETNS, EFFECT(LIVE), BUILT_IN(6),
		.default_since = TCT_VERSION(4, 4), .default_text = "6: 131 s (127 s before 6.5)",
		.summary = "how long connect() repeats its SYN before ETIMEDOUT",
		.source = "net/ipv4/tcp_timer.c, tcp_write_timeout()",
	},
	{
		.name = "net.ipv4.tcp_synack_retries",
		SMALL(COUNT), SANE(1, 15), NETNS, EFFECT(LIVE), BUILT_IN(5),
		.default_text = "5: 63 s",
		.summary = "how often a listener repeats its SYN-ACK; cut down under load",
		.source = "net/ipv4/inet_connection_sock.c, reqsk_timer_handler()",
	},
	{
		/* 2 answers every SYN with a cookie: for tests. */
		.name = "net.ipv4.tcp_syncookies",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(1), .default_since = TCT_VERSION(4, 4),
		.default_text = "1",
		.summary = "answer SYNs without state: 0 never, 1 when the SYN queue is full, 2 always",
		.source = "net/ipv4/tcp_input.c, tcp_conn_request()",
	},
	{
		.name = "net.ipv4.tcp_thin_linear_timeouts",
		SWITCH, NETNS, EFFECT(LIVE), BUILT_IN(0), .default_text = "0",
		.summary = "no back-off for the first six retransmissions of a thin stream",
		.source = "net/ipv4/tcp_timer.c",
	},
	{
		/* 2 turns off the random offset and so shows the host's uptime. */
		.name = "net.ipv4.tcp_timestamps",
		SWITCH, NETNS, EFFECT(HANDSHAKE), BUILT_IN(1), .default_text = "1",
		.summary = "timestamps (RFC 7323): PAWS, tcp_tw_reuse and exact round trip times need them",
		.source = "net/core/secure_seq.c; Documentation/networking/ip-sysctl.rst",
	},
	{
		.name = "net.ipv4.tcp_tw_recycle",
		ANY_INT(COUNT), SANE(0, 0), NETNS, EFFECT(LIVE), .until = TCT_VERSION(4, 12),
		BUILT_IN(0),
		.default_text = "0 (removed in 4.12)",
		.summary = "removed in 4.12; before, it dropped connections of clients behind NAT",
		.source = "Documentation/networking/ip-sysctl.rst",
	},
	{
		.name = "net.ipv4.tcp_tw_reuse",
		TYPE(U8, 1, COUNT, 0, 2), SANE(0, 2), NETNS, EFFECT(LIVE), BUILT_IN(2),
		.default_since = TCT_VERSION(4, 18),
		.default_text = "2, loopback only (0 before 4.18)",
		.write_after = "net.ipv4.tcp_timestamps",
		.summary = "connect() may take over a port in TIME_WAIT: 0 no, 1 yes, 2 on loopback",
		.source = "net/ipv4/tcp_ipv4.c, tcp_twsk_unique()",
	},
	{
		.name = "net.ipv4.tcp_tw_reuse_delay",
		TYPE(UINT, 1, MS, 1, 60000), SANE(1, 60000), NETNS, EFFECT(LIVE),
		.since = TCT_VERSION(6, 14), BUILT_IN(1000), .default_text = "1000",
		.summary = "age of a TIME_WAIT socket before tcp_tw_reuse may take it",
		.source = "net/ipv4/tcp_ipv4.c, tcp_twsk_unique()",
	},
	{
		.name = "net.ipv4.tcp_window_scaling",
		SWITCH, NETNS, EFFECT(HANDSHAKE), BUILT_IN(1), .default_text = "1",
		.summary = "windows beyond 64 KiB",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.tcp_wmem",
		TYPE(INT_RANGE, 3, BYTES, 1, INT32_MAX), SANE(4096, INT64_C(1) << 30), NETNS,
		EFFECT(SOCKET), .live_fields = 1 << 0 | 1 << 2,
		.ordered = true, .default_text = "4096 16384 4194304 (less on small hosts)",
		.summary = "send buffer of a TCP socket: guaranteed, at the start, automatic maximum",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.ipv4.udp_mem",
		TYPE(ULONG, 3, PAGES, 0, INT64_MAX), .beyond_max = true,
		SANE(1024, INT64_C(1) << 32), HOST, EFFECT(LIVE),
		.ordered = true, .default_text = "by memory",
		.summary = "memory of all UDP sockets of the host, in pages: calm, pressure, limit",
		.source = SYSCTL_TABLE,
	},
	{
		.name = "net.netfilter.nf_conntrack_buckets",
		TYPE(UINT, 1, COUNT, 0, UINT32_MAX), SANE(1024, INT64_C(1) << 26), HOST,
		EFFECT(LIVE),
		.rounding = 8192, /* to whole pages of 8 byte heads, pages of up to 64 KiB */
		.default_text = "by memory: 262144 above 4 GiB",
		.summary = "size of the connection tracking table; a write re-hashes it",
		.module = CONNTRACK_MODULE,
		.source = CONNTRACK_TABLE,
	},
	{
		.name = "net.netfilter.nf_conntrack_count",
		ANY_INT(COUNT), SANE(0, INT32_MAX), NETNS, EFFECT(LIVE), .read_only = true,
		.default_text = "none, a reading",
		.summary = "connections tracked in this namespace now",
		.module = CONNTRACK_MODULE,
		.source = CONNTRACK_TABLE,
	},
	{
		.name = "net.netfilter.nf_conntrack_max", .also = "net.nf_conntrack_max",
		TYPE(INT_RANGE, 1, COUNT, 0, INT32_MAX), SANE(4096, INT64_C(1) << 28), HOST,
		EFFECT(LIVE),
		.unlimited = TCT_UNLIMITED_ZERO,
		.default_text = "as many as buckets (8 times with hashsize)",
		.write_after = "net.netfilter.nf_conntrack_buckets",
		.summary = "tracked connections per namespace; beyond it new connections' packets are dropped",
		.module = CONNTRACK_MODULE,
		.source = CONNTRACK_TABLE,
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_close",
		CONNTRACK_TIMEOUT(10), .default_text = "10",
		.summary = "how long a connection stays tracked after a reset",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
		CONNTRACK_TIMEOUT(60), .default_text = "60",
		.summary = "how long a connection stays tracked in CLOSE_WAIT",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_established",
		SECONDS, SANE(60, SECONDS_MAX_ANYWHERE), NETNS, EFFECT(TIMER), BUILT_IN(432000),
		.default_text = "432000, 5 days",
		.summary = "how long an idle established connection stays tracked",
		.module = CONNTRACK_MODULE,
		.source = CONNTRACK_TABLE,
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
		CONNTRACK_TIMEOUT(120), .default_text = "120",
		.summary = "how long a connection stays tracked after its first FIN",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
		CONNTRACK_TIMEOUT(30), .default_text = "30",
		.summary = "how long a connection stays tracked after its second FIN",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans",
		CONNTRACK_TIMEOUT(300), .default_text = "300",
		.summary = "how long a connection stays tracked that only retransmits",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_syn_recv",
		CONNTRACK_TIMEOUT(60), .default_text = "60",
		.summary = "how long a connection stays tracked after its SYN-ACK",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
		CONNTRACK_TIMEOUT(120), .default_text = "120",
		.summary = "how long a connection stays tracked after its SYN",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
		CONNTRACK_TIMEOUT(120), .default_text = "120",
		.summary = "how long a closed connection stays tracked; not TCP's own TIME_WAIT",
	},
	{
		.name = "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged",
		CONNTRACK_TIMEOUT(300), .default_text = "300",
		.summary = "how long a connection stays tracked whose data is not acknowledged",
	},
	{
		.name = "net.nf_conntrack_max",
		TYPE(INT_RANGE, 1, COUNT, 0, INT32_MAX), SANE(4096, INT64_C(1) << 28), HOST,
		EFFECT(LIVE),
		.unlimited = TCT_UNLIMITED_ZERO,
		.default_text = "as net.netfilter.nf_conntrack_max",
		.also = "net.netfilter.nf_conntrack_max",
		.write_after = "net.netfilter.nf_conntrack_buckets",
		.summary = "another name of net.netfilter.nf_conntrack_max, in the initial namespace only",
		.module = CONNTRACK_MODULE,
		.source = CONNTRACK_TABLE,
	},
};

const size_t tct_kernel_keys_count = TCT_COUNT(tct_kernel_keys);
