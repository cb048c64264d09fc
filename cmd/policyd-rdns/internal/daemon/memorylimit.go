package daemon

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
)

// The README's formula for the memory that the program takes at most, in bytes.
const (
	MemoryBase       = 64 << 20 // the program, unfinished requests, lines that wait
	MemoryHTTP       = 32 << 20 // more, with http.listen
	MemoryPage       = 16 << 20 // more, with reply.listen
	MemoryEntry      = 700      // of cache_entries, garbage included
	MemoryConnection = 48 << 10 // of max_connections
)

// mayTake is how much memory a configuration may take, in bytes.
func mayTake(c *config.Config) int64 {
	n := int64(MemoryBase) + int64(c.Resolver.CacheEntries)*MemoryEntry + int64(c.Server.Connections)*MemoryConnection
	if c.HTTP.Listen != "" {
		n += MemoryHTTP
	}
	if c.Reply.Listen != "" {
		n += MemoryPage
	}
	return n
}

// checkMemory warns if the program may take more memory than it is allowed, by the
// unit's MemoryMax or a container's limit: it is ended then, and begins anew with
// an empty cache.
func (d *Daemon) checkMemory(conf *config.Config) {
	limit, ok := memoryLimit(os.DirFS("/"))
	if need := mayTake(conf); ok && limit < need {
		d.log.Warn("too little memory is allowed: raise MemoryMax, or lower resolver.cache_entries and server.max_connections",
			"limit_mib", limit>>20, "need_mib", need>>20)
	}
}

// memoryLimit is the least of the limits that hold for this process, in bytes, or
// not ok if there is none, or none that is found: cgroups(7), version 2.
func memoryLimit(root fs.FS) (limit int64, ok bool) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		group, unified := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !unified {
			continue
		}
		for dir := group; ; dir = path.Dir(dir) {
			if n, has := readLimit(root, path.Join("sys/fs/cgroup", dir, "memory.max")); has && (!ok || n < limit) {
				limit, ok = n, true
			}
			if dir == "." || dir == "" {
				return limit, ok
			}
		}
	}
	return 0, false
}

// readLimit is the limit in a file; "max" is none.
func readLimit(root fs.FS, file string) (int64, bool) {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
