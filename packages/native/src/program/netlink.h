// Building and sending rtnetlink requests.
#ifndef NETLINK_H
#define NETLINK_H

#include "berth.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

struct request { struct nlmsghdr header; char body[2048]; };
struct address { int family; int size; unsigned char bytes[16]; int prefix; };

// Starts a request of this type; body is the fixed structure that follows the header.
void request_start(struct request *r, int type, int flags, const void *body, size_t n);
void request_attribute(struct request *r, int type, const void *data, size_t n);
struct rtattr *request_nest(struct request *r, int type); // until request_end
void request_end(struct request *r, struct rtattr *nest);

// Sends and waits for the acknowledgement. 0, or -1 with errno as the kernel said; text holds the kernel's own words if it gave any.
int request_send(int socket, struct request *r, char *text, size_t text_size);
// Sends a dump request and calls each message.
int request_dump(int socket, struct request *r, void (*each)(struct nlmsghdr *, void *), void *context);
int netlink_open(void);

// "10.0.0.1", "10.0.0.1/24", "fd00::1/64"; without a slash the prefix is the whole address.
bool parse_address(const char *text, struct address *out);
bool parse_mac(const char *text, unsigned char out[6]);
void format_mac(const unsigned char mac[6], char out[18]);

// The listing actions, in net-list.c. They print lines "= ..." into out.
int list_links(int socket, struct buffer *out);
int list_addrs(int socket, int index, struct buffer *out);
int list_routes(int socket, bool own, struct buffer *out);
int list_neighs(int socket, int index, struct buffer *out);

// Runs a batch of action lines and puts the answer (lines) into out. In net-actions.c.
void run_actions(char **lines, int n, struct buffer *out);

enum { ROUTE_PROTOCOL = 98 }; // marks the routes this program made

#endif
