// Package keyfile reads the file of keys that case numbers are made with, and makes one.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"policyd-rdns/policy/casenumber"
)

// maxSize bounds a file of keys, in bytes.
const maxSize = 64 << 10

// Read reads a file of keys. Errors tell the path where the system does, and never a key.
func Read(path string) (*casenumber.Keys, error) {
	// What is no regular file may take for ever.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxSize:
		return nil, fmt.Errorf("is longer than %d KiB", maxSize>>10)
	}
	return casenumber.ParseKeys(string(text))
}

// ReadOrMake reads a file of keys, or makes one with a new key, for this process's user
// alone, where there is none yet: what root makes is the folder's owner's. Who makes one at
// the same time has the same key.
func ReadOrMake(path string) (*casenumber.Keys, error) {
	keys, err := Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	// Written whole before it has its name: nobody reads half a key.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // of mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // files have one name each here
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			err = write(f)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Read(path) // mine, or that of who was quicker
}

// write writes a file with a new key, and closes it.
func write(f *os.File) error {
	_, err := fmt.Fprintf(f, "# Keys of case numbers: the first makes them, all read them.\n%s\n", casenumber.NewKey())
	if folder := stat(filepath.Dir(f.Name())); os.Geteuid() == 0 && folder != nil {
		err = errors.Join(err, f.Chown(int(folder.Uid), int(folder.Gid)))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// stat is what the system says of a file; nil: nothing.
func stat(path string) *syscall.Stat_t {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	s, _ := info.Sys().(*syscall.Stat_t)
	return s
}

// Others says what is wrong with the permissions of a file of keys; empty: nothing, or
// nobody can tell. Root's group is nobody else; and a file of root's that an ACL lets one
// user read looks as if that group might (LoadCredential= of systemd.exec(5)).
func Others(path string) string {
	s := stat(path)
	if s == nil || s.Mode&0o077 == 0 || s.Mode&0o007 == 0 && s.Gid == 0 {
		return ""
	}
	return fmt.Sprintf("has the mode %04o, so that others than its owner may read or write it", s.Mode&0o777)
}

// Foreign says why the owner of a file's folder, as whom the daemon runs, cannot read it, and
// what to do; empty: he can, or nobody can tell.
func Foreign(path string) string {
	s, folder := stat(path), stat(filepath.Dir(path))
	if s == nil || folder == nil || folder.Uid == 0 || s.Uid == folder.Uid || s.Mode&0o004 != 0 || s.Mode&0o040 != 0 && s.Gid == folder.Gid {
		return ""
	}
	return fmt.Sprintf("belongs to user %d, and its folder to user %d, as whom the daemon runs: it cannot read it, and makes a key that ends with each run; want \"chown %d %s\"",
		s.Uid, folder.Uid, folder.Uid, path)
}
