"""What the run does with one picture and around it; `batchscan.run` wires these together."""
