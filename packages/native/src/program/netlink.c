#define _GNU_SOURCE
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int netlink_open(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  int on = 1;
  if (fd >= 0) {
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  }
  return fd;
}

void request_start(struct request *r, int type, int flags, const void *body, size_t n) {
  memset(r, 0, sizeof *r);
  r->header = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(n), .nlmsg_type = (__u16)type, .nlmsg_flags = (__u16)(NLM_F_REQUEST | flags), .nlmsg_seq = 1 };
  memcpy(NLMSG_DATA(&r->header), body, n);
}

void request_attribute(struct request *r, int type, const void *data, size_t n) {
  size_t at = NLMSG_ALIGN(r->header.nlmsg_len);
  if (at + RTA_SPACE(n) > sizeof *r) die(EXIT_FAILED, "netlink request too long");
  struct rtattr *a = (struct rtattr *)((char *)r + at);
  a->rta_type = (unsigned short)type;
  a->rta_len = (unsigned short)RTA_LENGTH(n);
  if (n) memcpy(RTA_DATA(a), data, n);
  r->header.nlmsg_len = (__u32)(at + RTA_LENGTH(n));
}

struct rtattr *request_nest(struct request *r, int type) {
  struct rtattr *nest = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
  request_attribute(r, type, NULL, 0);
  return nest;
}

void request_end(struct request *r, struct rtattr *nest) {
  nest->rta_len = (unsigned short)((char *)r + r->header.nlmsg_len - (char *)nest);
}

// The kernel's words in an acknowledgement (NLMSGERR_ATTR_MSG), if there are any.
static void extended_text(struct nlmsghdr *h, char *text, size_t size) {
  struct nlmsgerr *e = NLMSG_DATA(h);
  if (!(h->nlmsg_flags & NLM_F_ACK_TLVS)) return;
  size_t skip = sizeof *e + (h->nlmsg_flags & NLM_F_CAPPED ? 0 : e->msg.nlmsg_len - sizeof(struct nlmsghdr));
  int left = (int)(h->nlmsg_len - NLMSG_HDRLEN - skip);
  for (struct rtattr *a = (struct rtattr *)((char *)e + skip); RTA_OK(a, left); a = RTA_NEXT(a, left))
    if (a->rta_type == NLMSGERR_ATTR_MSG) snprintf(text, size, "%.*s", (int)RTA_PAYLOAD(a), (char *)RTA_DATA(a));
}

static int exchange(int fd, struct request *r, char *text, size_t size, void (*each)(struct nlmsghdr *, void *), void *context) {
  if (send(fd, r, r->header.nlmsg_len, 0) < 0) return -1;
  static char answer[65536] __attribute__((aligned(8)));
  for (;;) {
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    int left = (int)n;
    for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == NLMSG_DONE) return 0;
      if (h->nlmsg_type == NLMSG_ERROR) {
        int error = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
        if (!error) return 0;
        if (text) extended_text(h, text, size);
        errno = error;
        return -1;
      }
      if (each) each(h, context);
    }
  }
}

int request_send(int fd, struct request *r, char *text, size_t size) {
  r->header.nlmsg_flags |= NLM_F_ACK;
  return exchange(fd, r, text, size, NULL, NULL);
}

int request_dump(int fd, struct request *r, void (*each)(struct nlmsghdr *, void *), void *context) {
  r->header.nlmsg_flags |= NLM_F_DUMP;
  return exchange(fd, r, NULL, 0, each, context);
}

bool parse_address(const char *text, struct address *out) {
  char copy[64];
  if (strlen(text) >= sizeof copy) return false;
  strcpy(copy, text);
  char *slash = strchr(copy, '/');
  if (slash) *slash = 0;
  out->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
  out->size = out->family == AF_INET6 ? 16 : 4;
  out->prefix = out->size * 8;
  if (inet_pton(out->family, copy, out->bytes) != 1) return false;
  unsigned long long prefix;
  if (slash && !parse_number(slash + 1, 10, (unsigned long long)out->prefix, &prefix)) return false;
  if (slash) out->prefix = (int)prefix;
  return true;
}

bool parse_mac(const char *text, unsigned char out[6]) {
  char rest;
  return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", out, out + 1, out + 2, out + 3, out + 4, out + 5, &rest) == 6;
}

void format_mac(const unsigned char mac[6], char out[18]) {
  snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
