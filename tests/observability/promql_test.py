"""Tests promql.py and rule_file.py, on which the other checks rely."""

import unittest

import promql
import rule_file


class PromqlTest(unittest.TestCase):
    def test_finds_every_series_with_its_matchers(self):
        for expr, expected in (
            ("up", [("up", "")]),
            ('sum by (le) (rate(a_bucket{x=~"b|c", y!="d"}[5m]))', [("a_bucket", '{x=~"b|c", y!="d"}')]),
            ("a / on (b) group_left () (c offset 1d > 0)", [("a", ""), ("c", "")]),
            ("max_over_time(job:a:rate5m[1h:30s]) unless b == 1", [("job:a:rate5m", ""), ("b", "")]),
            ('histogram_quantile(0.99, a{b="c(d) or e{f}"}) > 14.4 * 0.001', [("a", '{b="c(d) or e{f}"}')]),
            ("time() - min by (a) (b) < 2 * 86400", [("b", "")]),
        ):
            self.assertEqual(promql.selectors(expr), expected, expr)

    def test_finds_labels(self):
        self.assertEqual(promql.labels("sum by (a, b) (c) / on (d) group_left () e"), {"a", "b", "d"})
        self.assertEqual(promql.matched('{a=~"b=c", d!="e"}'), {"a", "d"})


class RuleFileTest(unittest.TestCase):
    def test_reads_rules_in_order(self):
        text = "groups:\n- name: g\n  rules:\n  - record: a:b\n    expr: sum(b)\n  - alert: C\n    expr: |\n      d\n      > 1\n    for: 1m\n"

        rules = rule_file.rules(text)

        self.assertEqual([rule.name for rule in rules], ["a:b", "C"])
        self.assertEqual([rule.alert for rule in rules], [False, True])
        self.assertEqual(rules[1].expr.split(), ["d", ">", "1"])

    def test_tells_alerts_that_fire_in_a_test_from_those_that_do_not(self):
        text = "  - eval_time: 1m\n    alertname: A\n    exp_alerts:\n    - exp_labels: {}\n  - eval_time: 2m\n    alertname: B\n    exp_alerts: []\n"

        self.assertEqual(rule_file.tested(text), ({"A"}, {"B"}))


unittest.main()
