// Package config reads the one file that declares everything: where to read, what a usual
// sale looks like, and the sales themselves.
//
// Reading is strict. An unknown key, a wrong unit, a name that means nothing or two things,
// a secret in plain text: each is refused with file, line, column, the line itself and a way
// to mend it, and as many as possible in one go. What comes out is plain data, resolved from
// templates and variables; nothing here talks to a system.
//
// A secret in the file is always a reference, "${env:NAME}" or "${file:PATH}". Its value is
// held in a Secret, which shows itself to nobody but to a caller of Reveal.
package config
