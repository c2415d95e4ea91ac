"""What may stay on the web: the rules of `allow.yaml`, and which matches they cover."""

from batchscan.allow.file import add_rule, load_rules, read_rules
from batchscan.allow.rules import AllowRules, Rule, Usage

__all__ = ["AllowRules", "Rule", "Usage", "add_rule", "load_rules", "read_rules"]
