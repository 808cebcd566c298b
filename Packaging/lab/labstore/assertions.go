package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/snapcore/snapd/asserts"
	"github.com/snapcore/snapd/asserts/assertstest"
	"github.com/snapcore/snapd/asserts/systestkeys"
)

// authority is the account whose test key is compiled into snapd by its tag withtestkeys.
const authority = "testrootorg"

type headers = map[string]interface{}

func sign(kind *asserts.AssertionType, h headers) (asserts.Assertion, error) {
	key, _ := assertstest.ReadPrivKey(systestkeys.TestStorePrivKey)
	h["authority-id"] = authority
	h["timestamp"] = time.Now().UTC().Format(time.RFC3339)
	return assertstest.NewSigningDB(authority, key).Sign(kind, h, nil, "")
}

// keep signs an assertion and stores it as TYPE,KEY.
func keep(dir string, kind *asserts.AssertionType, h headers) error {
	assertion, err := sign(kind, h)
	if err != nil {
		return err
	}
	return store(dir, assertion)
}

func store(dir string, assertion asserts.Assertion) error {
	key := strings.ReplaceAll(strings.Join(assertion.Ref().PrimaryKey, ","), "/", "_")
	path := filepath.Join(dir, "asserts", assertion.Type().Name+","+key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, asserts.Encode(assertion), 0o644)
}

// initialise signs what a node needs before its snapd first starts: a classic model, without
// which it gets no serial and never refreshes by itself, and the store's own assertion.
func initialise(dir, url string) error {
	if err := store(dir, systestkeys.TestStoreAccountKey); err != nil {
		return err
	}
	if err := keep(dir, asserts.ModelType, headers{
		"series": "16", "brand-id": authority, "model": "lab-classic", "classic": "true",
	}); err != nil {
		return err
	}
	return keep(dir, asserts.StoreType, headers{
		"store": "lab-store", "operator-id": authority, "url": url,
	})
}

func assertRevision(dir, id, name, digest string, size uint64, revision int) error {
	if err := keep(dir, asserts.SnapDeclarationType, headers{
		"series": "16", "snap-id": id, "snap-name": name, "publisher-id": authority,
	}); err != nil {
		return err
	}
	return keep(dir, asserts.SnapRevisionType, headers{
		"snap-sha3-384": digest, "snap-id": id, "snap-size": fmt.Sprint(size),
		"snap-revision": fmt.Sprint(revision), "developer-id": authority,
	})
}

// find looks an assertion up among the stored and the compiled-in ones.
func find(dir string, kind *asserts.AssertionType, key []string) (asserts.Assertion, error) {
	known := asserts.NewMemoryBackstore()
	for _, assertion := range []asserts.Assertion{
		systestkeys.TestRootAccount, systestkeys.TestRootAccountKey, systestkeys.TestStoreAccountKey,
	} {
		known.Put(assertion.Type(), assertion)
	}
	files, err := filepath.Glob(filepath.Join(dir, "asserts", "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		assertion, err := asserts.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		known.Put(assertion.Type(), assertion)
	}
	return known.Get(kind, key, kind.MaxSupportedFormat())
}
