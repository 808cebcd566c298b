package kube

import (
	"net"
	"os"
	"strings"
)

// Notify tells systemd something, where systemd asked to be told.
func Notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:]
	}
	socket, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer socket.Close()
	socket.Write([]byte(state))
}
