"""Tables that answer one question each, exported to what answers it by one read: DynamoDB, Cassandra, Keyspaces."""
