//go:build linux

package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// startProfile writes a CPU profile of forty quiet seconds of this process, after the start is
// over, and beside it one of everything it has allocated. A steady cockpit works so little that
// the usual hundred samples a second would show nothing: it takes a thousand.
func startProfile(name string) bool {
	go func() {
		<-time.After(8 * time.Second)
		cpu, err := os.Create(name)
		if err != nil {
			return
		}
		runtime.SetCPUProfileRate(1000)
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return
		}
		<-time.After(40 * time.Second)
		pprof.StopCPUProfile()
		_ = cpu.Close()
		if allocs, err := os.Create(strings.TrimSuffix(name, ".pprof") + ".allocs.pprof"); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(allocs, 0)
			_ = allocs.Close()
		}
	}()
	return true
}
