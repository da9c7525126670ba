// Package alertmanager opens and resolves incidents as alerts of a Prometheus Alertmanager, API
// v2, and silences one for a bounded time, because Alertmanager has no acknowledge.
//
// What Alertmanager does, and what follows from it here:
//
//   - An alert's identity is its label set, here alertname, sale, cause and severity and the
//     labels of the config. Sending it again renews it; it never makes a second one.
//   - An alert without endsAt ends by itself after resolve_timeout, five minutes. So startsAt and
//     endsAt are always sent, four hours apart unless the config says otherwise.
//   - Alerts are not passed between peers and are not kept over a restart. So every peer is sent
//     every alert, and every peer is read back. Silences are passed between the peers of a cluster.
//   - When a resolve names an end that is still ahead by the server's clock, the later end wins
//     and the server says 200. So an end is named in the server's own time, from its Date header.
//   - A silence mutes an alert that is there, without a word. So it is looked for and said.
//
// Opening fails open: a peer that is down is named and holds nothing up. Done means that all
// peers, or the quorum of the config, show the alert.
package alertmanager
