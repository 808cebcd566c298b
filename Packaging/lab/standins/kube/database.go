package kube

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const pageSize = 4096

// CreateDatabase makes a valid, empty SQLite database with kine's table at the path, where none
// is: what a backup of a stand-in copies. Its journal mode is WAL, as kine's is.
func CreateDatabase(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.Write(emptyDatabase("kine",
		"CREATE TABLE kine (id INTEGER PRIMARY KEY, name TEXT, value BLOB)"))
	return errors.Join(err, file.Close())
}

// emptyDatabase lays out https://www.sqlite.org/fileformat2.html: page 1 with the file's header
// and the schema's one row, page 2 the table's empty leaf.
func emptyDatabase(table, statement string) []byte {
	file := make([]byte, 2*pageSize)
	copy(file, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(file[16:], pageSize)
	copy(file[18:], []byte{2, 2, 0, 64, 32, 32}) // WAL for writing and reading; fixed fractions
	for offset, value := range map[int]uint32{
		24: 1,         // file change counter
		28: 2,         // pages
		40: 1,         // schema cookie
		44: 4,         // schema format
		56: 1,         // UTF-8
		92: 1,         // change counter for which the page count is valid
		96: 3_040_001, // version of SQLite that wrote it
	} {
		binary.BigEndian.PutUint32(file[offset:], value)
	}

	// The schema's row: type, name, tbl_name, rootpage, sql.
	text := func(s string) []byte { return varint(13 + 2*len(s)) }
	header := append(append(append(text("table"), text(table)...), text(table)...), 1)
	header = append(header, text(statement)...)
	record := append([]byte{byte(len(header) + 1)}, header...)
	record = append(record, "table"+table+table+"\x02"+statement...)
	cell := append(append(varint(len(record)), 1), record...)
	start := pageSize - len(cell)
	copy(file[start:], cell)
	leaf(file[100:], 1, start)
	binary.BigEndian.PutUint16(file[108:], uint16(start))
	leaf(file[pageSize:], 0, pageSize)
	return file
}

func leaf(page []byte, cells, contentStart int) {
	page[0] = 13 // a leaf of a table
	binary.BigEndian.PutUint16(page[3:], uint16(cells))
	binary.BigEndian.PutUint16(page[5:], uint16(contentStart))
}

// varint is SQLite's, for numbers below 2^14.
func varint(n int) []byte {
	if n < 128 {
		return []byte{byte(n)}
	}
	return []byte{byte(n>>7) | 128, byte(n & 127)}
}
