"""How anything scheduled runs: declarations, the ledger, the clock, the runner, the engine."""
