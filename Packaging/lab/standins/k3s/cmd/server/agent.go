package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"holdfast.invalid/lab/kube"
)

// agent needs to be told of a server, as a real one does, but never speaks to it.
func agent(data string, options kube.Options) {
	if options.Get("server", os.Getenv("K3S_URL")) == "" {
		log.Fatal("level=fatal msg=\"--server is required\"")
	}
	if options.Get("token", os.Getenv("K3S_TOKEN")) == "" {
		log.Fatal("level=fatal msg=\"--token is required\"")
	}
	if err := os.MkdirAll(filepath.Join(data, "agent", "containerd"), 0o700); err != nil {
		log.Fatalf("level=fatal msg=%q", err.Error())
	}
	if !kube.Fault(fault).NeverReady() {
		time.Sleep(500 * time.Millisecond)
		kube.Notify("READY=1")
	}
	kubelet()
	select {}
}
