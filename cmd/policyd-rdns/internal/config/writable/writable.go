// Package writable tells who else may write to a file, or put another in its place.
package writable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// ByStrangers says in words by whom else than root and this process's user a file may
// be written to or replaced; empty: by nobody. What cannot be looked at is taken to be
// well.
func ByStrangers(file string) string { return thisProcess().exposed(file) }

// owned is what a file or a folder says of who may write to it.
type owned struct {
	mode     fs.FileMode
	uid, gid int
}

// onlooker looks at files as one user, who trusts root, himself and his groups.
type onlooker struct {
	stat    func(path string) (owned, error)  // follows links
	resolve func(path string) (string, error) // gives a path without links
	uid     int
	gids    []int
}

// thisProcess looks at the files of this machine.
func thisProcess() *onlooker {
	gids, _ := os.Getgroups()
	return &onlooker{
		stat: func(path string) (owned, error) {
			info, err := os.Stat(path)
			if err != nil {
				return owned{}, err
			}
			s, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return owned{}, errors.ErrUnsupported
			}
			return owned{info.Mode(), int(s.Uid), int(s.Gid)}, nil
		},
		resolve: filepath.EvalSymlinks, uid: os.Geteuid(), gids: append(gids, os.Getegid()),
	}
}

// The numbers of those who log in, as login.defs(5) has them. Below are the
// system's own users and groups, syslog and adm among them, which the
// administrator has let near the logs; above those of systemd's DynamicUser=.
const (
	firstLogin = 1000
	lastLogin  = 60_000
	// usersGroup is Debian's group of all who log in.
	usersGroup = 100
)

func isLogin(id int) bool { return firstLogin <= id && id <= lastLogin }

// exposed is [ByStrangers], of an onlooker.
func (o *onlooker) exposed(file string) string {
	whole := []string{file}
	if to, err := o.resolve(file); err == nil && to != file {
		whole = append(whole, to)
	} else if folder, err := o.resolve(filepath.Dir(file)); err == nil && folder != filepath.Dir(file) {
		whole = append(whole, filepath.Join(folder, filepath.Base(file)))
	}
	for _, path := range whole {
		if f, err := o.stat(path); err == nil && f.mode.IsRegular() {
			if who := o.writers(f); who != "" {
				return fmt.Sprintf("the file %s may be written to by %s", path, who)
			}
		}
		within := filepath.Dir(path)
		for folder := within; ; folder = filepath.Dir(folder) {
			if f, err := o.stat(folder); err == nil {
				// In a sticky folder nobody replaces what is another's; but a file that is
				// not there yet, or was renamed by a rotation, anybody may make.
				who := o.writers(f)
				if f.mode&fs.ModeSticky != 0 && folder != within {
					who = ""
				}
				if who != "" {
					return fmt.Sprintf("the folder %s may be written to by %s", folder, who)
				}
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return ""
}

// writers names strangers who may write to a file or a folder. Root does not know
// as which user the daemon will run, and so says nothing of owners.
func (o *onlooker) writers(f owned) string {
	switch perm := f.mode.Perm(); {
	case perm&0o002 != 0:
		return "everybody"
	case perm&0o020 != 0 && (isLogin(f.gid) || f.gid == usersGroup) && !slices.Contains(o.gids, f.gid):
		return fmt.Sprintf("group %d", f.gid)
	case perm&0o200 != 0 && isLogin(f.uid) && f.uid != o.uid && o.uid != 0:
		return fmt.Sprintf("its owner, user %d", f.uid)
	}
	return ""
}
