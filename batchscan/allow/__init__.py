"""The rules of `allow.yaml` for matches that may stay, and which matches they cover."""

from batchscan.allow.file import add_rule, load_rules, read_rules
from batchscan.allow.rules import AllowRules, Rule, Usage

__all__ = ["AllowRules", "Rule", "Usage", "add_rule", "load_rules", "read_rules"]
