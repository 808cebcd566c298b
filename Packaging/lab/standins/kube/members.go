package kube

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Where each server tells the others of itself.
const memberPath = "/stand-in/member"

// How long one that is silent stays known: a fifth of the 15 s of an API server's endpoint and the
// 40 s of a kubelet's lease.
const (
	askEvery    = 500 * time.Millisecond
	endpointFor = 3 * time.Second
	readyFor    = 8 * time.Second
)

// Members are the servers of one cluster. Each of them tells the others of itself and answers for all
// of them, as if they had an etcd in common: their Nodes, and where API servers listen. There is no
// etcd, so what survives the loss of a quorum is not shown here.
type Members struct {
	own   string
	port  int
	mutex sync.Mutex
	all   []*member
}

type member struct {
	name, address string
	said          memberReport
	heard         time.Time
}

type memberReport struct{ MachineID, KubeletVersion string }

// LoadMembers reads the file in which the lab lists the servers of a cluster, "NAME ADDRESS" a line;
// nil where there is none.
func LoadMembers(path, own, version string, port int) (*Members, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return nil, err
	}
	m := &Members{own: own, port: port}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		one := &member{}
		if _, err := fmt.Sscan(line, &one.name, &one.address); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		if one.name == own {
			one.said = memberReport{strings.TrimSpace(string(machine)), version}
		}
		m.all = append(m.all, one)
	}
	if m.self() == nil {
		return nil, fmt.Errorf("%s does not list %s", path, own)
	}
	return m, nil
}

func (m *Members) self() *member {
	for _, one := range m.all {
		if one.name == m.own {
			return one
		}
	}
	return nil
}

// Address is where the others reach this server.
func (m *Members) Address() net.IP { return net.ParseIP(m.self().address) }

// Ask asks every other one again and again, until the process ends.
func (m *Members) Ask(authority *Authority) error {
	certificate, key, err := authority.Admin()
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM)
	client := &http.Client{
		Timeout: askEvery,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}},
	}
	for _, one := range m.all {
		if one.name == m.own {
			continue
		}
		go func() {
			for ; ; time.Sleep(askEvery) {
				report, err := ask(client, fmt.Sprintf("https://%s:%d%s", one.address, m.port, memberPath))
				if err != nil {
					continue
				}
				m.mutex.Lock()
				one.said, one.heard = report, time.Now()
				m.mutex.Unlock()
			}
		}()
	}
	return nil
}

func ask(client *http.Client, url string) (report memberReport, err error) {
	response, err := client.Get(url)
	if err != nil {
		return report, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return report, errors.New(response.Status)
	}
	return report, json.NewDecoder(response.Body).Decode(&report)
}

// answer answers what only a server with members knows; false where it is something else.
func (m *Members) answer(w http.ResponseWriter, r *http.Request) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	name, isNode := strings.CutPrefix(r.URL.Path, "/api/v1/nodes/")
	switch {
	case r.Method != http.MethodGet:
		return false
	case r.URL.Path == memberPath:
		reply(w, http.StatusOK, m.self().said)
	case r.URL.Path == "/api/v1/nodes":
		var items []any
		for _, one := range m.all {
			items = append(items, m.node(one))
		}
		list(w, "v1", "NodeList", items)
	case isNode:
		for _, one := range m.all {
			if one.name == name {
				reply(w, http.StatusOK, m.node(one))
				return true
			}
		}
		status(w, http.StatusNotFound, "NotFound")
	case r.URL.Path == "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices":
		list(w, "discovery.k8s.io/v1", "EndpointSliceList", []any{m.slice()})
	default:
		return false
	}
	return true
}

func (m *Members) isHeard(one *member, within time.Duration) bool {
	return one.name == m.own || time.Since(one.heard) < within
}

// node is a Node as kubectl shows it, as far as anybody asks for it here. One that is down goes on
// being a voter: it is a member of etcd still.
func (m *Members) node(one *member) map[string]any {
	ready := "Unknown"
	if m.isHeard(one, readyFor) {
		ready = "True"
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{
			"name": one.name, "resourceVersion": "1",
			"labels": map[string]string{
				"kubernetes.io/hostname":                one.name,
				"node-role.kubernetes.io/control-plane": "true",
				"node-role.kubernetes.io/etcd":          "true",
				"node-role.kubernetes.io/master":        "true",
			},
		},
		"spec": map[string]any{},
		"status": map[string]any{
			"addresses": []map[string]string{
				{"type": "InternalIP", "address": one.address}, {"type": "Hostname", "address": one.name},
			},
			"conditions": []map[string]string{
				{"type": "EtcdIsVoter", "status": "True"}, {"type": "Ready", "status": ready},
			},
			"nodeInfo": map[string]string{
				"machineID": one.said.MachineID, "kubeletVersion": one.said.KubeletVersion,
			},
		},
	}
}

// slice is what API servers keep of themselves: the endpoints of the Service kubernetes.
func (m *Members) slice() map[string]any {
	endpoints := []map[string]any{}
	for _, one := range m.all {
		if m.isHeard(one, endpointFor) {
			endpoints = append(endpoints, map[string]any{
				"addresses": []string{one.address}, "conditions": map[string]bool{"ready": true}})
		}
	}
	return map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": map[string]any{
			"name": "kubernetes", "namespace": "default", "resourceVersion": "1",
			"labels": map[string]string{"kubernetes.io/service-name": "kubernetes"},
		},
		"endpoints": endpoints,
		"ports":     []map[string]any{{"name": "https", "port": m.port, "protocol": "TCP"}},
	}
}

func list(w http.ResponseWriter, version, kind string, items []any) {
	reply(w, http.StatusOK, map[string]any{
		"apiVersion": version, "kind": kind, "metadata": map[string]any{"resourceVersion": "1"}, "items": items,
	})
}
