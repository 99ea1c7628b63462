/* Lines of /proc/net/tcp and tcp6 as a kernel printed them. */
#ifndef TCT_TESTS_UNIT_TCP_LINES_H
#define TCT_TESTS_UNIT_TCP_LINES_H

#define HEADING                                                                                    \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define LISTEN4                                                                                       \
	"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000  1000        0 " \
	"4711 1 000000003ed6b8bb 100 0 0 10 0\n"
#define REQUEST4                                                                                      \
	"   1: 0100007F:1F90 0200007F:C15E 03 00000000:00000000 01:0000001A 00000001     0        0 " \
	"0 3 00000000dd1cb0c6\n"
#define ESTABLISHED6                                                                                 \
	"   0: 00000000000000000000000001000000:0016 B80D01200000000000000000FFFFFFFF:D431 01 "      \
	"00000010:00000020 02:000A7214 00000000     0        0 18446744073709551615 2 0 20 4 29 10 " \
	"-1\n"

#endif
