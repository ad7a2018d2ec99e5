"""Usage from Kafka, exactly once: the database, not Kafka, says how far it was read.

config    how to reach the cluster, and what a consumer is handed
records   Kafka's records -> what the use case takes
broker    what the broker says of topics and logs, asked fresh on a connection of its own
places    where to read on in each partition; gaps between what is stored and what the log still has
member    a member of the consumer group, as kafka-python has it
loop      poll -> decode -> check -> commit
patience  how long a broker or a store that does not answer is waited for
errors    why a consumer stops by itself
"""
