"""The implementation of the commands; `batchscan.cli` declares them."""
