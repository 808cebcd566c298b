// Package data holds the archive that the wrapper unpacks, named after its SHA-256.
package data

import (
	"embed"
	"strings"
)

//go:embed embed
var files embed.FS

// Asset is the archive's digest and its bytes, a tar compressed by gzip.
func Asset() (digest string, archive []byte, err error) {
	entries, err := files.ReadDir("embed")
	if err != nil {
		return "", nil, err
	}
	for _, entry := range entries {
		if digest, found := strings.CutSuffix(entry.Name(), ".tar.gz"); found {
			archive, err = files.ReadFile("embed/" + entry.Name())
			return digest, archive, err
		}
	}
	return "", nil, nil
}
