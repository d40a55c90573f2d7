"""Cassandra on this machine: a real one, started from its jars. It stands for Amazon Keyspaces, too."""
