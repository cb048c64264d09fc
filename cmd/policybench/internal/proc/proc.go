// Package proc reads what the kernel knows of a process from /proc: see
// proc_pid_stat(5) and proc_pid_status(5). It needs Linux.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of the times: USER_HZ, which is 100 on every Linux that Go
// runs on.
const tick = time.Second / 100

// CPU is the processor time that a process has taken, user and system, of all
// its threads, to 10 ms.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return cpuOf(stat)
}

// cpuOf reads utime and stime, the fields 14 and 15. The second field, the
// program's name, may hold anything; the last parenthesis ends it.
func cpuOf(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("/proc/PID/stat: %.60q: too short", stat)
	}
	ticks := int64(0)
	for _, f := range fields[utime : stime+1] {
		n, err := strconv.ParseInt(string(f), 10, 62)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// PeakMemory is the most of a process that was in memory (VmHWM), in bytes.
func PeakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return peakOf(status)
}

func peakOf(status []byte) (int64, error) {
	_, rest, found := bytes.Cut(status, []byte("\nVmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	fields := bytes.Fields(line)
	if !found || len(fields) != 2 || string(fields[1]) != "kB" {
		return 0, fmt.Errorf("/proc/PID/status: no VmHWM in kB")
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 52)
	return kib << 10, err
}
