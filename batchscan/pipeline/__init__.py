"""The steps of a run, for one picture and around it; `batchscan.run` wires them together."""
