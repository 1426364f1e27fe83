// The network actions: a batch of lines, each one netlink request or one sysctl, executed in order.
#define _GNU_SOURCE
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The state of a batch: the socket belongs to the namespace that is current.
struct batch { int socket, home; char text[256]; struct buffer *out; };

enum { BAD_ARGUMENTS = 4096 }; // an "errno" of our own: the line is malformed

static int bad(struct batch *b, const char *what) {
  snprintf(b->text, sizeof b->text, "%s", what);
  errno = BAD_ARGUMENTS;
  return -1;
}

static int send_request(struct batch *b, struct request *r) { return request_send(b->socket, r, b->text, sizeof b->text); }

static int index_of(struct batch *b, const char *device) {
  unsigned index = strlen(device) < IF_NAMESIZE ? if_nametoindex(device) : 0;
  if (!index) {
    snprintf(b->text, sizeof b->text, "no device %s", device);
    errno = ENODEV;
    return -1;
  }
  return (int)index;
}

static int do_in(struct batch *b, int n, char **w) {
  if (n != 2) return bad(b, "usage: in PATH|-");
  if (!strcmp(w[1], "-") ? setns(b->home, CLONE_NEWNET) : enter_netns(w[1])) return -1;
  close(b->socket);
  b->socket = netlink_open();
  return b->socket < 0 ? -1 : 0;
}

static int do_veth(struct batch *b, int n, char **w) {
  unsigned long long mtu;
  unsigned char host_mac[6], peer_mac[6];
  if (n != 7) return bad(b, "usage: veth HOST PEER PATH MTU HOSTMAC PEERMAC");
  if (strlen(w[1]) >= IF_NAMESIZE || strlen(w[2]) >= IF_NAMESIZE) return bad(b, "a device name has at most 15 characters");
  if (!parse_number(w[4], 10, 65535, &mtu) || !parse_mac(w[5], host_mac) || !parse_mac(w[6], peer_mac)) return bad(b, "veth: bad MTU or MAC");
  int netns = open(w[3], O_RDONLY | O_CLOEXEC);
  if (netns < 0) return -1;
  struct request r;
  struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
  unsigned mtu_value = (unsigned)mtu;
  request_start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  request_attribute(&r, IFLA_IFNAME, w[1], strlen(w[1]) + 1);
  request_attribute(&r, IFLA_MTU, &mtu_value, sizeof mtu_value);
  request_attribute(&r, IFLA_ADDRESS, host_mac, 6);
  struct rtattr *link = request_nest(&r, IFLA_LINKINFO);
  request_attribute(&r, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *data = request_nest(&r, IFLA_INFO_DATA);
  struct rtattr *peer = request_nest(&r, VETH_INFO_PEER);
  // The peer's attributes follow an ifinfomsg inside the nest.
  memcpy((char *)&r + NLMSG_ALIGN(r.header.nlmsg_len), &info, sizeof info);
  r.header.nlmsg_len = NLMSG_ALIGN(r.header.nlmsg_len) + sizeof info;
  request_attribute(&r, IFLA_IFNAME, w[2], strlen(w[2]) + 1);
  request_attribute(&r, IFLA_MTU, &mtu_value, sizeof mtu_value);
  request_attribute(&r, IFLA_ADDRESS, peer_mac, 6);
  request_attribute(&r, IFLA_NET_NS_FD, &netns, sizeof netns);
  request_end(&r, peer);
  request_end(&r, data);
  request_end(&r, link);
  int failed = send_request(b, &r), saved = errno;
  close(netns);
  errno = saved;
  return failed;
}

static int do_vxlan(struct batch *b, int n, char **w) {
  unsigned long long vni, port, mtu;
  struct address local;
  unsigned char mac[6];
  if (n != 8) return bad(b, "usage: vxlan DEV VNI PORT LOCAL UNDERDEV MTU MAC");
  if (strlen(w[1]) >= IF_NAMESIZE || !parse_number(w[2], 10, 0xffffff, &vni) || !parse_number(w[3], 10, 65535, &port) || !parse_address(w[4], &local) ||
      local.family != AF_INET || !parse_number(w[6], 10, 65535, &mtu) || !parse_mac(w[7], mac))
    return bad(b, "vxlan: bad device, VNI, port, local address, MTU or MAC");
  int under = index_of(b, w[5]);
  if (under < 0) return -1;
  struct request r;
  unsigned id = (unsigned)vni, mtu_value = (unsigned)mtu;
  unsigned short port_value = htons((unsigned short)port);
  unsigned char learning = 0;
  request_start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){0}, sizeof(struct ifinfomsg));
  request_attribute(&r, IFLA_IFNAME, w[1], strlen(w[1]) + 1);
  request_attribute(&r, IFLA_MTU, &mtu_value, sizeof mtu_value);
  request_attribute(&r, IFLA_ADDRESS, mac, 6);
  struct rtattr *link = request_nest(&r, IFLA_LINKINFO);
  request_attribute(&r, IFLA_INFO_KIND, "vxlan", 5);
  struct rtattr *data = request_nest(&r, IFLA_INFO_DATA);
  request_attribute(&r, IFLA_VXLAN_ID, &id, sizeof id);
  request_attribute(&r, IFLA_VXLAN_LOCAL, local.bytes, 4);
  request_attribute(&r, IFLA_VXLAN_LINK, &under, sizeof under);
  request_attribute(&r, IFLA_VXLAN_PORT, &port_value, sizeof port_value);
  request_attribute(&r, IFLA_VXLAN_LEARNING, &learning, 1);
  request_end(&r, data);
  request_end(&r, link);
  return send_request(b, &r);
}

