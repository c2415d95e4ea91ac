"""Packs that show what the service answered: made from the ledger, checked by anybody."""
