package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// screen is what a person sees: the cells that the written bytes leave behind. It knows the
// sequences that the cockpit's renderer writes; others change nothing.
type screen struct {
	w, h, x, y int
	top, under int  // rows above and under the scrolling region
	wrap       bool // the last column was written: the next character begins a line
	cells      []rune
	last       rune
	partial    []byte
	unknown    map[string]int
}

func newScreen(w, h int) *screen {
	s := &screen{w: w, h: h, cells: make([]rune, w*h), unknown: map[string]int{}}
	s.clear(0, w*h)
	return s
}

func (s *screen) clear(from, to int) {
	for i := max(from, 0); i < min(to, len(s.cells)); i++ {
		s.cells[i] = ' '
	}
}

// text is the screen, one line a row.
func (s *screen) text() string {
	var b strings.Builder
	for y := range s.h {
		b.WriteString(string(s.cells[y*s.w : (y+1)*s.w]))
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *screen) Write(p []byte) (int, error) {
	data := append(s.partial, p...)
	for len(data) > 0 {
		n := s.eat(data)
		if n == 0 {
			break
		}
		data = data[n:]
	}
	s.partial = append([]byte(nil), data...)
	return len(p), nil
}

// eat takes one character or sequence and returns its length, 0 when it is not whole yet.
func (s *screen) eat(data []byte) int {
	switch c := data[0]; {
	case c == 0x1b:
		return s.escape(data)
	case c < ' ' || c == 0x7f:
		s.control(c)
		return 1
	case !utf8.FullRune(data):
		return 0
	}
	r, n := utf8.DecodeRune(data)
	s.print(r)
	return n
}

func (s *screen) control(c byte) {
	s.wrap = false
	switch c {
	case '\r':
		s.x = 0
	case '\n':
		s.down()
	case '\b':
		s.x = max(s.x-1, 0)
	case '\t':
		s.x = min((s.x/8+1)*8, s.w-1)
	}
}

func (s *screen) down() {
	if s.y == s.h-s.under-1 {
		s.scroll(s.top, 1)
		return
	}
	s.y = min(s.y+1, s.h-1)
}

func (s *screen) print(r rune) {
	if s.wrap {
		s.x, s.wrap = 0, false
		s.down()
	}
	s.cells[s.y*s.w+s.x] = r
	s.last = r
	if s.x == s.w-1 {
		s.wrap = true
		return
	}
	s.x++
}

func (s *screen) escape(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '[':
		for i := 2; i < len(data); i++ {
			if data[i] >= 0x40 && data[i] <= 0x7e {
				s.csi(string(data[2:i]), data[i])
				return i + 1
			}
		}
		return 0
	case ']', 'P', '_', '^', 'X':
		for i := 2; i < len(data); i++ {
			if data[i] == 7 {
				return i + 1
			}
			if data[i] == 0x1b && i+1 < len(data) {
				return i + 2
			}
		}
		return 0
	case 'M':
		if s.y == s.top {
			s.scroll(s.top, -1)
		} else {
			s.y = max(s.y-1, 0)
		}
	case 'D':
		s.down()
	}
	return 2
}

// csi does a control sequence.
func (s *screen) csi(params string, final byte) {
	if strings.ContainsAny(params, "?><=$ ") || final == 'm' {
		return
	}
	s.wrap = s.wrap && final == 'b'
	first, second, _ := strings.Cut(params, ";")
	n := parameter(first, 1)
	here := s.y*s.w + s.x
	switch final {
	case 'H', 'f':
		s.y, s.x = min(n, s.h)-1, min(parameter(second, 1), s.w)-1
	case 'A':
		s.y = max(s.y-n, 0)
	case 'B', 'e':
		s.y = min(s.y+n, s.h-1)
	case 'C', 'a':
		s.x = min(s.x+n, s.w-1)
	case 'D':
		s.x = max(s.x-n, 0)
	case 'E':
		s.y, s.x = min(s.y+n, s.h-1), 0
	case 'F':
		s.y, s.x = max(s.y-n, 0), 0
	case 'G', '`':
		s.x = min(n, s.w) - 1
	case 'd':
		s.y = min(n, s.h) - 1
	case 'I':
		s.x = min((s.x/8+n)*8, s.w-1)
	case 'Z':
		s.x = max(((s.x+7)/8-n)*8, 0)
	case 'b':
		for range n {
			s.print(s.last)
		}
	case 'X':
		s.clear(here, min(here+n, (s.y+1)*s.w))
	case 'J', 'K':
		s.erase(final, parameter(first, 0), here)
	case 'P':
		row := s.cells[s.y*s.w : (s.y+1)*s.w]
		copy(row[s.x:], row[min(s.x+n, s.w):])
		s.clear((s.y+1)*s.w-n, (s.y+1)*s.w)
	case '@':
		row := s.cells[s.y*s.w : (s.y+1)*s.w]
		copy(row[min(s.x+n, s.w):], row[s.x:])
		s.clear(here, here+n)
	case 'L':
		s.scroll(s.y, -n)
	case 'M':
		s.scroll(s.y, n)
	case 'S':
		s.scroll(s.top, n)
	case 'T':
		s.scroll(s.top, -n)
	case 'r':
		s.top, s.under = n-1, s.h-min(parameter(second, s.h), s.h)
		s.x, s.y = 0, 0
	default:
		s.unknown[string(final)]++
	}
}

// scroll moves the rows of the scrolling region from a row on up by n, or down where n is negative.
func (s *screen) scroll(from, n int) {
	end := s.h - s.under
	if from < s.top || from >= end {
		return
	}
	rows := s.cells[from*s.w : end*s.w]
	if n >= 0 {
		n = min(n, end-from)
		copy(rows, rows[n*s.w:])
		s.clear((end-n)*s.w, end*s.w)
		return
	}
	n = min(-n, end-from)
	copy(rows[n*s.w:], rows)
	s.clear(from*s.w, (from+n)*s.w)
}

func (s *screen) erase(final byte, how, here int) {
	from, to := 0, len(s.cells)
	if final == 'K' {
		from, to = s.y*s.w, (s.y+1)*s.w
	}
	switch how {
	case 0:
		s.clear(here, to)
	case 1:
		s.clear(from, here+1)
	default:
		s.clear(from, to)
	}
}

func parameter(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}