static int change_link(struct batch *b, const char *device, struct request *r, int type, unsigned flags, unsigned change) {
  int index = index_of(b, device);
  if (index < 0) return -1;
  struct ifinfomsg info = { .ifi_index = index, .ifi_flags = flags, .ifi_change = change };
  request_start(r, type, 0, &info, sizeof info);
  return 0;
}

static int do_link_up(struct batch *b, int n, char **w) {
  struct request r;
  if (n != 2) return bad(b, "usage: link-up DEV");
  return change_link(b, w[1], &r, RTM_NEWLINK, IFF_UP, IFF_UP) ? -1 : send_request(b, &r);
}

static int do_link_del(struct batch *b, int n, char **w) {
  struct request r;
  if (n != 2) return bad(b, "usage: link-del DEV");
  return change_link(b, w[1], &r, RTM_DELLINK, 0, 0) ? -1 : send_request(b, &r);
}

static int do_link_set(struct batch *b, int n, char **w) {
  struct request r;
  unsigned long long mtu;
  unsigned char mac[6];
  if (n != 4) return bad(b, "usage: link-set DEV mtu N|mac MAC|name NEW");
  if (change_link(b, w[1], &r, RTM_NEWLINK, 0, 0)) return -1;
  if (!strcmp(w[2], "mtu") && parse_number(w[3], 10, 65535, &mtu)) request_attribute(&r, IFLA_MTU, &(unsigned){ (unsigned)mtu }, sizeof(unsigned));
  else if (!strcmp(w[2], "mac") && parse_mac(w[3], mac)) request_attribute(&r, IFLA_ADDRESS, mac, 6);
  else if (!strcmp(w[2], "name") && strlen(w[3]) < IF_NAMESIZE) request_attribute(&r, IFLA_IFNAME, w[3], strlen(w[3]) + 1);
  else return bad(b, "link-set: mtu N, mac MAC or name NEW");
  return send_request(b, &r);
}

static int change_addr(struct batch *b, int n, char **w, int type, int flags) {
  struct address a;
  if (n != 3 || !parse_address(w[2], &a)) return bad(b, "usage: addr-add|addr-del DEV CIDR");
  int index = index_of(b, w[1]);
  if (index < 0) return -1;
  struct request r;
  // IFA_F_NODAD: the address is unique by allocation, and waiting for DAD would hold the pod back.
  struct ifaddrmsg body = { .ifa_family = (unsigned char)a.family, .ifa_prefixlen = (unsigned char)a.prefix, .ifa_index = (unsigned)index, .ifa_flags = a.family == AF_INET6 ? IFA_F_NODAD : 0 };
  request_start(&r, type, flags, &body, sizeof body);
  request_attribute(&r, IFA_LOCAL, a.bytes, (size_t)a.size);
  request_attribute(&r, IFA_ADDRESS, a.bytes, (size_t)a.size);
  return send_request(b, &r);
}

static int do_addr_add(struct batch *b, int n, char **w) { return change_addr(b, n, w, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE); }
static int do_addr_del(struct batch *b, int n, char **w) { return change_addr(b, n, w, RTM_DELADDR, 0); }

