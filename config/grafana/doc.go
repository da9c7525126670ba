// Package grafana turns a Grafana dashboard into a config: its Prometheus and CloudWatch panels become
// signals and panels, and whatever does not become one is told with its place and the reason.
//
// A dashboard draws any number of lines; a signal is one number. Where an expression groups, and the
// whole is what its parts add up to, the grouping is dropped and told; where that would say something
// else, the target is left out and told. Nothing is guessed that a person could not check by the notes.
//
// The JSON is the classic one, schema versions 14 to 41: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
package grafana
