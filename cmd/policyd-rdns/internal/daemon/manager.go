package daemon

import (
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
)

// manager is the service manager that started us, if one did: sd_notify(3),
// for a unit of Type=notify or notify-reload.
type manager struct {
	interval time.Duration
	states   chan string
	told     chan struct{} // closed when all was told
}

// maxStates bounds what waits for a manager that does not read.
const maxStates = 16

func newManager() manager {
	interval, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		interval = 0
	}
	m := manager{interval: interval, states: make(chan string, maxStates), told: make(chan struct{})}
	go func() {
		defer close(m.told)
		for state := range m.states {
			_, _ = sd.SdNotify(false, state) // that it could not be told changes nothing for us
		}
	}()
	return m
}

// notify tells the manager, in order. Without one it does nothing, and it waits
// for none.
func (m manager) notify(state string) {
	select {
	case m.states <- state:
	default: // nobody reads
	}
}

// tellTime bounds how long a manager that does not read is waited for at the end.
const tellTime = time.Second

// close ends the telling, behind what was told.
func (m manager) close() {
	close(m.states)
	limit := time.NewTimer(tellTime)
	defer limit.Stop()
	select {
	case <-m.told:
	case <-limit.C:
	}
}

func (m manager) ready()    { m.notify(sd.SdNotifyReady) }
func (m manager) stopping() { m.notify(sd.SdNotifyStopping) }
func (m manager) alive()    { m.notify(sd.SdNotifyWatchdog) }

// reloading has to carry the time, by which the manager knows its own request
// from an older one.
func (m manager) reloading() {
	m.notify(sd.SdNotifyReloading + "\n" + sd.SdNotifyMonotonicUsec())
}

// watchdog ticks twice in the time within which the manager wants to hear from
// us; never if it does not.
func (m manager) watchdog() (<-chan time.Time, func()) {
	if m.interval <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(m.interval / 2)
	return t.C, t.Stop
}
