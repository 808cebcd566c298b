package main

// #cgo LDFLAGS: -lsqlite3 -lm
// #include <stdlib.h>
// #include <sqlite3.h>
import "C"

import (
	"errors"
	"log"
	"os"
	"path/filepath"
	"time"
	"unsafe"
)

// How often a row is written: a server renews leases at all times.
const writeEach = 100 * time.Millisecond

// kine opens the database of a server without etcd, with kine's table and in the journal mode in which
// kine has it, and writes to it until the process ends. It is never closed, so that what was written
// last is in the log beside it, as in that of a server that runs or was killed.
func kine(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var database *C.sqlite3
	if C.sqlite3_open(name, &database) != C.SQLITE_OK {
		return errors.New(path + ": " + C.GoString(C.sqlite3_errmsg(database)))
	}
	for _, statement := range []string{
		"PRAGMA busy_timeout = 30000",
		"PRAGMA journal_mode = WAL",
		`CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
			deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`,
		"CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name)",
		"INSERT INTO kine (name, created, value) VALUES ('/registry/health', 1, '{\"health\":\"true\"}')",
	} {
		if err := execute(database, statement); err != nil {
			return err
		}
	}
	go func() {
		for ; ; time.Sleep(writeEach) {
			err := errors.Join(
				execute(database, "INSERT INTO kine (name, value) VALUES ('/registry/leases/stand-in', zeroblob(600))"),
				execute(database, "DELETE FROM kine WHERE id <= (SELECT max(id) FROM kine) - 2000"))
			if err != nil {
				log.Printf("level=error msg=%q", err.Error())
			}
		}
	}()
	return nil
}

func execute(database *C.sqlite3, statement string) error {
	text := C.CString(statement)
	defer C.free(unsafe.Pointer(text))
	var message *C.char
	if C.sqlite3_exec(database, text, nil, nil, &message) == C.SQLITE_OK {
		return nil
	}
	defer C.sqlite3_free(unsafe.Pointer(message))
	return errors.New("kine: " + C.GoString(message))
}
