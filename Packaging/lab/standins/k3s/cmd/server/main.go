// The program that the wrapper unpacks, of many names: k3s-server, k3s-agent, kubectl and others.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/k3s-io/k3s/pkg/version"
	"holdfast.invalid/lab/kube"
)

// fault is set by the build of a broken release.
var fault string

var short = map[string]string{"-d": "--data-dir", "-o": "--write-kubeconfig", "-c": "--config",
	"-t": "--token", "-s": "--server"}

func main() {
	log.SetFlags(0)
	name := filepath.Base(self())
	switch name {
	case "k3s-server":
		run("server")
	case "k3s-agent":
		run("agent")
	case "k3s-etcd-snapshot":
		snapshot(os.Args[2:])
	default:
		// The tools are there for their names and for the versions of others that they carry.
		fmt.Println(name, version.Neighbours)
	}
}

// self is the name under which the wrapper executed this program; argv[0] is the wrapper's.
func self() string {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return os.Args[0]
	}
	if name := string(comm[:len(comm)-1]); name != "k3s-etcd-snapsh" {
		return name
	}
	return "k3s-etcd-snapshot" // the kernel keeps 15 bytes
}

func run(role string) {
	arguments := kube.TakeArguments(os.Args[0] + " " + role)[2:]
	options := kube.ParseOptions(arguments, short, "disable-agent", "cluster-init", "debug")
	options.ReadFile(options.Get("config", "/etc/rancher/k3s/config.yaml"))

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		os.Exit(1) // as the real one does: "failed" after a plain stop is normal
	}()

	log.Printf("level=info msg=\"Starting k3s %s (%s)\"", version.Version, version.GitCommit)
	kube.Fault(fault).Strike()
	data := options.Get("data-dir", "/var/lib/rancher/k3s")
	if role == "agent" {
		agent(data, options)
	}
	if err := server(data, options); err != nil {
		log.Fatalf("level=fatal msg=%q", err.Error())
	}
}

// kubelet answers /healthz on loopback, as the kubelet inside K3s does.
func kubelet() {
	http.ListenAndServe("127.0.0.1:10248", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "ok")
	}))
}

func snapshot(arguments []string) {
	options := kube.ParseOptions(arguments, short)
	if len(arguments) == 0 || arguments[0] != "save" {
		log.Fatal("level=fatal msg=\"the stand-in knows etcd-snapshot save alone\"")
	}
	data := options.Get("data-dir", "/var/lib/rancher/k3s")
	if err := save(data, options.Get("name", "on-demand")); err != nil {
		log.Fatalf("level=fatal msg=%q", err.Error())
	}
}
