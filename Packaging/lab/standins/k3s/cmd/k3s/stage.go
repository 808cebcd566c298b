package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/k3s-io/k3s/pkg/data"
)

// stage unpacks the archive to DATA/DIGEST unless it is there. Only a fresh unpacking moves the
// links current and previous: after a step back to a version that was unpacked before, current
// names the wrong one, as it does with the real K3s.
func stage(root string) (string, error) {
	digest, archive, err := data.Asset()
	if err != nil {
		return "", err
	}
	directory := filepath.Join(root, digest)
	if _, err := os.Stat(directory); err == nil {
		return directory, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(root, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	temporary := directory + "-tmp"
	if err := errors.Join(os.RemoveAll(temporary), unpack(archive, temporary)); err != nil {
		return "", err
	}
	current, previous := filepath.Join(root, "current"), filepath.Join(root, "previous")
	if _, err := os.Lstat(current); err == nil {
		if err := os.Rename(current, previous); err != nil {
			return "", err
		}
	}
	return directory, errors.Join(os.Rename(temporary, directory), os.Symlink(directory, current))
}

func unpack(archive []byte, directory string) error {
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for files := tar.NewReader(plain); ; {
		entry, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.Join(directory, entry.Name)
		switch entry.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(entry.Linkname, path)
		default:
			err = write(path, files, entry.FileInfo().Mode())
		}
		if err != nil {
			return err
		}
	}
}

func write(path string, from io.Reader, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}
