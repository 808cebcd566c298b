package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/snapcore/snapd/asserts"
	"gopkg.in/yaml.v2"
)

// catalog is what the store offers. It is read anew for every request, so that a command which
// publishes takes effect at once.
type catalog struct {
	Snaps map[string]*snap
}

type snap struct {
	ID, Name, Type, Base, Confinement string
	Revisions                         map[int]*revision
	Channels                          map[string]released // by track/risk
}

type revision struct {
	File, Version, SHA3, YAML string
	Size                      uint64
	Created                   time.Time
}

type released struct {
	Revision int
	At       time.Time
}

func load(dir string) (*catalog, error) {
	c := &catalog{Snaps: map[string]*snap{}}
	text, err := os.ReadFile(filepath.Join(dir, "catalog.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return c, json.Unmarshal(text, c)
}

func (c *catalog) save(dir string) error {
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "catalog.json")
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func change(dir string, edit func(*catalog) error) error {
	c, err := load(dir)
	if err != nil {
		return err
	}
	if err := edit(c); err != nil {
		return err
	}
	return c.save(dir)
}

// publish takes a snap's file into the store as a revision and releases it to the channels.
func publish(dir, file, number string, channels []string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	text, err := exec.Command("unsquashfs", "-cat", file, "meta/snap.yaml").Output()
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	meta := struct{ Name, Version, Type, Base, Confinement string }{Type: "app", Confinement: "strict"}
	if err := yaml.Unmarshal(text, &meta); err != nil {
		return err
	}
	digest, size, err := asserts.SnapFileSHA3_384(file)
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(digest)
	if err != nil {
		return err
	}
	id := identifier(meta.Name)
	if err := assertRevision(dir, id, meta.Name, digest, size, n); err != nil {
		return err
	}
	stored := fmt.Sprintf("%s_%d.snap", meta.Name, n)
	if err := copyFile(file, filepath.Join(dir, "download", stored)); err != nil {
		return err
	}
	return change(dir, func(c *catalog) error {
		s := c.Snaps[meta.Name]
		if s == nil {
			s = &snap{Revisions: map[int]*revision{}, Channels: map[string]released{}}
			c.Snaps[meta.Name] = s
		}
		s.ID, s.Name, s.Type, s.Base, s.Confinement = id, meta.Name, meta.Type, meta.Base, meta.Confinement
		s.Revisions[n] = &revision{File: stored, Version: meta.Version, SHA3: hex.EncodeToString(raw),
			Size: size, YAML: string(text), Created: time.Now().UTC()}
		return c.release(meta.Name, n, channels)
	})
}

// identifier makes 32 characters, as many as a real snap-id has.
func identifier(name string) string {
	return strings.ReplaceAll(name+"LabStoreTestSnapIdentifier0123456789", "-", "x")[:32]
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

func (c *catalog) release(name string, n int, channels []string) error {
	s := c.Snaps[name]
	if s == nil || s.Revisions[n] == nil {
		return fmt.Errorf("%s has no revision %d", name, n)
	}
	for _, channel := range channels {
		s.Channels[full(channel)] = released{n, time.Now().UTC()}
	}
	return nil
}

func (c *catalog) close(name, channel string) error {
	if c.Snaps[name] == nil {
		return fmt.Errorf("there is no snap %s", name)
	}
	delete(c.Snaps[name].Channels, full(channel))
	return nil
}

var risks = []string{"stable", "candidate", "beta", "edge"}

// full makes track/risk of "", stable, 1.31 and 1.31/stable; a branch is dropped.
func full(channel string) string {
	track, rest, both := strings.Cut(channel, "/")
	risk, _, _ := strings.Cut(rest, "/")
	switch {
	case channel == "":
		return "latest/stable"
	case both:
		return track + "/" + risk
	case slices.Contains(risks, track):
		return "latest/" + track
	default:
		return track + "/stable"
	}
}

// resolve finds what a channel offers: an empty risk falls back to the next more stable one.
func (s *snap) resolve(channel string) (effective string, offer released) {
	track, risk, _ := strings.Cut(full(channel), "/")
	for i := slices.Index(risks, risk); i >= 0; i-- {
		effective = track + "/" + risks[i]
		if offer, open := s.Channels[effective]; open {
			return effective, offer
		}
	}
	return "", released{}
}
