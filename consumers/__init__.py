"""The driving side for usage: Kafka and files; decoding, batches, dead letters."""
