/* What an IP address is, as sockets have it: network byte order, IPv4 in the first word. */
#ifndef TCT_AUDIT_OBSERVE_ADDRESSES_H
#define TCT_AUDIT_OBSERVE_ADDRESSES_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* ::ffff:a.b.c.d, an IPv4 address in an IPv6 socket. */
static inline bool tct_address_is_mapped(uint8_t family, const uint32_t address[4])
{
	return family == AF_INET6 && address[0] == 0 && address[1] == 0 &&
	       address[2] == htonl(0xffff);
}

/* 127.0.0.0/8, mapped too, and ::1. */
static inline bool tct_address_is_loopback(uint8_t family, const uint32_t address[4])
{
	if (family == AF_INET6 && !tct_address_is_mapped(family, address))
		return address[0] == 0 && address[1] == 0 && address[2] == 0 &&
		       address[3] == htonl(1);
	return ntohl(address[family == AF_INET6 ? 3 : 0]) >> 24 == 127;
}

#endif
