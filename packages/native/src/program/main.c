// berth-native: what Node cannot do by itself. See README.md for the command lines.
#include "berth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; int (*run)(int, char **); } subcommands[] = {
  { "pause", pause_main }, { "dial", dial_main }, { "mount", mount_main }, { "umount", umount_main },
  { "net", net_main },     { "supervise", supervise_main },
};

int main(int argc, char **argv) {
  if (argc < 2) {
    if (getenv("CNI_COMMAND")) return cni_main();
    die(EXIT_WRONG_USAGE, "a subcommand is needed: pause, dial, mount, umount, net, supervise (or the CNI environment)");
  }
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    if (!strcmp(argv[1], subcommands[i].name)) return subcommands[i].run(argc - 1, argv + 1);
  die(EXIT_WRONG_USAGE, "unknown subcommand \"%s\"", argv[1]);
}
