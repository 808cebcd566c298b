package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"holdfast.invalid/lab/kube"
)

// backup writes k0s_backup_TIME.tar.gz with the certificates and the database.
func backup(options kube.Options) error {
	data := options.Get("data-dir", defaultData)
	name := "k0s_backup_" + time.Now().UTC().Format("2006-01-02T15_04_05_000Z") + ".tar.gz"
	path := filepath.Join(options.Get("save-path", "."), name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	compressed := gzip.NewWriter(file)
	archive := tar.NewWriter(compressed)
	for _, directory := range []string{"pki", "db"} {
		err = errors.Join(err, add(archive, data, directory))
	}
	if err := errors.Join(err, archive.Close(), compressed.Close(), file.Close()); err != nil {
		return err
	}
	fmt.Println("archive", path, "created successfully")
	return nil
}

func add(archive *tar.Writer, root, directory string) error {
	files, err := os.ReadDir(filepath.Join(root, directory))
	if err != nil {
		return err
	}
	for _, file := range files {
		name := filepath.Join(directory, file.Name())
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: time.Now()}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	return nil
}
