package lint

import (
	"testing"

	"policyd-rdns/policy"
)

func TestShadows(t *testing.T) {
	type rule = policy.Rule
	none := policy.Table{entry(t, "ptr", "none")}
	tests := []struct {
		before, after policy.Rule
		want          bool
	}{
		{rule{Action: policy.Reject}, rule{Action: policy.Reject, When: none}, true},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject}, false},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.DUNNO, When: none}, true},
		{rule{Action: policy.Reject, When: policy.Table{entry(t, "ptr", "none", "malformed")}}, rule{Action: policy.Reject, When: none}, true},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject, When: policy.Table{entry(t, "ptr", "none", "malformed")}}, false},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject, When: policy.Table{entry(t, "ptr", "none"), entry(t, "helo", "own")}}, true},
		{rule{Action: policy.Reject, When: policy.Table{entry(t, "ptr", "none"), entry(t, "helo", "own")}}, rule{Action: policy.Reject, When: none}, false},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject, When: policy.Table{entry(t, "fcrdns", "none")}}, false},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject, When: none, Unless: []policy.Table{{entry(t, "helo", "own")}}}, true},
		{rule{Action: policy.Reject, When: none, Unless: []policy.Table{{entry(t, "helo", "own")}}}, rule{Action: policy.Reject, When: none}, false},
		{rule{Action: policy.Reject, Observe: true, When: none}, rule{Action: policy.Reject, When: none}, false},
		{rule{Action: policy.Reject, Percent: 50, When: none}, rule{Action: policy.Reject, When: none}, false},
		{rule{Action: policy.Reject, Percent: 100, When: none}, rule{Action: policy.Reject, When: none}, true},
		{rule{Action: policy.Reject, When: none}, rule{Action: policy.Reject, Percent: 50, When: none}, true},
	}
	for _, tt := range tests {
		if got := Shadows(&tt.before, &tt.after); got != tt.want {
			t.Errorf("%v shadows %v: %v; want %v", tt.before, tt.after, got, tt.want)
		}
	}
}
