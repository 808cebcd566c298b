// A stand-in for the API server of a hub cluster, as far as a fleet's store asks one: the ConfigMaps
// of the namespace holdfast, by tokens that may do what Packaging/kubernetes gives a node.
//
// It is stricter than a real one in two things: an update without a resourceVersion is refused, which
// a real one takes as the last word, and a page of a list is short, so that few nodes fill several.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

// version is set by the build.
var version = "v1.31.4"

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "", "address and port")
	certificate := flag.String("certificate", "", "file")
	key := flag.String("key", "", "file")
	tokens := flag.String("tokens", "", "file, a line for each: TOKEN USER")
	data := flag.String("data", "", "file that the objects are kept in")
	flag.Parse()
	objects, err := load(*data)
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Addr: *listen, Handler: routes(objects, *tokens), TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}

func routes(objects *Objects, tokens string) http.Handler {
	const list, one = "/api/v1/namespaces/{namespace}/configmaps", "/api/v1/namespaces/{namespace}/configmaps/{name}"
	api := http.NewServeMux()
	api.HandleFunc("GET /version", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, map[string]string{"major": "1", "minor": "31", "gitVersion": version})
	})
	api.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	api.HandleFunc("GET "+list, objects.list)
	api.HandleFunc("POST "+list, objects.create)
	api.HandleFunc("GET "+one, objects.get)
	api.HandleFunc("PUT "+one, objects.update)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, known := userOf(r, tokens)
		_, pattern := api.Handler(r)
		switch {
		case !known:
			refuse(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		case pattern == "":
			// What it does not serve, and what a node may not do here: to take something away, to patch.
			refuse(w, http.StatusForbidden, "Forbidden", fmt.Sprintf("User %q cannot %s %s", user, r.Method, r.URL.Path))
		case strings.Contains(pattern, "{namespace}") && !strings.HasPrefix(r.URL.Path, "/api/v1/namespaces/holdfast/"):
			refuse(w, http.StatusForbidden, "Forbidden", fmt.Sprintf(
				"configmaps is forbidden: User %q cannot use resource \"configmaps\" in API group \"\" in that namespace", user))
		default:
			api.ServeHTTP(w, r) // which alone fills in the path's values
		}
	})
}

// userOf is who a token belongs to; the file is read each time, since nodes come while this runs.
func userOf(r *http.Request, tokens string) (string, bool) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	text, err := os.ReadFile(tokens)
	if err != nil || !isBearer || token == "" {
		return "", false
	}
	for _, line := range strings.Split(string(text), "\n") {
		if known, user, _ := strings.Cut(line, " "); known == token {
			return user, true
		}
	}
	return "", false
}

func refuse(w http.ResponseWriter, code int, reason, message string) {
	log.Printf("%d %s: %s", code, reason, message)
	reply(w, code, map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": message, "reason": reason, "code": code,
	})
}

func reply(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(value)
}