static int change_route(struct batch *b, int n, char **w, int type, int flags) {
  struct address to, via, src;
  if (n < 3 || !parse_address(w[1], &to)) return bad(b, "usage: route-set|route-del CIDR DEV [via IP] [src IP] [scope link] [onlink] [table N]");
  // A route to nowhere: what is in the range but belongs to nobody is refused here instead of travelling on.
  bool unreachable = !strcmp(w[2], "unreachable");
  int index = unreachable ? 0 : index_of(b, w[2]);
  if (index < 0) return -1;
  bool has_via = false, has_src = false, link_scope = false, onlink = false;
  unsigned long long table = RT_TABLE_MAIN;
  for (int i = 3; i < n; i++) {
    const char *value = i + 1 < n ? w[i + 1] : "";
    if (!strcmp(w[i], "onlink")) onlink = true;
    else if (!strcmp(w[i], "via") && (has_via = parse_address(value, &via))) i++;
    else if (!strcmp(w[i], "src") && (has_src = parse_address(value, &src))) i++;
    else if (!strcmp(w[i], "scope") && !strcmp(value, "link")) link_scope = true, i++;
    else if (!strcmp(w[i], "table") && parse_number(value, 10, 0xffffffff, &table)) i++;
    else return bad(b, "route: via IP, src IP, scope link, onlink or table N");
  }
  struct request r;
  struct rtmsg body = { .rtm_family = (unsigned char)to.family, .rtm_dst_len = (unsigned char)to.prefix, .rtm_table = RT_TABLE_UNSPEC, .rtm_protocol = ROUTE_PROTOCOL, .rtm_type = RTN_UNICAST,
                        .rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : link_scope || !has_via ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, .rtm_flags = onlink ? RTNH_F_ONLINK : 0 };
  if (unreachable) body.rtm_type = RTN_UNREACHABLE;
  if ((to.family == AF_INET6 || unreachable) && type != RTM_DELROUTE) body.rtm_scope = RT_SCOPE_UNIVERSE;
  request_start(&r, type, flags, &body, sizeof body);
  if (to.prefix) request_attribute(&r, RTA_DST, to.bytes, (size_t)to.size);
  if (!unreachable) request_attribute(&r, RTA_OIF, &index, sizeof index);
  request_attribute(&r, RTA_TABLE, &(unsigned){ (unsigned)table }, sizeof(unsigned));
  if (has_via) request_attribute(&r, RTA_GATEWAY, via.bytes, (size_t)via.size);
  if (has_src) request_attribute(&r, RTA_PREFSRC, src.bytes, (size_t)src.size);
  return send_request(b, &r);
}

static int do_route_set(struct batch *b, int n, char **w) { return change_route(b, n, w, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE); }
static int do_route_del(struct batch *b, int n, char **w) { return change_route(b, n, w, RTM_DELROUTE, 0); }

static int change_neigh(struct batch *b, const char *device, const char *ip, const char *mac_text, int type, bool fdb) {
  struct address a;
  unsigned char mac[6];
  if (!parse_address(ip, &a) || (mac_text && !parse_mac(mac_text, mac))) return bad(b, "neighbour: bad IP or MAC");
  int index = index_of(b, device);
  if (index < 0) return -1;
  struct request r;
  struct ndmsg body = { .ndm_family = (unsigned char)(fdb ? AF_BRIDGE : a.family), .ndm_ifindex = index, .ndm_state = NUD_PERMANENT | (fdb ? NUD_NOARP : 0), .ndm_flags = fdb ? NTF_SELF : 0 };
  request_start(&r, type, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof body);
  request_attribute(&r, NDA_DST, a.bytes, (size_t)a.size);
  if (mac_text) request_attribute(&r, NDA_LLADDR, mac, 6);
  return send_request(b, &r);
}

static int do_neigh_set(struct batch *b, int n, char **w) { return n == 4 ? change_neigh(b, w[1], w[2], w[3], RTM_NEWNEIGH, false) : bad(b, "usage: neigh-set DEV IP MAC"); }
static int do_neigh_del(struct batch *b, int n, char **w) { return n == 3 ? change_neigh(b, w[1], w[2], NULL, RTM_DELNEIGH, false) : bad(b, "usage: neigh-del DEV IP"); }
static int do_fdb_set(struct batch *b, int n, char **w) { return n == 4 ? change_neigh(b, w[1], w[3], w[2], RTM_NEWNEIGH, true) : bad(b, "usage: fdb-set DEV MAC IP"); }
static int do_fdb_del(struct batch *b, int n, char **w) { return n == 4 ? change_neigh(b, w[1], w[3], w[2], RTM_DELNEIGH, true) : bad(b, "usage: fdb-del DEV MAC IP"); }

static int do_sysctl(struct batch *b, int n, char **w) {
  char path[512];
  if (n != 3) return bad(b, "usage: sysctl KEY VALUE");
  if (strncmp(w[1], "net/", 4) || strstr(w[1], "..") || strlen(w[1]) > 256) return bad(b, "sysctl: the key must be below net/");
  snprintf(path, sizeof path, "/proc/sys/%s", w[1]);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = write_all(fd, w[2], strlen(w[2])), saved = errno;
  close(fd);
  errno = saved;
  return failed;
}

