// Package kube is what the stand-ins share: the little of a Kubernetes API server that tells
// whether a node is well and which version it runs.
package kube

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// The phases that a start goes through, in the order in which a real server shows them: it
// answers 503 first, then serves requests while /readyz is still 500, and then is ready.
const (
	starting int32 = iota
	serving
	ready
)

// Phase lengths are a tenth to a fifth of a real server's.
const (
	startingFor = 300 * time.Millisecond
	servingFor  = 300 * time.Millisecond
	// READY=1 follows /readyz by a moment.
	noticeAfter = 150 * time.Millisecond
)

// API answers /version, /readyz, /livez and /healthz for clients that its authority signed.
type API struct {
	Version   string // as released: v1.33.4+k3s1
	Commit    string
	Authority *Authority
	Fault     Fault
	Members   *Members // nil for a server that tells of no Nodes
	phase     atomic.Int32
}

// Listen takes the port: a failure here is the one that a real server dies of.
func Listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// Serve answers on the listener until the process ends.
func (a *API) Serve(listener net.Listener) error {
	var others []net.IP
	if a.Members != nil {
		others = append(others, a.Members.Address())
	}
	certificate, err := a.Authority.Server(others...)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(a.Authority.PEM)
	server := &http.Server{
		Handler: a,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			ClientCAs:    clients,
			ClientAuth:   tls.VerifyClientCertIfGiven,
			MinVersion:   tls.VersionTLS12,
		},
		// A client that hangs up during its handshake is not worth a line in the journal.
		ErrorLog: nil,
	}
	return server.ServeTLS(listener, "", "")
}

// Start goes through the phases and calls notice once the server is ready, if it ever is.
func (a *API) Start(notice func()) {
	time.Sleep(startingFor)
	a.phase.Store(serving)
	if a.Fault.NeverReady() {
		return
	}
	time.Sleep(servingFor)
	a.phase.Store(ready)
	time.Sleep(noticeAfter)
	notice()
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	phase := a.phase.Load()
	switch {
	case phase == starting:
		http.Error(w, "starting", http.StatusServiceUnavailable)
	case len(r.TLS.PeerCertificates) == 0:
		status(w, http.StatusUnauthorized, "Unauthorized")
	case r.URL.Path == "/version" || r.URL.Path == "/version/":
		reply(w, http.StatusOK, a.version())
	case r.URL.Path == "/livez" || r.URL.Path == "/healthz":
		fmt.Fprint(w, "ok")
	case r.URL.Path == "/readyz":
		readyz(w, r, phase == ready)
	case a.Members != nil && a.Members.answer(w, r):
	default:
		status(w, http.StatusNotFound, "NotFound")
	}
}

func (a *API) version() map[string]string {
	numbers := strings.SplitN(strings.TrimPrefix(a.Version, "v"), ".", 3)
	return map[string]string{
		"major": numbers[0], "minor": numbers[1], "gitVersion": a.Version, "gitCommit": a.Commit,
		"gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": runtime.Version(),
		"compiler": runtime.Compiler, "platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func readyz(w http.ResponseWriter, r *http.Request, ready bool) {
	if !ready {
		http.Error(w, "[+]ping ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n"+
			"readyz check failed", http.StatusInternalServerError)
		return
	}
	if r.URL.Query().Has("verbose") {
		fmt.Fprint(w, "[+]ping ok\n[+]poststarthook/rbac/bootstrap-roles ok\nreadyz check passed\n")
		return
	}
	fmt.Fprint(w, "ok")
}

func status(w http.ResponseWriter, code int, reason string) {
	reply(w, code, map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": reason, "reason": reason, "code": code,
	})
}

func reply(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(value)
}
