package config

import (
	"io/fs"
	"reflect"
	"strconv"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// kind is what a setting takes: how its value is read, and within which limits.
type kind struct {
	// read takes the value of a key out of the table, where it is: the default (def,
	// as TOML) if the file has none. What is wrong with it is noted.
	read func(t *document.Table, key, def string, c *Config)
	// get gives the value that was read.
	get func(c *Config) any
	// limits are in words, as in "from 50ms to 30s"; empty: none.
	limits string
	// words are all that there are, of a choice.
	words []string
}

// at is the part of a kind that knows where the value is in a Config.
func at[T any](into func(*Config) *T) kind {
	return kind{get: func(c *Config) any { return *into(c) }}
}

// text is a text in quotes. check, if there is one, notes what is wrong with it.
func text(into func(*Config) *string, check func(t *document.Table, key string, c *Config)) kind {
	k := at(into)
	k.read = func(t *document.Table, key, _ string, c *Config) {
		t.Text(key, into(c))
		if check != nil {
			check(t, key, c)
		}
	}
	return k
}

// option is a word of a choice, and what it stands for.
type option[T any] struct {
	word  string
	value T
}

func word[T any](word string, value T) option[T] { return option[T]{word, value} }

// choice is one of some words.
func choice[T any](into func(*Config) *T, options ...option[T]) kind {
	k := at(into)
	for _, o := range options {
		k.words = append(k.words, o.word)
	}
	k.read = func(t *document.Table, key, _ string, c *Config) {
		i := 0
		t.Choice(key, &i, k.words...)
		*into(c) = options[i].value
	}
	return k
}

// boolean is true or false.
func boolean(into func(*Config) *bool) kind {
	k := at(into)
	k.read = func(t *document.Table, key, _ string, c *Config) { t.Boolean(key, into(c)) }
	return k
}

// whole is a whole number.
func whole(into func(*Config) *int, least, most int) kind {
	k := at(into)
	k.limits = "from " + grouped(least) + " to " + grouped(most)
	k.read = func(t *document.Table, key, _ string, c *Config) { t.Whole(key, into(c), least, most) }
	return k
}

// duration is a length of time. why says what the upper limit comes from, in the
// message about a longer one.
func duration(into func(*Config) *time.Duration, least, most time.Duration, why string) kind {
	k := at(into)
	k.limits = "from " + plain.DurationText(least) + " to " + plain.DurationText(most)
	k.read = func(t *document.Table, key, def string, c *Config) { t.Duration(key, into(c), least, most, why, def) }
	return k
}

// and is a kind with one more check, which is made of a value that is well.
func and(k kind, check func(t *document.Table, key string, c *Config)) kind {
	read := k.read
	k.read = func(t *document.Table, key, def string, c *Config) {
		wrong := t.R.Wrong()
		if read(t, key, def, c); t.R.Wrong() == wrong {
			check(t, key, c)
		}
	}
	return k
}

// octal is the permissions of a file, in quotes.
func octal(into func(*Config) *fs.FileMode) kind {
	k := at(into)
	k.read = func(t *document.Table, key, def string, c *Config) {
		var mode string
		if !t.Text(key, &mode) {
			return
		}
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || bits > 0o777 {
			t.Bad(key, mode, "want an octal mode such as "+def)
			return
		}
		*into(c) = fs.FileMode(bits)
	}
	return k
}

// list is a list of texts, or a single one, which add takes one by one.
func list[T any](into func(*Config) *T, add func(into *T, value string) error) kind {
	k := at(into)
	k.read = func(t *document.Table, key, _ string, c *Config) {
		t.Each(key, func(value string) error { return add(into(c), value) })
	}
	return k
}

// asWritten is a list whose values are kept as they stand in the file, too.
func asWritten(into func(*Config) *[]string, k kind) kind {
	read := k.read
	k.read = func(t *document.Table, key, def string, c *Config) {
		*into(c) = t.Written(key)
		read(t, key, def, c)
	}
	return k
}

// NeedRestart lists the settings, as "server.listen", that differ between two
// configurations and cannot be changed by a reload.
func NeedRestart(a, b *Config) []string {
	var names []string
	for i := range settings {
		if s := &settings[i]; s.restart && !reflect.DeepEqual(s.get(a), s.get(b)) {
			names = append(names, s.name)
		}
	}
	return names
}

// grouped is a number as TOML, in groups of three digits if it has more than four.
func grouped(n int) string {
	if n < 10_000 {
		return strconv.Itoa(n)
	}
	return plain.Grouped(strconv.Itoa(n), "_")
}
