"""The sites that allow rules can apply to, so that other matches need not be compared."""

from __future__ import annotations

from batchscan.allow.rules import AllowRules, Rule
from batchscan.ledger.allowed_matches import RuleScope
from batchscan.url_patterns import UrlPattern


def scope_of(rules: AllowRules) -> RuleScope:
    """The sites that rules can apply to."""
    sites, domains, hosts, anywhere = set[str](), set[str](), set[str](), False
    for rule in rules.rules:
        target = rule.target
        host = target.host if target else None
        domain = target.domain if target else None
        if target and domain and domain == host and _is_about_all_of_it(rule, target):
            sites.add(domain)
        elif domain:
            domains.add(domain)
        elif host and ":" not in host and host.isascii():  # others are spelled differently
            hosts.add(host)
        else:
            anywhere = True
    paths = any(rule.images is not None for rule in rules.rules)
    return RuleScope(frozenset(sites), frozenset(domains), frozenset(hosts), anywhere, paths)


def _is_about_all_of_it(rule: Rule, target: UrlPattern) -> bool:
    return target.is_domain and rule.images is None and rule.sha256 is None
