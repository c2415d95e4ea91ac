"""The state folder of a scan: its lock, its ledger, its crash marks."""
