"""The read side: balance and statement, the batching runner, rebuild."""
