// Package cloudwatch reads metrics of Amazon CloudWatch with GetMetricData.
//
// # What is asked
//
// A plan is made once, from the configured queries. The same statistic asked for by several
// sales is asked once. All statistics of one metric stand in one call, since up to five of
// them are billed as one metric, and an expression stands in the call of its inputs. A call
// carries at most 500 entries and one Metrics Insights query (limits of GetMetricData).
//
// # When
//
// CloudWatch stamps a datapoint with the start T of its period; the figure covers
// [T, T+period). A Reading's At is T+period, the end: the last instant that the figure says
// anything about. Its age is then the time about which nothing is known, and a one-minute sum
// lies on a chart where Prometheus' rate over one minute lies.
//
// Only closed periods that are settled are delivered. The newest minute of a load balancer
// is incomplete and volatile, so a period counts as settled once
//
//	settle = max(0, Delay - min(Every, 1 min))
//
// has passed since its end: one minute with the default Delay of two. Polled each minute, a
// period is on the screen at the latest Delay after its end. Each poll reads the last periods
// again (Lookback), and a later revision replaces the earlier figure. A call with a series
// that was quiet for so long looks back three times as far, or what is published later than
// that would never be read. A poll at which no new period can be there sends nothing and
// costs nothing.
//
// # What a figure is not
//
// An HTTP 200 is not success: every id carries its own StatusCode. Complete without values
// means that nobody published, which is not zero. Only a query that declares MissingZero gets
// zeros, by these rules: the status is Complete; the period is settled; another series of the
// same poll has a datapoint as new (so CloudWatch does answer), or all series of the poll
// may be silent and Delay has passed; and when the series ever had a datapoint, periods after
// its newest one turn zero only once Delay has passed, so that a late datapoint is never
// overtaken by a false zero. While no datapoint was ever seen, a warning names the signal.
//
// # What it costs
//
// 0.01 USD per 1,000 metrics requested (us-east-1 list price as third parties quote it; the
// region's own price may differ). Up to five statistics of a metric in one call count as one;
// each page is counted again. A Metrics Insights or SEARCH expression is billed by what it
// finds, which can't be seen from here: it is counted as one. Calls that were refused are not
// counted.
package cloudwatch
