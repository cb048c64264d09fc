package journal

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// TestLimitsAddUp: the bounds of all keys together are those of a line.
func TestLimitsAddUp(t *testing.T) {
	sum, cuts := len("{}\n"), 0
	for i := range table {
		row := &table[i]
		if row.bound == 0 {
			t.Errorf("%s has no bound", row.key)
		}
		sum += len(`,"":""`) + len(row.key) + row.bound
		if row.cuts {
			cuts += len(row.key) + len(`"",`)
		}
	}
	t.Logf("%d bytes at most, %d of them for the keys that are cut", sum, cuts)
	if sum > MaxLine {
		t.Errorf("the longest line has %d bytes; want at most %d", sum, MaxLine)
	}
	if cuts > maxCut {
		t.Errorf("the keys that may be cut take %d bytes; want at most %d", cuts, maxCut)
	}
	if len(table) > maxFields {
		t.Errorf("%d keys; want at most %d, or a larger maxFields", len(table), maxFields)
	}
}

// checkBounds holds the values of a line of JSON to the bounds of their keys.
func checkBounds(t *testing.T, line []byte) {
	t.Helper()
	var values map[string]json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil {
		t.Errorf("%v: %s", err, line)
	}
	for key, value := range values {
		f, ok := fieldOf(key)
		size := len(value)
		if ok && !table[f].bare() {
			size -= len(`""`)
		}
		if !ok || size > table[f].bound {
			t.Errorf("%s has %d bytes; want at most %d: %s", key, size, table[f].bound, value)
		}
	}
}

// A key that may be cut stands before the list of those that are.
func TestCutComesLast(t *testing.T) {
	cut, _ := fieldOf("cut")
	for i := range table[cut:] {
		if row := &table[int(cut)+i]; row.cuts {
			t.Errorf("%s comes after cut", row.key)
		}
	}
}

// longest is a record that has as much as can be of everything: of texts the
// same few bytes again and again.
func longest(text string) Record {
	long := strings.Repeat(text, 2048/len(text)+1)
	client := netip.MustParseAddr("2001:db8:1111:2222:3333:4444:5555:6666")
	var addrs []netip.Addr
	for a := netip.MustParseAddr("2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111"); len(addrs) < 1000; a = a.Next() {
		addrs = append(addrs, a)
	}
	forward := resolver.Forward{Outcome: resolver.Found, Addrs: addrs}
	r := Record{
		ID: long, Config: long, Host: long, Reply: long, Elapsed: math.MaxInt64,
		Request: policy.Request{
			Time: time.Unix(1<<57, 0), Client: client, ClientText: long, ClientName: long, ReverseClientName: long, HELO: long, State: long,
			Sender: long, Recipient: long, Instance: long, QueueID: long, Authenticated: true, Encrypted: true, Server: client, Context: long,
		},
		Facts: policy.Facts{
			PTR: resolver.Found, MoreNames: true, HELO: policy.HELO{Forward: forward}, OwnClient: true, OwnHELO: true,
			Past: policy.Past{
				Asked: true, NAT: true, FirstContact: time.Unix(1<<33, 0), LastContact: time.Unix(1<<33, 0), LastPass: time.Unix(1<<33, 0),
				PassDays: math.MinInt, Returned: time.Unix(1<<33, 0), Objected: time.Unix(1<<33, 0), Party: long, Correspondent: true,
			},
			Queries: math.MinInt, Cached: true, Stale: true, Outage: true, Overload: true,
		},
		Decision: policy.Decision{
			Action: policy.Info, Decided: policy.Reject, Rule: long, Downgraded: true, Waiting: math.MinInt, Mode: policy.ObserveInfo,
			Checks: policy.Checks{
				policy.CheckPTR: policy.TempError, policy.CheckFCrDNS: policy.Unresolved, policy.CheckName: policy.TempError,
				policy.CheckStrength: policy.TempError, policy.CheckKind: policy.TempError, policy.CheckHELOForm: policy.Unqualified,
				policy.CheckHELO: policy.Unresolved, policy.CheckHELOName: policy.Generic, policy.CheckHistory: policy.Returned,
			},
		},
	}
	for range 12 {
		r.Facts.Errors = append(r.Facts.Errors, resolver.LookupError{
			About: long, Server: netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666%eth0]:65535"), Reason: long,
		})
		n := policy.NewName("2001-db8-1111-2222-3333-4444-5555-6666"+strings.Repeat(".a", 103)+".example", client)
		n.Forward = forward
		r.Facts.Names = append(r.Facts.Names, n)
	}
	for range 1000 {
		r.Decision.Would = append(r.Decision.Would, policy.Ruling{Action: policy.Reject, Rule: long})
	}
	return r
}

// hostileTexts are bytes that take the most room of their kind.
var hostileTexts = []string{
	"a", `"`, `\`, ",", "=", " ", "\x00", "\x7f", "\n", "é", "\u2028", "😀", "\xff", `a\,`, "a😀", `,"\=é`, "{helo}", "msg=decision action=dunno ",
}

// TestLongestLine: whatever there is too much of, the line is one, of printable
// ASCII, within its bound, and reads as the same decision.
func TestLongestLine(t *testing.T) {
	least, longestLine := MaxLine, 0
	for _, text := range hostileTexts {
		r := longest(text)
		malformed := r
		malformed.Facts.Names = nil
		for range 12 {
			malformed.Facts.Names = append(malformed.Facts.Names, policy.NewName(strings.Repeat(text, 1000), r.Request.Client))
		}
		for _, one := range []*Record{&r, &malformed} {
			for _, format := range []Format{Logfmt, JSON} {
				line := format.Append(nil, one)
				longestLine, least = max(longestLine, len(line)), min(least, len(line))
				if len(line) > MaxLine || strings.Count(string(line), "\n") != 1 || strings.IndexFunc(string(line), func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }) >= 0 {
					t.Errorf("%q: %d bytes: %s", text, len(line), line)
				}
				if format == JSON {
					checkBounds(t, line)
				}
				one.Request.Time = time.Unix(0, 0) // the reader takes no year of twelve digits
				one.Elapsed = time.Second
				got, err := Parse(format.Append(nil, one))
				if err != nil {
					t.Errorf("%q: %v", text, err)
					continue
				}
				if got.Decision.Decided != policy.Reject || got.Decision.Action != policy.Info || got.Facts.Unread != 0 || got.Unknown != "" {
					t.Errorf("%q reads %+v", text, got)
				}
				for _, key := range []string{"sender", "would", "dns_errors", "names", "host"} {
					if f, _ := fieldOf(key); !got.cut.has(f) {
						t.Errorf("%q: %s is not cut", text, key)
					}
				}
			}
		}
	}
	t.Logf("%d to %d bytes", least, longestLine)
	if longestLine < MaxLine*3/4 {
		t.Errorf("the longest line has %d bytes: this shows little", longestLine)
	}
}
