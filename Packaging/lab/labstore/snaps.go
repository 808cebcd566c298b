package main

import (
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
)

// refreshRequest is the body of /v2/snaps/refresh: what is installed, and what is wanted.
type refreshRequest struct {
	Context []struct {
		SnapID          string `json:"snap-id"`
		InstanceKey     string `json:"instance-key"`
		TrackingChannel string `json:"tracking-channel"`
	}
	Actions []refreshAction
}

type refreshAction struct {
	Action, Name, Channel, Key string
	InstanceKey                string `json:"instance-key"`
	SnapID                     string `json:"snap-id"`
	Revision                   int
}

func (s *server) refresh(w http.ResponseWriter, r *http.Request, body []byte) {
	var request refreshRequest
	if err := json.Unmarshal(body, &request); err != nil {
		refuse(w, http.StatusBadRequest, "bad-request", err.Error())
		return
	}
	c, err := load(s.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	results := []object{}
	for _, action := range request.Actions {
		results = append(results, c.answer(request, action, r.Host))
	}
	reply(w, http.StatusOK, object{"results": results, "error-list": []object{}})
}

// answer is one action's result: a revision to install, or why there is none.
func (c *catalog) answer(request refreshRequest, action refreshAction, host string) object {
	if action.Action == "fetch-assertions" {
		return object{"result": action.Action, "key": action.Key, "assertion-stream-urls": []string{}}
	}
	id, channel := action.SnapID, action.Channel
	for _, installed := range request.Context {
		if installed.InstanceKey != action.InstanceKey {
			continue
		}
		if id == "" {
			id = installed.SnapID
		}
		if channel == "" {
			channel = installed.TrackingChannel
		}
	}
	name, missing := action.Name, "name-not-found"
	if action.Action == "refresh" {
		missing = "id-not-found"
		for _, known := range c.Snaps {
			if known.ID == id {
				name = known.Name
			}
		}
	}
	failure := func(code, message string, extra object) object {
		return object{"result": "error", "instance-key": action.InstanceKey, "snap-id": id, "name": name,
			"error": object{"code": code, "message": message, "extra": extra}}
	}
	wanted := c.Snaps[name]
	if wanted == nil {
		return failure(missing, "not found", object{})
	}
	result := object{"result": action.Action, "instance-key": action.InstanceKey,
		"snap-id": wanted.ID, "name": name}
	number := action.Revision
	if number == 0 {
		effective, offer := wanted.resolve(channel)
		number = offer.Revision
		result["effective-channel"], result["released-at"] = effective, offer.At
	}
	if wanted.Revisions[number] == nil {
		releases := []object{}
		for open := range wanted.Channels {
			releases = append(releases, object{"architecture": runtime.GOARCH, "channel": open})
		}
		return failure("revision-not-found", "no snap revision on specified channel",
			object{"releases": releases})
	}
	result["snap"] = wanted.describe(number, host)
	return result
}

func (s *server) info(w http.ResponseWriter, r *http.Request, name string) {
	c, err := load(s.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	known := c.Snaps[name]
	if known == nil {
		refuse(w, http.StatusNotFound, "resource-not-found", "no snap found")
		return
	}
	channels := []object{}
	var details object
	for channel, offer := range known.Channels {
		track, risk, _ := strings.Cut(channel, "/")
		short := channel
		if track == "latest" {
			short = risk
		}
		entry := known.describe(offer.Revision, r.Host)
		entry["channel"] = object{"architecture": "all", "name": short, "risk": risk, "track": track,
			"released-at": offer.At}
		channels = append(channels, entry)
		details = known.describe(offer.Revision, r.Host)
	}
	// What belongs to a revision stands in the channel map alone.
	for _, key := range []string{"download", "revision", "version", "created-at", "epoch",
		"architectures", "base", "confinement", "snap-yaml", "type"} {
		delete(details, key)
	}
	reply(w, http.StatusOK, object{"channel-map": channels, "default-track": nil, "name": name,
		"snap-id": known.ID, "snap": details})
}

func (s *snap) describe(number int, host string) object {
	r := s.Revisions[number]
	return object{
		"architectures": []string{"all"}, "base": s.Base, "confinement": s.Confinement,
		"created-at": r.Created, "title": s.Name,
		"description": s.Name + " stand-in", "summary": s.Name + " stand-in",
		"download": object{"sha3-384": r.SHA3, "size": r.Size, "deltas": []string{},
			"url": "http://" + host + "/download/" + r.File},
		"epoch":   object{"read": []int{0}, "write": []int{0}},
		"license": "Apache-2.0", "name": s.Name, "prices": object{}, "private": false,
		"publisher": object{"id": authority, "username": authority, "display-name": "Testrootorg",
			"validation": "verified"},
		"revision": number, "snap-id": s.ID, "snap-yaml": r.YAML, "type": s.Type, "version": r.Version,
	}
}
