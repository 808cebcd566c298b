package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"holdfast.invalid/lab/kube"
)

// Status is what k0s answers on its socket; the keys are the names of Go fields.
type Status struct {
	Version                     string
	Pid, PPid                   int
	Role                        string
	SysInit, StubFile, Output   string
	Workloads, SingleNode       bool
	Args                        []string
	WorkerToAPIConnectionStatus struct {
		Message string
		Success bool
	}
	ClusterConfig any
	K0sVars       map[string]string
}

// serve answers GET /status and GET /components on the socket, in the background.
func (s Status) serve(socket, data string) error {
	s.Pid, s.PPid, s.Args = os.Getpid(), os.Getppid(), os.Args
	s.SysInit = "linux-systemd"
	s.StubFile = "/etc/systemd/system/k0s" + s.Role + ".service"
	s.K0sVars = map[string]string{
		"AdminKubeConfigPath": filepath.Join(data, "pki", "admin.conf"),
		"BinDir":              filepath.Join(data, "bin"),
		"DataDir":             data,
		"RunDir":              filepath.Dir(socket),
		"StatusSocketPath":    socket,
	}
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s)
	})
	handler.HandleFunc("GET /components", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"HealthyComponents":{},"UnhealthyComponents":{}}`)
	})
	go http.Serve(listener, handler)
	return nil
}

// printStatus asks the socket, as `k0s status` does.
func printStatus(options kube.Options) error {
	socket := options.Get("status-socket", defaultSocket)
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	answer, err := client.Get("http://localhost/status")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var status Status
	if err := json.NewDecoder(answer.Body).Decode(&status); err != nil {
		return err
	}
	if options["out"] == "json" {
		return json.NewEncoder(os.Stdout).Encode(status)
	}
	fmt.Printf("Version: %s\nProcess ID: %d\nRole: %s\nWorkloads: %t\nSingleNode: %t\n",
		status.Version, status.Pid, status.Role, status.Workloads, status.SingleNode)
	return nil
}
