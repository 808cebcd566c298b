package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pageSize is what a list gives at most at a time, whatever limit it is asked for: the API lets a
// server give fewer.
const pageSize = 2

// Objects are the ConfigMaps of one namespace, kept in a file: what was answered is on disk.
type Objects struct {
	path  string
	mutex sync.Mutex
	state struct {
		Revision int
		Objects  map[string]*ConfigMap
	}
}

// ConfigMap is what of one is kept.
type ConfigMap struct {
	Kind       string            `json:"kind"`
	APIVersion string            `json:"apiVersion"`
	Metadata   Metadata          `json:"metadata"`
	Data       map[string]string `json:"data,omitempty"`
}

// Metadata is the part of an object's metadata that clients and this server go by.
type Metadata struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	ResourceVersion   string            `json:"resourceVersion,omitempty"`
	CreationTimestamp string            `json:"creationTimestamp,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
}

func load(path string) (*Objects, error) {
	o := &Objects{path: path}
	o.state.Objects = map[string]*ConfigMap{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	return o, json.Unmarshal(text, &o.state)
}

func (o *Objects) get(w http.ResponseWriter, r *http.Request) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	object, found := o.state.Objects[r.PathValue("name")]
	if !found {
		missing(w, r.PathValue("name"))
		return
	}
	reply(w, http.StatusOK, object)
}

// list gives the objects that carry every label of the selector, in the order of their names, a page at
// a time; where the next one begins is the name of the last one given.
func (o *Objects) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	after, err := base64.RawURLEncoding.DecodeString(query.Get("continue"))
	limit, _ := strconv.Atoi(query.Get("limit"))
	if err != nil {
		refuse(w, http.StatusGone, "Expired", "The provided continue parameter is too old")
		return
	}
	if limit <= 0 || limit > pageSize {
		limit = pageSize
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	names := []string{}
	for name, object := range o.state.Objects {
		if name > string(after) && object.isSelected(query.Get("labelSelector")) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	metadata := map[string]any{"resourceVersion": strconv.Itoa(o.state.Revision)}
	if len(names) > limit {
		metadata["continue"] = base64.RawURLEncoding.EncodeToString([]byte(names[limit-1]))
		metadata["remainingItemCount"] = len(names) - limit
		names = names[:limit]
	}
	items := []*ConfigMap{}
	for _, name := range names {
		items = append(items, o.state.Objects[name])
	}
	reply(w, http.StatusOK, map[string]any{
		"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items,
	})
}

// isSelected knows equality alone of the language of selectors.
func (c *ConfigMap) isSelected(selector string) bool {
	for _, term := range strings.Split(selector, ",") {
		label, value, _ := strings.Cut(term, "=")
		if term != "" && c.Metadata.Labels[label] != value {
			return false
		}
	}
	return true
}

func (o *Objects) create(w http.ResponseWriter, r *http.Request) {
	object := read(w, r)
	if object == nil {
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	name := object.Metadata.Name
	if _, found := o.state.Objects[name]; found {
		refuse(w, http.StatusConflict, "AlreadyExists", fmt.Sprintf("configmaps %q already exists", name))
		return
	}
	object.Metadata.UID = fmt.Sprintf("uid-%d", o.state.Revision+1)
	object.Metadata.CreationTimestamp = time.Now().UTC().Format(time.RFC3339)
	o.keep(w, http.StatusCreated, object)
}

func (o *Objects) update(w http.ResponseWriter, r *http.Request) {
	object := read(w, r)
	if object == nil {
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	name := r.PathValue("name")
	old, found := o.state.Objects[name]
	given := object.Metadata.ResourceVersion
	switch {
	case !found:
		missing(w, name)
	case object.Metadata.Name != name:
		refuse(w, http.StatusBadRequest, "BadRequest", "the name of the object does not match the name on the URL")
	case given == "" || given == "0":
		refuse(w, http.StatusUnprocessableEntity, "Invalid",
			"metadata.resourceVersion: Invalid value: 0: must be specified for an update")
	case given != old.Metadata.ResourceVersion:
		refuse(w, http.StatusConflict, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on configmaps %q: "+
			"the object has been modified; please apply your changes to the latest version and try again", name))
	default:
		object.Metadata.UID = old.Metadata.UID
		object.Metadata.CreationTimestamp = old.Metadata.CreationTimestamp
		o.keep(w, http.StatusOK, object)
	}
}

// keep writes the object and answers with it; what cannot be kept ends the process, as if it had not been asked.
func (o *Objects) keep(w http.ResponseWriter, code int, object *ConfigMap) {
	o.state.Revision++
	object.Kind, object.APIVersion = "ConfigMap", "v1"
	object.Metadata.Namespace = "holdfast"
	object.Metadata.ResourceVersion = strconv.Itoa(o.state.Revision)
	o.state.Objects[object.Metadata.Name] = object
	text, err := json.Marshal(o.state)
	if err == nil {
		err = os.WriteFile(o.path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(o.path+".new", o.path)
	}
	if err != nil {
		log.Fatal(err)
	}
	reply(w, code, object)
}

// read takes an object as etcd would: up to a mebibyte.
func read(w http.ResponseWriter, r *http.Request) *ConfigMap {
	var object ConfigMap
	if r.Header.Get("Content-Type") != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types include: application/json")
		return nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil || object.Metadata.Name == "" {
		refuse(w, http.StatusUnprocessableEntity, "Invalid", "ConfigMap is invalid: metadata.name: Required value")
		return nil
	}
	return &object
}

func missing(w http.ResponseWriter, name string) {
	refuse(w, http.StatusNotFound, "NotFound", fmt.Sprintf("configmaps %q not found", name))
}
