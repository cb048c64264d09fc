package zone

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policybench/internal/crowd"
)

// Share is a part of the whole, 0 to 1. It is a flag's value.
type Share float64

// Set reads "1%", "0.5%" or "0.01".
func (s *Share) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(number, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) { // NaN is neither
		return fmt.Errorf("%.60q: want a share such as 1%% or 0.01", text)
	}
	*s = Share(f)
	return nil
}

func (s *Share) String() string {
	return strconv.FormatFloat(float64(*s)*100, 'g', -1, 64) + "%"
}

// Type is what help calls the value.
func (*Share) Type() string { return "share" }

// hit says whether a number that looks like chance falls within the share.
func (s Share) hit(chance uint64) bool {
	return s > 0 && float64(chance)/math.MaxUint64 < float64(s)
}

// falls says whether a name does, always the same for one seed and one salt.
func (s Share) falls(seed, salt uint64, name []byte) bool {
	if s == 0 {
		return false
	}
	h := crowd.Scatter(seed ^ salt<<56)
	for _, c := range name {
		h = (h ^ uint64(c)) * 0x100000001b3 // FNV-1a's prime
	}
	return s.hit(crowd.Scatter(h))
}
