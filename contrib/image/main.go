// Command image makes an OCI image of policyd-rdns from nothing: the program, its
// configuration, licences, and the folders that it writes to. It needs no daemon and no base,
// and one commit makes the same bytes again.
//
// Into the folder of --to it writes the image of all architectures as an OCI archive, for
// podman, skopeo and registries, and one of each as "docker load" reads it.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is whom the program runs as, by number: there is nothing in the image that could
// look a name up but the program, and an orchestrator wants a number.
const user = 65532

// most is how large an image may be, compressed, in bytes.
const most = 12_000_000

func main() {
	version := flag.String("version", "", "of the program")
	epoch := flag.Int64("epoch", 0, "the time of all, in seconds since 1970")
	from := flag.String("from", "", "folder with ARCH/policyd-rdns and LICENSES")
	to := flag.String("to", "", "folder to write the archives into")
	flag.Parse()
	if err := run(*version, time.Unix(*epoch, 0).UTC(), *from, *to, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(version string, at time.Time, from, to string, arches []string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	reference := "policyd-rdns:" + version
	for _, arch := range arches {
		image, err := build(version, at, from, arch)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
		tag, err := name.NewTag(reference, name.WithDefaultRegistry("localhost"))
		if err != nil {
			return err
		}
		file := filepath.Join(to, "policyd-rdns-"+version+"-docker-"+arch+".tar")
		if err := tarball.WriteToFile(file, tag, image); err != nil {
			return err
		}
		size, err := size(image)
		switch {
		case err != nil:
			return err
		case size > most:
			return fmt.Errorf("linux/%s: %d bytes; want at most %d", arch, size, most)
		}
		fmt.Printf("%s: linux/%s, %d bytes compressed\n", reference, arch, size)
	}
	return writeOCI(index, reference, at, filepath.Join(to, "policyd-rdns-"+version+"-oci.tar"))
}

// build makes the image of one architecture.
func build(version string, at time.Time, from, arch string) (v1.Image, error) {
	content, err := content(at, from, arch)
	if err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	layer, err := tarball.LayerFromOpener(opener, tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{
		Created: v1.Time{Time: at}, CreatedBy: "make image",
	}})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, config(image, version, at, arch))
}

// config is how the image is run. The error of an image that was made here is none.
func config(image v1.Image, version string, at time.Time, arch string) *v1.ConfigFile {
	made, _ := image.ConfigFile()
	made = made.DeepCopy()
	made.OS, made.Architecture, made.Created = "linux", arch, v1.Time{Time: at}
	made.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{"/usr/bin/policyd-rdns"},
		Cmd:          []string{"serve"},
		Env:          []string{"PATH=/usr/bin", "POLICYD_RDNS_CONFIG=/etc/policyd-rdns/config.toml"},
		ExposedPorts: map[string]struct{}{"10040/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/policyd-rdns": {}},
		WorkingDir:   "/var/lib/policyd-rdns",
		StopSignal:   "SIGTERM",
		Healthcheck: &v1.HealthConfig{
			Test:     []string{"CMD", "/usr/bin/policyd-rdns", "health"},
			Interval: 30 * time.Second, Timeout: 10 * time.Second, StartPeriod: 10 * time.Second, Retries: 3,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "policyd-rdns",
			"org.opencontainers.image.description": "Postfix policy service that judges clients by their reverse DNS",
			"org.opencontainers.image.version":     version,
			"org.opencontainers.image.licenses":    "MIT",
		},
	}
	return made
}

// entry is one file or folder of the image.
type entry struct {
	name string
	mode int64
	id   int // owner and group
	text []byte
}

// content is the layer of all files, as a tar archive.
func content(at time.Time, from, arch string) ([]byte, error) {
	passwd := fmt.Appendf(nil, "root:x:0:0:root:/:/nonexistent\npolicyd-rdns:x:%d:%d:policyd-rdns:/var/lib/policyd-rdns:/nonexistent\n", user, user)
	group := fmt.Appendf(nil, "root:x:0:\npolicyd-rdns:x:%d:\n", user)
	entries := []entry{
		{"etc/", 0o755, 0, nil},
		{"etc/group", 0o644, 0, group},
		{"etc/passwd", 0o644, 0, passwd},
		{"etc/policyd-rdns/", 0o755, 0, nil},
		{"tmp/", 0o1777, 0, nil},
		{"usr/", 0o755, 0, nil},
		{"usr/bin/", 0o755, 0, nil},
		{"usr/share/", 0o755, 0, nil},
		{"usr/share/licenses/", 0o755, 0, nil},
		{"usr/share/licenses/policyd-rdns/", 0o755, 0, nil},
		{"var/", 0o755, 0, nil},
		{"var/lib/", 0o755, 0, nil},
		{"var/lib/policyd-rdns/", 0o750, user, nil},
	}
	for _, file := range []struct {
		name, path string
		mode       fs.FileMode
	}{
		{"etc/policyd-rdns/config.toml", "config.toml", 0o644},
		{"usr/bin/policyd-rdns", filepath.Join(from, arch, "policyd-rdns"), 0o755},
		{"usr/share/licenses/policyd-rdns/LICENSES", filepath.Join(from, "LICENSES"), 0o644},
	} {
		text, err := os.ReadFile(file.path)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{file.name, int64(file.mode), 0, text})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.id, Gid: e.id, Size: int64(len(e.text)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if e.text == nil {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.text); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// size is how much is transferred for an image.
func size(image v1.Image) (int64, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return 0, err
	}
	n := manifest.Config.Size
	for _, layer := range manifest.Layers {
		n += layer.Size
	}
	return n, nil
}

// writeOCI writes an image of several architectures as an archive of an OCI layout.
func writeOCI(index v1.ImageIndex, reference string, at time.Time, file string) error {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": reference})); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	err = filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error { // in order
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		within, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(within), Mode: 0o644, Size: int64(len(text)), ModTime: at, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err2 := w.Close(); err == nil {
		err = err2
	}
	if err2 := out.Close(); err == nil {
		err = err2
	}
	return err
}
