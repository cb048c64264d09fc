package past

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// besideStore are the ends of files that a store may have, the first its own.
var besideStore = []string{"", "-wal", "-shm", "-journal"}

// ownedByFolder gives a file that was made, and what is beside it, to whom its folder
// belongs: root makes it for the daemon, which runs as another user. Anybody else has
// made it for himself.
func ownedByFolder(file string) error {
	info, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return err
	}
	folder, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	for _, end := range besideStore {
		if err := os.Lchown(file+end, int(folder.Uid), int(folder.Gid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
