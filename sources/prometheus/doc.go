// Package prometheus reads Prometheus and what speaks its HTTP API: Mimir, Thanos, Cortex,
// VictoriaMetrics, Amazon Managed Prometheus, PromQL in CloudWatch.
//
// # One request
//
// A poll is one instant query, however many signals read from the server. Every expression is
// labelled and the labelled ones are joined:
//
//	label_replace((EXPR), "onsale_query", "17", "", "") or label_replace(…)
//
// "or" keeps what has no equal label set on its left, and the label makes all sets differ, so
// every expression gives exactly what it gives alone: no series, one, or many. The tree of
// "or"s is balanced, because each copies its left side. A scalar expression is put into
// vector(). Equal expressions are asked once. Queries that would be longer than 128 KiB or join
// more than 1,024 expressions (some 500 signals and the ages of their samples) are split.
//
// A server that refuses the joined query (400, 422) is asked halves of it, once, to find the
// expressions that it does not accept; those are set aside, asked again by themselves about
// once a minute, and listed in Missing meanwhile. A timeout is not searched: it says nothing
// about a single expression. A server without label_replace is asked one by one.
//
// # The time of a value
//
// An instant query stamps its result with the time of evaluation, not of the sample, and uses
// a sample for five minutes after its series fell silent without a stale marker, as after the
// death of a remote-writing agent or behind an exporter with timestamps of its own. A short
// lookback_delta would cut such series off, but also every healthy one that is scraped less
// often than that; the interval is not known here, and some servers ignore the parameter.
//
// So the same request also asks max(timestamp(SELECTOR)) for the selectors of the expressions:
// when the newest sample under any of them is older than twice the spacing that its samples
// were seen to have (90 s while that is not known), the reading's time is the sample's, and the
// value ages and goes stale as it should. Otherwise it is the time of evaluation by the
// server's clock. Options.Lookback still sets lookback_delta for those who know their scrapes.
//
// # History
//
// The first poll asks for current values only, so that the first frame has them at once. The
// next one, which the poller begins without waiting, also asks query_range for the history of
// everything. Later polls extend it; a gap of more than three periods is filled the same way.
package prometheus
