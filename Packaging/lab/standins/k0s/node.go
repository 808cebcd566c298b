package main

import (
	"errors"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/k0sproject/k0s/pkg/build"
	"holdfast.invalid/lab/kube"
)

const defaultData = "/var/lib/k0s"

// controller serves the API; with --single or --enable-worker it is a worker too.
func controller(options kube.Options) error {
	begin("controller")
	data := options.Get("data-dir", defaultData)
	authority, err := kube.LoadAuthority(filepath.Join(data, "pki"), "ca")
	if err != nil {
		return err
	}
	port := options.Get("api-port", "6443")
	listener, err := kube.Listen("127.0.0.1:" + port)
	if err != nil {
		return err
	}
	err = errors.Join(
		directories(data, "bin", "images", "manifests"),
		kube.CreateDatabase(filepath.Join(data, "db", "state.db")),
		adminConfig(data, port, authority))
	if err != nil {
		return err
	}
	status := Status{
		Version: build.Version, Role: "controller", SingleNode: options.Is("single"),
		Workloads: options.Is("single") || options.Is("enable-worker"),
	}
	if err := status.serve(options.Get("status-socket", defaultSocket), data); err != nil {
		return err
	}
	version := "v" + kubernetesVersion() + "+k0s"
	api := &kube.API{Version: version, Authority: authority, Fault: kube.Fault(fault)}
	go api.Start(func() { kube.Notify("READY=1") })
	return api.Serve(listener)
}

// worker needs a token, as a real one does, but joins nothing.
func worker(options kube.Options) error {
	begin("worker")
	data := options.Get("data-dir", defaultData)
	token, given := options["token-file"]
	if given {
		if _, err := os.Stat(token); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(data, "kubelet.conf")); err != nil {
		return errors.New("normal kubelet kubeconfig does not exist and no join-token given")
	}
	err := errors.Join(directories(data, "bin", "images", "kubelet"),
		os.WriteFile(filepath.Join(data, "kubelet.conf"), []byte("stand-in\n"), 0o600))
	if err != nil {
		return err
	}
	status := Status{Version: build.Version, Role: "worker", Workloads: true}
	status.WorkerToAPIConnectionStatus.Success = !kube.Fault(fault).NeverReady()
	if err := status.serve(options.Get("status-socket", defaultSocket), data); err != nil {
		return err
	}
	select {}
}

// begin is what both roles start with: the end on SIGTERM, and whatever is wrong with a release.
func begin(role string) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		os.Exit(0)
	}()
	log.Printf("level=info msg=\"starting k0s %s %s\"", role, build.Version)
	kube.Fault(fault).Strike()
}

func directories(data string, names ...string) error {
	var err error
	for _, name := range names {
		err = errors.Join(err, os.MkdirAll(filepath.Join(data, name), 0o755))
	}
	return err
}

func adminConfig(data, port string, authority *kube.Authority) error {
	path := filepath.Join(data, "pki", "admin.conf")
	if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), ":"+port) {
		return nil // made once, and kept by later versions
	}
	certificate, key, err := authority.Admin()
	if err != nil {
		return err
	}
	return kube.Kubeconfig{
		Server:  "https://localhost:" + port,
		Cluster: "local", User: "user", Context: "Default",
		Authority: authority.PEM, Certificate: certificate, Key: key,
	}.Write(path)
}
