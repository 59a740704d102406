// promrules reads questions, one a line: what would Prometheus make of these series, minute by
// minute? It answers with the alerts that fire at the times in question, and with the values of
// expressions at the last of them. The one argument is a file of rules.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

type question struct {
	Series  []string // as in promtool's tests: a series, a blank, its values of each minute
	Minutes []int    // when to tell what fires; the last one comes last
	Exprs   []string
}

type fired struct {
	Labels      labels.Labels `json:"labels"`
	Annotations labels.Labels `json:"annotations"`
}

type answer struct {
	Alerts map[int][]fired    `json:"alerts"` // by minute
	Values map[string][]point `json:"values"` // by expression
}

type point struct {
	Labels labels.Labels `json:"labels"`
	Value  string        `json:"value"` // NaN is no number to JSON
}

func main() {
	asked, told := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for asked.More() {
		var q question
		if err := asked.Decode(&q); err != nil {
			log.Fatal(err)
		}
		if err := told.Encode(answered(q, os.Args[1])); err != nil {
			log.Fatal(err)
		}
	}
}

func answered(q question, file string) answer {
	found := answer{Alerts: map[int][]fired{}, Values: map[string][]point{}}
	load := "load 1m\n  " + strings.Join(q.Series, "\n  ")
	data, err := promqltest.NewLazyLoader(load, promqltest.LazyLoaderOpts{})
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	groups := loaded(file, data)
	last := q.Minutes[len(q.Minutes)-1]
	for minute := 0; minute <= last; minute++ {
		now := at(minute)
		data.WithSamplesTill(now, func(err error) {
			if err != nil {
				log.Fatal(err)
			}
			for _, group := range groups {
				group.Eval(data.Context(), now)
			}
		})
		if slices.Contains(q.Minutes, minute) {
			found.Alerts[minute] = firing(groups)
		}
	}
	for _, expr := range q.Exprs {
		found.Values[expr] = values(data, expr, at(last))
	}
	return found
}

func at(minute int) time.Time {
	return time.Unix(int64(60*minute), 0).UTC()
}

func loaded(file string, data *promqltest.LazyLoader) map[string]*rules.Group {
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc:  rules.EngineQueryFunc(data.QueryEngine(), data.Storage()),
		Appendable: data.Storage(),
		Context:    context.Background(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Logger:     promslog.NewNopLogger(),
	})
	groups, errs := manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, file)
	if errs != nil {
		log.Fatal(errs)
	}
	return groups
}

func firing(groups map[string]*rules.Group) []fired {
	found := []fired{}
	for _, group := range groups {
		for _, rule := range group.AlertingRules() {
			if rule.LastError() != nil {
				log.Fatal(rule.Name(), ": ", rule.LastError())
			}
			for _, alert := range rule.ActiveAlerts() {
				if alert.State == rules.StateFiring {
					found = append(found, fired{alert.Labels, alert.Annotations})
				}
			}
		}
	}
	return found
}

func values(data *promqltest.LazyLoader, expr string, now time.Time) []point {
	query, err := data.QueryEngine().NewInstantQuery(context.Background(), data.Queryable(), nil, expr, now)
	if err != nil {
		log.Fatal(expr, ": ", err)
	}
	found := []point{}
	result := query.Exec(context.Background())
	if result.Err != nil {
		log.Fatal(expr, ": ", result.Err)
	}
	switch value := result.Value.(type) {
	case promql.Vector:
		for _, sample := range value {
			found = append(found, point{sample.Metric, text(sample.F)})
		}
	case promql.Scalar:
		found = append(found, point{labels.EmptyLabels(), text(value.V)})
	default:
		log.Fatal(expr, ": a ", value.Type())
	}
	return found
}

func text(value float64) string {
	return strconv.FormatFloat(value, 'g', -1, 64)
}
