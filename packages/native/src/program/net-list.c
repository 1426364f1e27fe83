// What is there: links, addresses, routes and neighbours as lines "= ...", for the daemon to compare with what it wants.
#define _GNU_SOURCE
#include "netlink.h"
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing { struct buffer *out; int index; bool own; };

static void attributes(struct rtattr **table, int max, struct rtattr *a, int left) {
  memset(table, 0, sizeof *table * (size_t)(max + 1));
  for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
    if ((a->rta_type & NLA_TYPE_MASK) <= max) table[a->rta_type & NLA_TYPE_MASK] = a;
}

static const char *link_name(int index, char name[IF_NAMESIZE]) {
  return if_indextoname((unsigned)index, name) ? name : "-";
}

static const char *address_text(int family, struct rtattr *a, char text[INET6_ADDRSTRLEN]) {
  return a && inet_ntop(family, RTA_DATA(a), text, INET6_ADDRSTRLEN) ? text : "-";
}

static void print_link(struct nlmsghdr *h, void *context) {
  struct listing *l = context;
  struct ifinfomsg *info = NLMSG_DATA(h);
  struct rtattr *a[IFLA_MAX + 1], *k[IFLA_INFO_MAX + 1];
  attributes(a, IFLA_MAX, IFLA_RTA(info), (int)IFLA_PAYLOAD(h));
  if (!a[IFLA_IFNAME]) return;
  char mac[18] = "-";
  if (a[IFLA_ADDRESS] && RTA_PAYLOAD(a[IFLA_ADDRESS]) == 6) format_mac(RTA_DATA(a[IFLA_ADDRESS]), mac);
  const char *kind = "-";
  if (a[IFLA_LINKINFO]) {
    attributes(k, IFLA_INFO_MAX, RTA_DATA(a[IFLA_LINKINFO]), (int)RTA_PAYLOAD(a[IFLA_LINKINFO]));
    if (k[IFLA_INFO_KIND]) kind = RTA_DATA(k[IFLA_INFO_KIND]);
  }
  unsigned mtu = a[IFLA_MTU] ? *(unsigned *)RTA_DATA(a[IFLA_MTU]) : 0;
  buffer_printf(l->out, "= link %s %d %s %u %s %s\n", (char *)RTA_DATA(a[IFLA_IFNAME]), info->ifi_index, mac, mtu, info->ifi_flags & IFF_UP ? "up" : "down", kind);
}

static void print_addr(struct nlmsghdr *h, void *context) {
  struct listing *l = context;
  struct ifaddrmsg *info = NLMSG_DATA(h);
  struct rtattr *a[IFA_MAX + 1];
  attributes(a, IFA_MAX, IFA_RTA(info), (int)IFA_PAYLOAD(h));
  char name[IF_NAMESIZE], text[INET6_ADDRSTRLEN];
  if (l->index && l->index != (int)info->ifa_index) return;
  struct rtattr *local = a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS];
  buffer_printf(l->out, "= addr %s %s/%d\n", link_name((int)info->ifa_index, name), address_text(info->ifa_family, local, text), info->ifa_prefixlen);
}

static void print_route(struct nlmsghdr *h, void *context) {
  struct listing *l = context;
  struct rtmsg *info = NLMSG_DATA(h);
  if (info->rtm_flags & RTM_F_CLONED || (info->rtm_type != RTN_UNICAST && info->rtm_type != RTN_UNREACHABLE) || (l->own && info->rtm_protocol != ROUTE_PROTOCOL)) return;
  struct rtattr *a[RTA_MAX + 1];
  attributes(a, RTA_MAX, RTM_RTA(info), (int)RTM_PAYLOAD(h));
  char name[IF_NAMESIZE], dst[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], src[INET6_ADDRSTRLEN];
  const char *any = info->rtm_family == AF_INET6 ? "::" : "0.0.0.0";
  unsigned table = a[RTA_TABLE] ? *(unsigned *)RTA_DATA(a[RTA_TABLE]) : info->rtm_table;
  if (table == RT_TABLE_LOCAL) return;
  buffer_printf(l->out, "= route %s/%d %s via %s src %s protocol %d table %u\n", a[RTA_DST] ? address_text(info->rtm_family, a[RTA_DST], dst) : any, info->rtm_dst_len,
                info->rtm_type == RTN_UNREACHABLE ? "unreachable" : a[RTA_OIF] ? link_name(*(int *)RTA_DATA(a[RTA_OIF]), name) : "-", address_text(info->rtm_family, a[RTA_GATEWAY], via),
                address_text(info->rtm_family, a[RTA_PREFSRC], src), info->rtm_protocol, table);
}

static void print_neigh(struct nlmsghdr *h, void *context) {
  struct listing *l = context;
  struct ndmsg *info = NLMSG_DATA(h);
  struct rtattr *a[NDA_MAX + 1];
  attributes(a, NDA_MAX, (struct rtattr *)((char *)info + NLMSG_ALIGN(sizeof *info)), (int)NLMSG_PAYLOAD(h, sizeof *info));
  if ((l->index && info->ndm_ifindex != l->index) || !(info->ndm_state & NUD_PERMANENT)) return;
  if (info->ndm_family == AF_BRIDGE && !a[NDA_DST]) return; // multicast filters of the device itself
  char mac[18] = "-", text[INET6_ADDRSTRLEN];
  if (a[NDA_LLADDR] && RTA_PAYLOAD(a[NDA_LLADDR]) == 6) format_mac(RTA_DATA(a[NDA_LLADDR]), mac);
  int family = info->ndm_family;
  if (family == AF_BRIDGE && a[NDA_DST]) family = RTA_PAYLOAD(a[NDA_DST]) == 4 ? AF_INET : AF_INET6;
  buffer_printf(l->out, "= %s %s %s\n", info->ndm_family == AF_BRIDGE ? "fdb" : "neigh", address_text(family, a[NDA_DST], text), mac);
}

int list_links(int socket, struct buffer *out) {
  struct request r;
  struct listing l = { .out = out };
  request_start(&r, RTM_GETLINK, 0, &(struct ifinfomsg){0}, sizeof(struct ifinfomsg));
  return request_dump(socket, &r, print_link, &l);
}

int list_addrs(int socket, int index, struct buffer *out) {
  struct request r;
  struct listing l = { .out = out, .index = index };
  request_start(&r, RTM_GETADDR, 0, &(struct ifaddrmsg){0}, sizeof(struct ifaddrmsg));
  return request_dump(socket, &r, print_addr, &l);
}

int list_routes(int socket, bool own, struct buffer *out) {
  static const int families[] = { AF_INET, AF_INET6 };
  for (int i = 0; i < 2; i++) {
    struct request r;
    struct listing l = { .out = out, .own = own };
    struct rtmsg body = { .rtm_family = (unsigned char)families[i] };
    request_start(&r, RTM_GETROUTE, 0, &body, sizeof body);
    if (request_dump(socket, &r, print_route, &l) < 0) return -1;
  }
  return 0;
}

int list_neighs(int socket, int index, struct buffer *out) {
  static const int families[] = { AF_INET, AF_INET6, AF_BRIDGE };
  for (int i = 0; i < 3; i++) {
    struct request r;
    struct listing l = { .out = out, .index = index };
    struct ndmsg body = { .ndm_family = (unsigned char)families[i] };
    request_start(&r, RTM_GETNEIGH, 0, &body, sizeof body);
    if (request_dump(socket, &r, print_neigh, &l) < 0) return -1;
  }
  return 0;
}
