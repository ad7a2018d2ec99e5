"""The use cases: load, decide, append; and the ports that adapters fill."""
