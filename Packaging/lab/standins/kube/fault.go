package kube

import (
	"log"
	"os"
	"strconv"
	"strings"
	"time"
)

// Fault is what is wrong with a broken release: "", never-ready, exit, hang or
// dies-after=SECONDS. It is compiled into the binary, as a real release's fault is.
type Fault string

func (f Fault) NeverReady() bool { return f == "never-ready" }

// Strike does what a fault does to a start: ends it, stops it for ever, or sets its end.
func (f Fault) Strike() {
	switch {
	case f == "exit":
		time.Sleep(200 * time.Millisecond)
		log.Fatal("level=fatal msg=\"starting kubernetes: preparing server: broken release\"")
	case f == "hang":
		for {
			time.Sleep(time.Hour)
		}
	case strings.HasPrefix(string(f), "dies-after="):
		seconds, err := strconv.Atoi(strings.TrimPrefix(string(f), "dies-after="))
		if err != nil {
			log.Fatalf("bad fault %q", string(f))
		}
		time.AfterFunc(time.Duration(seconds)*time.Second, func() {
			log.Print("level=error msg=\"broken release dies\"")
			os.Exit(1)
		})
	}
}
