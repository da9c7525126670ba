package sale

import (
	"slices"
)

// sameOutlook reports whether two states see the same ahead.
func (s *State) sameOutlook(old *State) bool {
	return slices.EqualFunc(s.Plan, old.Plan, samePlanned) &&
		slices.EqualFunc(s.Limits, old.Limits, sameLimit) &&
		sameSafe(&s.SafeAdmission, &old.SafeAdmission) && sameForecast(&s.Forecast, &old.Forecast)
}

func sameLimit(a, b Limit) bool {
	return a.Name == b.Name && a.Signal == b.Signal && a.Has == b.Has && a.Ratio == b.Ratio && a.Bounds == b.Bounds &&
		a.Safe == b.Safe && a.Text == b.Text && a.Why == b.Why && a.HitAt.Equal(b.HitAt) &&
		a.HitLow.Equal(b.HitLow) && a.HitHigh.Equal(b.HitHigh) && a.NotTold == b.NotTold &&
		slices.EqualFunc(a.Evidence, b.Evidence, sameEvidence)
}

func sameEvidence(a, b Evidence) bool { return a.Signal == b.Signal && a.At.Equal(b.At) }

func sameSafe(a, b *SafeAdmission) bool {
	return a.Has == b.Has && a.PerMinute == b.PerMinute && a.Limit == b.Limit && a.Why == b.Why &&
		a.Session == b.Session && a.Measured == b.Measured && slices.EqualFunc(a.Evidence, b.Evidence, sameEvidence)
}

func sameForecast(a, b *Forecast) bool {
	return sameWhen(&a.SellOut, &b.SellOut) && sameWhen(&a.Drain, &b.Drain) && sameWhen(&a.Limit, &b.Limit) &&
		a.LimitName == b.LimitName && a.Wait == b.Wait && a.AtOpen == b.AtOpen && a.Serve == b.Serve
}

func sameWhen(a, b *When) bool {
	return a.Has == b.Has && a.At.Equal(b.At) && a.Low.Equal(b.Low) && a.High.Equal(b.High) &&
		a.AfterResume == b.AfterResume && a.From.Equal(b.From) && a.Never == b.Never && a.Grows == b.Grows &&
		a.Rate == b.Rate && a.Why == b.Why
}