static int do_list_links(struct batch *b, int n, char **w) {
  (void)w;
  return n == 1 ? list_links(b->socket, b->out) : bad(b, "usage: list-links");
}

static int do_list_addrs(struct batch *b, int n, char **w) {
  int index = n == 2 ? index_of(b, w[1]) : 0;
  if (n > 2) return bad(b, "usage: list-addrs [DEV]");
  return index < 0 ? -1 : list_addrs(b->socket, index, b->out);
}

static int do_list_routes(struct batch *b, int n, char **w) {
  if (n > 2 || (n == 2 && strcmp(w[1], "own"))) return bad(b, "usage: list-routes [own]");
  return list_routes(b->socket, n == 2, b->out);
}

static int do_list_neighs(struct batch *b, int n, char **w) {
  if (n != 2) return bad(b, "usage: list-neighs DEV");
  int index = index_of(b, w[1]);
  return index < 0 ? -1 : list_neighs(b->socket, index, b->out);
}

static const struct { const char *name; int (*run)(struct batch *, int, char **); } actions[] = {
  { "in", do_in }, { "veth", do_veth }, { "vxlan", do_vxlan }, { "link-up", do_link_up }, { "link-del", do_link_del }, { "link-set", do_link_set },
  { "addr-add", do_addr_add }, { "addr-del", do_addr_del }, { "route-set", do_route_set }, { "route-del", do_route_del },
  { "neigh-set", do_neigh_set }, { "neigh-del", do_neigh_del }, { "fdb-set", do_fdb_set }, { "fdb-del", do_fdb_del }, { "sysctl", do_sysctl },
  { "list-links", do_list_links }, { "list-addrs", do_list_addrs }, { "list-routes", do_list_routes }, { "list-neighs", do_list_neighs },
};

static int run_one(struct batch *b, int n, char **words) {
  b->text[0] = 0;
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
    if (!strcmp(words[0], actions[i].name)) return actions[i].run(b, n, words);
  return bad(b, "unknown action");
}

static const char *error_text(struct batch *b) { return b->text[0] ? b->text : strerror(errno); }

void run_actions(char **lines, int n, struct buffer *out) {
  struct batch b = { .out = out, .home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), .socket = netlink_open() };
  if (b.home < 0 || b.socket < 0) {
    buffer_printf(out, "error 0 %d netlink: %s\n", errno, strerror(errno));
    return;
  }
  int line = 0, failed = 0;
  for (; line < n && !failed; line++) {
    char *copy = strdup(lines[line]), *words[16];
    int count = split_words(copy, words, 16);
    bool optional = count > 1 && !strcmp(words[0], "optional");
    if (count < 0) failed = bad(&b, "too many words");
    else if (count > 0) failed = run_one(&b, count - optional, words + optional);
    if (failed && optional && errno != BAD_ARGUMENTS) {
      buffer_printf(out, "= failed %d %s\n", errno, lines[line] + strlen("optional "));
      failed = 0;
    }
    if (failed) buffer_printf(out, "error %d %d %s: %s\n", line + 1, errno == BAD_ARGUMENTS ? EINVAL : errno, lines[line], error_text(&b));
    free(copy);
  }
  // Whatever happened, the caller goes on in the namespace it started in.
  if (setns(b.home, CLONE_NEWNET) < 0) die(EXIT_FAILED, "cannot return to the first network namespace: %s", strerror(errno));
  close(b.home);
  close(b.socket);
  if (!failed) buffer_printf(out, "ok\n");
}

int net_main(int argc, char **argv) {
  (void)argv;
  if (argc != 1) die(EXIT_WRONG_USAGE, "usage: net (actions on stdin)");
  struct buffer in = {0}, out = {0};
  if (read_to_end(0, &in, 16 << 20) < 0) die(EXIT_FAILED, "stdin: %s", strerror(errno));
  size_t count = 0;
  for (size_t i = 0; i < in.len; i++) count += in.data[i] == '\n';
  char **lines = calloc(count + 1, sizeof *lines);
  if (!lines) die(EXIT_FAILED, "out of memory");
  int n = 0;
  for (char *save = NULL, *line = in.len ? strtok_r(in.data, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) lines[n++] = line;
  run_actions(lines, n, &out);
  if (write_all(1, out.data, out.len) < 0) die(EXIT_FAILED, "stdout: %s", strerror(errno));
  size_t start = 0;
  for (size_t i = 0; i + 1 < out.len; i++)
    if (out.data[i] == '\n') start = i + 1;
  return strcmp(out.data + start, "ok\n") ? EXIT_FAILED : 0;
}
