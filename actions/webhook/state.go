package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// State is where the present state is read: a GET that answers JSON.
type State struct {
	URL     string // placeholders as in a call; only {{target}}, {{sale}} and {{dedup}} have a value
	Headers map[string]string
	// Paths says where each setting stands: names and list indexes with dots, "data.limits.0.rate".
	// A rate may be a number or a string that holds one.
	Paths map[string]string
	// Paused is the value, as text, that means paused, where it is no boolean.
	Paused string
	// Words turns the tool's words into ours: "closed" into "resolved".
	Words map[string]string
}

// value reads the settings out of an answer.
func (s *State) value(data []byte) (actions.Value, error) {
	var doc any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, errors.New("the state is not JSON")
	}
	v := actions.Value{}
	for setting, path := range s.Paths {
		found, err := at(doc, path)
		if err != nil {
			return nil, err
		}
		if v[setting], err = s.setting(setting, found); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return v, nil
}

// at walks a path of names and indexes.
func at(doc any, path string) (any, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch node := doc.(type) {
		case map[string]any:
			next, ok := node[step]
			if !ok {
				return nil, fmt.Errorf("the state has no %s", sale.Clean(path, 80))
			}
			doc = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return nil, fmt.Errorf("the state has no %s", sale.Clean(path, 80))
			}
			doc = node[i]
		default:
			return nil, fmt.Errorf("the state has no %s", sale.Clean(path, 80))
		}
	}
	return doc, nil
}

// setting turns what was found into a setting.
func (s *State) setting(name string, found any) (actions.Setting, error) {
	switch name {
	case SettingRate:
		word := fmt.Sprint(found)
		switch found.(type) {
		case json.Number, string:
		default:
			return actions.Unset, errors.New("it is not a number")
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
			return actions.Unset, errors.New("it is not a number of people")
		}
		return actions.Number(n), nil
	case SettingPaused:
		if on, ok := found.(bool); ok {
			return actions.Flag(on), nil
		}
		switch found.(type) {
		case json.Number, string:
			if s.Paused != "" {
				return actions.Flag(fmt.Sprint(found) == s.Paused), nil
			}
		}
		return actions.Unset, errors.New("it does not say whether it is paused")
	}
	word, ok := found.(string)
	if !ok {
		return actions.Unset, errors.New("it is not a word")
	}
	if ours, ok := s.Words[word]; ok {
		word = ours
	}
	return actions.Word(sale.Clean(word, 60)), nil
}
