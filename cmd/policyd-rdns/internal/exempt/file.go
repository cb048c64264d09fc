package exempt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxFile bounds the file, in bytes: some hundred thousand exemptions.
const maxFile = 16 << 20

// Update has change work on the list of a file and writes what it made of it. Nothing is
// written where change fails or leaves the list as it is. A file that is absent is an
// empty list. A file that is a symbolic link is refused: whoever can lay one would choose
// what is overwritten.
func Update(path string, change func(*List) error) error {
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	text, info, err := read(path)
	if err != nil {
		return err
	}
	l, err := Parse(path, text)
	if err != nil {
		return err
	}
	if err := change(l); err != nil {
		return err
	}
	if now := l.String(); now != string(text) {
		return replace(path, now, info)
	}
	return nil
}

// Read is the list of a file, without the lock: it is replaced as a whole.
func Read(path string) (*List, error) {
	text, _, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// lock keeps others who update the file out. The lock is a file beside it, of its owner
// alone: on the folder, whoever may read it could keep the administrator waiting.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return func() { _ = f.Close() }, nil // which gives up the lock
}

// read reads the file; info is nil if it is absent.
func read(path string) (text []byte, info fs.FileInfo, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK): // EMLINK on FreeBSD
		return nil, nil, fmt.Errorf("%s is a symbolic link: want a file", path)
	case err != nil:
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is no regular file", path)
	}
	text, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: more than %d MiB", path, maxFile>>20)
	}
	return text, info, err
}

// replace puts a new file in the place of the old one, of whom owner and permissions stay.
func replace(path, text string, old fs.FileInfo) (err error) {
	folder, name := filepath.Split(path)
	temporary := filepath.Join(folder, "."+name+"."+strconv.Itoa(os.Getpid()))
	_ = os.Remove(temporary) // of an earlier process that was killed; the lock is ours
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	mode := fs.FileMode(0o644)
	if old != nil {
		mode = old.Mode().Perm()
		if owner, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
				return errors.Join(err, f.Close())
			}
		}
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder has the new name of a file survive a crash.
func syncFolder(folder string) error {
	d, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
