// A stand-in for k0s: one program that stays the file it was installed as, so that writing over
// it while it runs fails with "text file busy".
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/k0sproject/k0s/pkg/build"
	"holdfast.invalid/lab/kube"
)

// fault is set by the build of a broken release.
var fault string

const defaultSocket = "/run/k0s/status.sock"

var short = map[string]string{"-c": "--config", "-o": "--out", "-a": "--all", "-j": "--json"}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		usage()
	}
	options := kube.ParseOptions(os.Args[2:], short,
		"single", "enable-worker", "all", "json", "debug", "no-taints")
	var err error
	switch os.Args[1] {
	case "version":
		version(options)
	case "controller":
		err = controller(options)
	case "worker":
		err = worker(options)
	case "status":
		err = printStatus(options)
	case "backup":
		err = backup(options)
	default:
		usage()
	}
	if err != nil {
		log.Fatalf("Error: %v", err)
	}
}

func usage() {
	fmt.Println("usage: k0s version|controller|worker|status|backup")
	os.Exit(1)
}

func version(options kube.Options) {
	components := map[string]string{"k0s": build.Version}
	if options.Is("all") || options.Is("json") {
		for name, version := range build.Components {
			components[name] = version
		}
		components["kubernetes"] = kubernetesVersion()
	}
	switch {
	case options.Is("json"):
		text, _ := json.MarshalIndent(components, "", "    ")
		fmt.Println(string(text))
	case options.Is("all"):
		names := []string{}
		for name := range components {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Printf("%s : %s\n", name, components[name])
		}
	default:
		fmt.Println(build.Version)
	}
}

// kubernetesVersion is the part before k0s's own: 1.36.3 of v1.36.3+k0s.2.
func kubernetesVersion() string {
	number, _, _ := strings.Cut(strings.TrimPrefix(build.Version, "v"), "+")
	return number
}
