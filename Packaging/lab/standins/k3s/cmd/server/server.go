package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/k3s-io/k3s/pkg/version"
	"holdfast.invalid/lab/kube"
)

// server prepares the data directory, takes the port and serves until the process ends.
func server(data string, options kube.Options) error {
	tls := filepath.Join(data, "server", "tls")
	serverCA, err := kube.LoadAuthority(tls, "server-ca")
	if err != nil {
		return err
	}
	port := options.Get("https-listen-port", "6443")
	members, err := members(options, port)
	if err != nil {
		return err
	}
	// The real one listens everywhere; a stand-in only where somebody else is to reach it.
	bind := "127.0.0.1"
	if members != nil {
		bind = "0.0.0.0"
		if err := members.Ask(serverCA); err != nil {
			return err
		}
	}
	listener, err := kube.Listen(net.JoinHostPort(options.Get("bind-address", bind), port))
	if err != nil {
		return err
	}
	if err := errors.Join(token(data), datastore(data, options)); err != nil {
		return err
	}
	certificate, key, err := serverCA.Admin()
	if err != nil {
		return err
	}
	// Rewritten at every start.
	err = kube.Kubeconfig{
		Server:  "https://127.0.0.1:" + port,
		Cluster: "default", User: "default", Context: "default",
		Authority: serverCA.PEM, Certificate: certificate, Key: key,
	}.Write(options.Get("write-kubeconfig", "/etc/rancher/k3s/k3s.yaml"))
	if err != nil {
		return err
	}
	api := &kube.API{Version: version.Version, Commit: version.GitCommit, Authority: serverCA,
		Fault: kube.Fault(fault), Members: members}
	if !options.Is("disable-agent") {
		go kubelet()
	}
	go api.Start(func() {
		log.Printf("level=info msg=\"k3s is up and running\"")
		kube.Notify("READY=1")
	})
	return api.Serve(listener)
}

// members are the servers of the cluster; nil for one that is a cluster of its own.
func members(options kube.Options, port string) (*kube.Members, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return kube.LoadMembers("/etc/rancher/k3s/members", strings.ToLower(options.Get("node-name", host)),
		version.Version, number)
}

// datastore is kine's SQLite database, or etcd's directory with --cluster-init.
func datastore(data string, options kube.Options) error {
	db := filepath.Join(data, "server", "db")
	if options.Is("cluster-init") {
		return os.MkdirAll(filepath.Join(db, "etcd", "member", "snap"), 0o700)
	}
	return kine(filepath.Join(db, "state.db"))
}

func token(data string) error {
	path := filepath.Join(data, "server", "token")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return errors.Join(
		os.WriteFile(path, []byte("K10stand-in::server:stand-in\n"), 0o600),
		os.Symlink(path, filepath.Join(data, "server", "node-token")))
}

// save makes a snapshot's file where the real command puts it; it holds nothing.
func save(data, name string) error {
	if _, err := os.Stat(filepath.Join(data, "server", "db", "etcd")); err != nil {
		return errors.New("etcd datastore not found: the server was not started with --cluster-init")
	}
	node, err := os.Hostname()
	if err != nil {
		return err
	}
	path := filepath.Join(data, "server", "db", "snapshots",
		fmt.Sprintf("%s-%s-%d", name, node, time.Now().Unix()))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("stand-in\n"), 0o600)
}
