//go:build !windows

package ui

// localeIsAlwaysUTF8: without a locale in the environment, POSIX means plain ASCII.
const localeIsAlwaysUTF8 = false
