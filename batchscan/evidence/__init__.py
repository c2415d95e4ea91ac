"""Evidence packs: made from the ledger, and verifiable without it."""
