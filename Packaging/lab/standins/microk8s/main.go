// The daemons of a stand-in MicroK8s, by the name they are called: kubelite serves the API,
// containerd tells systemd that it is ready, as the real two do. One build serves all revisions:
// the version is the snap's, and what is broken about a revision stands in its file "fault".
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"holdfast.invalid/lab/kube"
)

const address = "127.0.0.1:16443"

func main() {
	log.SetFlags(0)
	log.Printf("%s of MicroK8s %s revision %s starts", filepath.Base(os.Args[0]),
		os.Getenv("SNAP_VERSION"), os.Getenv("SNAP_REVISION"))
	var err error
	switch filepath.Base(os.Args[0]) {
	case "kubelite":
		err = kubelite()
	case "containerd":
		err = containerd()
	default:
		err = fmt.Errorf("no daemon is called %s", os.Args[0])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// fault is the revision's, where it is one of this daemon's.
func fault() string {
	text, _ := os.ReadFile(filepath.Join(os.Getenv("SNAP"), "fault"))
	return strings.TrimSpace(string(text))
}

func containerd() error {
	if fault() == "start" {
		return fmt.Errorf("broken release: containerd does not start")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	kube.Notify("READY=1")
	<-stop
	return nil
}

func kubelite() error {
	fault := kube.Fault(fault())
	if fault == "crash" {
		fault = "exit"
	}
	fault.Strike()
	data := os.Getenv("SNAP_DATA")
	authority, err := kube.LoadAuthority(filepath.Join(data, "certs"), "ca")
	if err != nil {
		return err
	}
	if err := layOut(data, authority); err != nil {
		return err
	}
	listener, err := kube.Listen(address)
	if err != nil {
		return err
	}
	api := &kube.API{Version: os.Getenv("SNAP_VERSION"), Authority: authority, Fault: fault}
	go api.Start(func() {})
	return api.Serve(listener)
}

// layOut makes what a guard looks for below SNAP_DATA, where it is not there yet.
func layOut(data string, authority *kube.Authority) error {
	backend := filepath.Join(data, "var", "kubernetes", "backend")
	files := map[string]string{
		filepath.Join(data, "args", "kube-apiserver"): "--secure-port=16443\n",
		filepath.Join(data, "args", "kubelet"):        "--kubeconfig=${SNAP_DATA}/credentials/kubelet.config\n",
		filepath.Join(data, "var", "lock", "ha-cluster"): "",
		filepath.Join(data, "var", "lock", "lite.lock"):  "",
		filepath.Join(backend, "cluster.yaml"):           "- Address: 127.0.0.1:19001\n  ID: 3297041220608546238\n  Role: 0\n",
		filepath.Join(backend, "info.yaml"):              "Address: 127.0.0.1:19001\nID: 3297041220608546238\nRole: 0\n",
		filepath.Join(backend, "localnode.yaml"):         "- Address: 127.0.0.1:19001\n  ID: 3297041220608546238\n  Role: 0\n",
	}
	for path, text := range files {
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	config := filepath.Join(data, "credentials", "client.config")
	if _, err := os.Stat(config); err == nil {
		return nil
	}
	certificate, key, err := authority.Admin()
	if err != nil {
		return err
	}
	return kube.Kubeconfig{
		Server:  "https://" + address,
		Cluster: "microk8s-cluster", User: "admin", Context: "microk8s",
		Authority: authority.PEM, Certificate: certificate, Key: key,
	}.Write(config)
}
