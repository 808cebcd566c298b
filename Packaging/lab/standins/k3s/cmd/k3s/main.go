// The k3s that an installer puts in place: it unpacks the real programs under the data directory
// and becomes one of them, so what runs is not the file that was installed.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"

	"github.com/k3s-io/k3s/pkg/version"
	"holdfast.invalid/lab/kube"
)

func main() {
	log.SetFlags(0)
	program, arguments := os.Args[0], os.Args[1:]
	switch name := filepath.Base(program); name {
	case "kubectl", "crictl", "ctr":
		arguments = append([]string{name}, arguments...)
	}
	verb := ""
	if len(arguments) > 0 {
		verb = arguments[0]
	}
	switch verb {
	case "--version", "-v":
		fmt.Print(version.Banner(program))
	case "server", "agent", "etcd-snapshot":
		become("k3s-"+verb, arguments)
	case "kubectl", "crictl", "ctr":
		become(verb, arguments)
	default:
		fmt.Println("usage: k3s server|agent|etcd-snapshot|kubectl|crictl|ctr|--version")
		fmt.Println("with", version.Neighbours)
		if verb != "" && verb != "help" && verb != "--help" {
			os.Exit(1)
		}
	}
}

// become unpacks and executes a program in this process's place.
func become(program string, arguments []string) {
	directory, err := stage(dataDirectory(arguments))
	if err != nil {
		log.Fatalf("level=fatal msg=%q", "extracting data: "+err.Error())
	}
	os.Setenv("PATH", filepath.Join(directory, "bin")+":"+os.Getenv("PATH"))
	os.Setenv("K3S_DATA_DIR", directory)
	err = syscall.Exec(filepath.Join(directory, "bin", program),
		append([]string{os.Args[0]}, arguments...), os.Environ())
	log.Fatalf("level=fatal msg=%q", "executing "+program+": "+err.Error())
}

func dataDirectory(arguments []string) string {
	options := kube.ParseOptions(arguments, map[string]string{"-d": "--data-dir", "-c": "--config"})
	options.ReadFile(options.Get("config", "/etc/rancher/k3s/config.yaml"))
	return filepath.Join(options.Get("data-dir", "/var/lib/rancher/k3s"), "data")
}
