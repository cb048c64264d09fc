package daemon

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"testing/fstest"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
)

func TestMemoryLimit(t *testing.T) {
	const unit = "0::/system.slice/policyd-rdns.service\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int64 // -1: none
	}{
		{"no cgroups", nil, -1},
		{"version 1", map[string]string{"proc/self/cgroup": "4:memory:/a\n3:cpu:/\n"}, -1},
		{"no limit", map[string]string{"proc/self/cgroup": unit, "sys/fs/cgroup/system.slice/policyd-rdns.service/memory.max": "max\n"}, -1},
		{"the unit's", map[string]string{
			"proc/self/cgroup": unit,
			"sys/fs/cgroup/system.slice/policyd-rdns.service/memory.max": "1073741824\n",
			"sys/fs/cgroup/system.slice/memory.max":                      "max\n",
		}, 1 << 30},
		{"the slice's", map[string]string{
			"proc/self/cgroup": "4:memory:/\n" + unit,
			"sys/fs/cgroup/system.slice/policyd-rdns.service/memory.max": "1073741824\n",
			"sys/fs/cgroup/system.slice/memory.max":                      "536870912\n",
		}, 512 << 20},
		{"a container's", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
		{"above the container's own", map[string]string{"proc/self/cgroup": "0::/../../elsewhere\n", "sys/fs/cgroup/memory.max": "max\n"}, -1},
		{"damaged", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1G\n"}, -1},
	} {
		root := fstest.MapFS{}
		for name, text := range test.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		got, ok := memoryLimit(root)
		if !ok {
			got = -1
		}
		if got != test.want {
			t.Errorf("%s: memoryLimit() = %d; want %d", test.name, got, test.want)
		}
	}
}

// TestUnitMemory: the limit of the unit is above what the settings take as they
// come, four times, with the status page.
func TestUnitMemory(t *testing.T) {
	text, err := os.ReadFile("../../../../systemd/policyd-rdns.service")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^MemoryMax=(\d+)G$`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the unit has no MemoryMax in GiB")
	}
	conf, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	conf.HTTP.Listen = "127.0.0.1:0"
	gib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	if got, want := gib<<30, 4*mayTake(conf); got < want*95/100 {
		t.Errorf("MemoryMax = %d MiB; want about %d", got>>20, want>>20)
	}
}
