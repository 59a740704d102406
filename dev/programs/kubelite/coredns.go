package main

import (
	"flag"
	"os"
	"slices"

	"github.com/coredns/coredns/coremain"
	// What our Corefile names; with its other plugins and their clouds CoreDNS
	// is three times as many packages.
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/spf13/cobra"
)

// These CoreDNS adds to the flags of the whole program. kube-proxy offers every
// such flag as its own: --version would no longer be Kubernetes'.
var coreDNSFlags = []string{"conf", "dns.port", "p", "pidfile", "plugins", "quiet", "version"}

func newCoreDNSCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "coredns",
		DisableFlagParsing: true, // it parses os.Args itself
		Run:                func(*cobra.Command, []string) { coremain.Run() },
	}
}

func hideCoreDNSFlags() {
	kept := flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	flag.VisitAll(func(each *flag.Flag) {
		if !slices.Contains(coreDNSFlags, each.Name) {
			kept.Var(each.Value, each.Name, each.Usage)
		}
	})
	flag.CommandLine = kept
}
