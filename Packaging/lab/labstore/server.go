package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/snapcore/snapd/asserts"
)

type object = map[string]interface{}

type server struct {
	dir     string
	mutex   sync.Mutex
	serials int
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.record(r, body)
	path := r.URL.Path
	switch {
	case path == "/v2/snaps/refresh":
		s.refresh(w, r, body)
	case strings.HasPrefix(path, "/v2/snaps/info/"):
		s.info(w, r, strings.TrimPrefix(path, "/v2/snaps/info/"))
	case strings.HasPrefix(path, "/v2/assertions/"):
		s.assertion(w, strings.Split(strings.TrimPrefix(path, "/v2/assertions/"), "/"))
	case strings.HasPrefix(path, "/download/"):
		s.download(w, r)
	case path == "/api/v1/snaps/auth/request-id":
		reply(w, http.StatusOK, object{"request-id": "LAB-REQUEST-ID"})
	case path == "/api/v1/snaps/auth/devices":
		s.register(w, body)
	case path == "/api/v1/snaps/auth/nonces":
		reply(w, http.StatusOK, object{"nonce": "lab-nonce"})
	case path == "/api/v1/snaps/auth/sessions":
		reply(w, http.StatusOK, object{"macaroon": "lab-macaroon"})
	case path == "/v2/snaps/find":
		reply(w, http.StatusOK, object{"results": []object{}})
	default:
		refuse(w, http.StatusNotFound, "resource-not-found", "labstore has no such endpoint")
	}
}

// record keeps every request in DIR/requests.jsonl: a test reads there what snapd asked for.
func (s *server) record(r *http.Request, body []byte) {
	entry := object{
		"at": time.Now().UTC(), "method": r.Method, "url": r.URL.String(),
		"reason": r.Header.Get("Snap-Refresh-Reason"),
	}
	if len(body) > 0 && json.Valid(body) {
		entry["body"] = json.RawMessage(body)
	}
	line, err := json.Marshal(entry)
	if err != nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	file, err := os.OpenFile(filepath.Join(s.dir, "requests.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer file.Close()
	file.Write(append(line, '\n'))
}

// download waits first, since a stand-in is small and a test needs time to act within a refresh.
func (s *server) download(w http.ResponseWriter, r *http.Request) {
	if text, err := os.ReadFile(filepath.Join(s.dir, "delay")); err == nil {
		if seconds, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			time.Sleep(time.Duration(seconds) * time.Second)
		}
	}
	http.ServeFile(w, r, filepath.Join(s.dir, "download", filepath.Base(r.URL.Path)))
}

func (s *server) assertion(w http.ResponseWriter, path []string) {
	kind, key := asserts.Type(path[0]), path[1:]
	if kind == nil || kind.SequenceForming() || !kind.AcceptablePrimaryKey(key) {
		refuse(w, http.StatusNotFound, "not-found", "not found")
		return
	}
	assertion, err := find(s.dir, kind, key)
	switch {
	case errors.Is(err, &asserts.NotFoundError{}):
		refuse(w, http.StatusNotFound, "not-found", "not found")
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", asserts.MediaType)
		w.Write(asserts.Encode(assertion))
	}
}

// register signs a serial for the key in a serial-request.
func (s *server) register(w http.ResponseWriter, body []byte) {
	assertion, err := asserts.NewDecoder(bytes.NewReader(body)).Decode()
	request, ok := assertion.(*asserts.SerialRequest)
	if err != nil || !ok {
		http.Error(w, "no serial-request", http.StatusBadRequest)
		return
	}
	s.mutex.Lock()
	s.serials++
	serial := fmt.Sprintf("lab-%d-%d", time.Now().Unix(), s.serials)
	s.mutex.Unlock()
	signed, err := sign(asserts.SerialType, headers{
		"brand-id": request.BrandID(), "model": request.Model(), "serial": serial,
		"device-key": request.HeaderString("device-key"), "device-key-sha3-384": request.SignKeyID(),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", asserts.MediaType)
	w.Write(asserts.Encode(signed))
}

func reply(w http.ResponseWriter, code int, value interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Snap-Store-Version", "60")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(value)
}

func refuse(w http.ResponseWriter, code int, name, message string) {
	reply(w, code, object{"error-list": []object{{"code": name, "message": message}}})
}
